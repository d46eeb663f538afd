"""The call page in a real browser, with a recording for its microphone."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
from playwright.sync_api import Page, expect, sync_playwright

from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e

ANSWER_MS = 40_000
GREETING_SECS = 12


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """A recorded question after a silence as long as the greeting, at the rate of Chromium's fake microphone."""
    speech, rate_hz = soundfile.read(RECORDINGS / "slt" / "q18.flac", dtype="float32")
    speech = soxr.resample(speech, rate_hz, 48000)
    quiet = np.zeros(48000 * GREETING_SECS, dtype=np.float32)
    path = tmp_path / "microphone.wav"
    soundfile.write(path, np.concatenate([quiet, speech, quiet, quiet]), 48000, subtype="PCM_16")
    return path


@pytest.fixture
def page(microphone: Path, tmp_path: Path) -> Iterator[Page]:
    chromium = shutil.which("chromium")
    assert chromium, "the browser test needs Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path / "profile"),
            executable_path=chromium,
            viewport={"width": 1100, "height": 760},
            args=[
                "--no-sandbox",
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}%noloop",
                "--autoplay-policy=no-user-gesture-required",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-quic",
                "--disable-sync",
                "--no-first-run",
            ],
        )
        yield context.pages[0]
        context.close()


def test_a_caller_speaks_and_reads_the_answer_and_its_source(jarvis: Jarvis, page: Page, artifacts: Path):
    page.goto(f"{jarvis.url}/call")
    page.screenshot(path=artifacts / "lobby.png")
    page.get_by_test_id("start-call").click()
    expect(page.get_by_test_id("turn-user").last).to_contain_text("join", timeout=ANSWER_MS)
    citation = page.get_by_test_id("citation").first
    expect(citation).to_contain_text("Membership", timeout=ANSWER_MS)
    expect(page.get_by_test_id("turn-bot").last).to_contain_text("49 dollars")
    page.screenshot(path=artifacts / "answer.png")
    citation.click()
    expect(page.get_by_test_id("citation-quote").first).to_contain_text("49 dollars a year")
    page.screenshot(path=artifacts / "source.png")
    page.set_viewport_size({"width": 390, "height": 844})
    page.screenshot(path=artifacts / "phone.png")
    page.get_by_test_id("hang-up").click()
    expect(page.get_by_test_id("status")).to_have_attribute("data-state", re.compile("ended"))
    page.screenshot(path=artifacts / "ended.png")


def test_a_typed_question_is_answered_too(jarvis: Jarvis, page: Page):
    page.goto(f"{jarvis.url}/call")
    page.get_by_test_id("start-call").click()
    page.get_by_test_id("mute").click(timeout=ANSWER_MS)
    box = page.get_by_test_id("text-input")
    box.fill("What do you charge for renting an electric bicycle for a day?", timeout=ANSWER_MS)
    box.press("Enter")
    expect(page.get_by_test_id("citation").first).to_contain_text("Bicycle rental", timeout=ANSWER_MS)
    page.get_by_test_id("hang-up").click()


def test_a_link_that_is_no_good_says_so_plainly(jarvis: Jarvis, page: Page, artifacts: Path):
    page.goto(f"{jarvis.url}/call/not-a-token")
    expect(page.get_by_text("This call link is not valid")).to_be_visible()
    page.screenshot(path=artifacts / "problem.png")
