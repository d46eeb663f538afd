"""The call page goes on with a call whose bot was killed."""

import re
from pathlib import Path

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

    _, overview, _ = jarvis.request("GET", "/api/ingress/sessions", token=jarvis.operator_key())
    jarvis.bot_of(overview["sessions"][-1]["id"]).kill()

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
