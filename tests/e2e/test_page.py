"""The call page in a real browser, with a recording for its microphone."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from evals.program import Jarvis

pytestmark = pytest.mark.e2e

ANSWER_MS = 40_000


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


def test_a_caller_who_waits_in_line_is_put_through(jarvis: Jarvis, page: Page, artifacts: Path):
    places = iter([2, 1])

    def busy_at_first(route: Route) -> None:
        position = next(places, None)
        if position is None:
            route.continue_(post_data="{}")
        else:
            route.fulfill(status=202, json={"ticket": "t", "position": position, "retry_after_secs": 2})

    page.route("**/session/create", busy_at_first)
    page.goto(f"{jarvis.url}/call")
    page.get_by_test_id("start-call").click()
    expect(page.get_by_test_id("place")).to_have_text("All lines are busy. You are number 2 in line.")
    expect(page.get_by_test_id("cancel")).to_be_focused()
    page.screenshot(path=artifacts / "waiting.png")
    expect(page.get_by_test_id("place")).to_have_text("All lines are busy. You are next.")
    expect(page.get_by_test_id("turn-bot").first).to_be_visible(timeout=ANSWER_MS)
    page.get_by_test_id("hang-up").click()


def test_a_caller_who_gives_up_waiting_is_back_in_the_lobby(jarvis: Jarvis, page: Page):
    answer = {"ticket": "t", "position": 4, "retry_after_secs": 2}
    page.route("**/session/create", lambda route: route.fulfill(status=202, json=answer))
    page.goto(f"{jarvis.url}/call")
    page.get_by_test_id("start-call").click()
    page.get_by_test_id("cancel").click()
    expect(page.get_by_test_id("place")).to_be_empty()
    expect(page.get_by_test_id("start-call")).to_be_focused()


def test_a_link_that_is_no_good_says_so_plainly(jarvis: Jarvis, page: Page, artifacts: Path):
    page.goto(f"{jarvis.url}/call/not-a-token")
    expect(page.get_by_text("This call link is not valid")).to_be_visible()
    page.screenshot(path=artifacts / "problem.png")
