"""The page that `jarvis eval report` makes, in a real browser."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from evals.report.page import write_page
from evals.report.results import read_results
from evals.report.timeline import PX_PER_SEC
from tests.evals.report.sample import FAILURE, record, run, timeline, turn, write

pytestmark = pytest.mark.e2e

PLAYING = "() => document.querySelector('#run-2 audio').currentTime > 1.2"
CURSOR = "() => Number(document.querySelector('#run-2 .cursor').getAttribute('x1'))"


@pytest.fixture
def report(page: Page, tmp_path: Path) -> Page:
    """The page of two scenarios, one of which failed once, with a recording in the page and one beside it."""
    record(tmp_path / "audio" / "call.wav")
    record(tmp_path / "audio" / "long.wav", secs=400)
    spoken: dict[str, Any] = {"timeline": timeline(), "turns": [turn(), turn(user="<b>And</b> a chair?")]}
    path = write(
        tmp_path / "results.jsonl",
        run(run=1, audio="audio/call.wav", **spoken),
        run(run=2, audio="audio/call.wav", status="failed", failures=[FAILURE], **spoken),
        run("returns/long", run=1, audio="audio/long.wav", **spoken),
        run("privacy/card_number", file="privacy.yaml", status="pending", turns=[]) | {"skipped": "no recordings yet"},
        rest=b'{"scenario_name": "returns/lo',
    )
    write_page(read_results(path), tmp_path / "report.html")
    return page


def test_a_run_is_seen_and_heard_and_nothing_leaves_the_page(report: Page, tmp_path: Path, artifacts: Path):
    asked: list[str] = []
    complaints: list[str] = []
    report.on("request", lambda request: asked.append(request.url))
    report.on("console", lambda message: complaints.append(message.text))
    report.goto((tmp_path / "report.html").as_uri())
    report.screenshot(path=artifacts / "report.png", full_page=True)
    chart = report.locator("#run-2 .chart")
    chart.focus()
    report.keyboard.press("ArrowRight")
    report.wait_for_function(f"() => ({CURSOR})() === {PX_PER_SEC}")
    report.keyboard.press("Space")
    report.wait_for_function(PLAYING)
    report.keyboard.press("Space")
    assert report.evaluate(CURSOR) > PX_PER_SEC
    report.get_by_label("run 1: passed").nth(1).click()
    expect(report.locator("#run-3")).to_have_attribute("open", "")
    report.locator("#run-3 audio").evaluate("audio => audio.play()")
    report.wait_for_function("() => document.querySelector('#run-3 audio').currentTime > 0.1")
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}
    assert complaints == []


def test_scenarios_are_found_by_name_and_by_result(report: Page, tmp_path: Path, artifacts: Path):
    report.set_viewport_size({"width": 390, "height": 844})
    report.emulate_media(color_scheme="dark")
    report.goto((tmp_path / "report.html").as_uri())
    assert report.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    report.screenshot(path=artifacts / "phone.png", full_page=True)
    rows = report.locator(".scenarios tbody tr:visible")
    report.get_by_label("Find").fill("returns")
    expect(rows).to_have_count(2)
    report.get_by_label("mixed").uncheck()
    expect(rows).to_have_count(1)
    expect(report.locator("output")).to_have_text("1 of 3 shown")
    expect(report.locator("#scenario-2")).to_be_visible()
    expect(report.locator("#scenario-1")).to_be_hidden()
