"""The call page goes on with a call whose bot was killed."""

import json
import re
import socket
import struct
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from evals.program import Jarvis

pytestmark = pytest.mark.e2e

ANSWER_MS = 40_000
BACK_MS = 15_000

# The page forbids scripts that are not its own, and a state may be gone before it is asked for.
KEEP_STATES = """
  const states = [];
  new MutationObserver(() => {
    const state = document.querySelector("[data-testid=status]")?.dataset.state;
    if (!state || state === states.at(-1)) return;
    states.push(state);
    document.documentElement.dataset.states = states.join(" ");
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-state"] });
"""


def test_a_call_goes_on_when_its_bot_is_killed(jarvis: Jarvis, page: Page, artifacts: Path):
    page.add_init_script(KEEP_STATES)
    page.goto(f"{jarvis.url}/call")
    page.get_by_test_id("start-call").click()
    page.get_by_test_id("mute").click(timeout=ANSWER_MS)
    greeting = page.get_by_test_id("turn-bot").first
    expect(greeting).to_be_visible(timeout=ANSWER_MS)
    expect(page.locator(".unsaid")).to_have_count(0, timeout=ANSWER_MS)
    expect(page.get_by_test_id("status")).to_have_attribute("data-state", "muted", timeout=ANSWER_MS)
    greeted, shown_secs = greeting.inner_text(), timer_secs(page)

    bot_in_a_call(jarvis).kill()

    expect(page.get_by_test_id("turn-bot").nth(1)).to_contain_text("Sorry, I lost you", timeout=BACK_MS)
    page.screenshot(path=artifacts / "back.png")
    assert re.search(r"\breconnecting (muted|speaking)\b", page.locator("html").get_attribute("data-states") or "")
    assert greeting.inner_text() == greeted
    assert timer_secs(page) >= max(1, shown_secs)
    expect(page.get_by_test_id("mute")).to_have_text("Unmute")
    box = page.get_by_test_id("text-input")
    box.fill("What do you charge for renting an electric bicycle for a day?")
    box.press("Enter")
    expect(page.get_by_test_id("citation").first).to_contain_text("Bicycle rental", timeout=ANSWER_MS)
    page.get_by_test_id("hang-up").click()


def timer_secs(page: Page) -> int:
    """What the call's timer shows."""
    minutes, secs = page.get_by_role("timer").inner_text().split(":")
    return 60 * int(minutes) + int(secs)


def bot_in_a_call(jarvis: Jarvis) -> psutil.Process:
    """The process of the one call that is on."""
    sockets = (Path(jarvis.environment["JARVIS_DATA_DIR"]) / "run" / "bots").glob("*.sock")
    asked = [ask_session(path) for path in sockets]
    [pid] = [pid for session_id, pid in asked if session_id is not None]
    return psutil.Process(pid)


def ask_session(path: Path) -> tuple[str | None, int]:
    """The id of the session that the bot on this control socket has, and the bot's process id."""
    with socket.socket(socket.AF_UNIX) as bot:
        bot.settimeout(5)
        bot.connect(str(path))
        pid, _, _ = struct.unpack("3i", bot.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        bot.sendall(b"GET /session HTTP/1.0\r\nHost: bot\r\n\r\n")
        answer = b"".join(iter(lambda: bot.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])["session_id"], pid
