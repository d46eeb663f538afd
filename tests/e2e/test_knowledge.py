"""What the operator's documents do to calls: an answer to what nobody could answer; documents out of reach."""

import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest

from bot.wording.table import wording
from evals.program import Jarvis
from tests.e2e.conftest import written

ENGLISH = wording("en")

pytestmark = pytest.mark.e2e

WAIT_SECS = 30.0
POLL_SECS = 0.1
QUESTION = "Do you sell electric scooters or roller skates?"


@pytest.fixture
def key(jarvis: Jarvis) -> str:
    """The operator's key."""
    return (jarvis.log.parent / "operator.key").read_text(encoding="ascii").strip()


@pytest.fixture
def stopped_retrieval(jarvis: Jarvis) -> Iterator[None]:
    """The retrieval process does not move meanwhile."""
    family = jarvis.process.children(recursive=True)
    process = next(each for each in family if "knowledge.process" in each.cmdline())
    process.send_signal(signal.SIGSTOP)
    yield
    process.send_signal(signal.SIGCONT)


def ended(jarvis: Jarvis, key: str, job: str) -> dict[str, Any]:
    """An indexing job, once it has ended."""
    deadline = time.monotonic() + WAIT_SECS
    while time.monotonic() < deadline:
        _, state, _ = jarvis.request("GET", f"/api/rag/jobs/{job}", token=key)
        if state["state"] in ("done", "failed"):
            return state
        time.sleep(POLL_SECS)
    raise AssertionError("the job did not end in time")


def test_a_question_in_vain_becomes_a_gap_whose_answer_the_next_caller_hears(jarvis: Jarvis, key: str):
    assert written(jarvis, QUESTION).startswith(ENGLISH.nothing_found[:16])
    _, listed, _ = jarvis.request("GET", "/api/rag/gaps", token=key)
    (gap,) = (each for each in listed["gaps"] if "electric" in each["question"])
    answer = {
        "title": "Electric scooters and roller skates",
        "text": "We sell electric scooters and roller skates on the second floor.",
    }
    _, accepted, _ = jarvis.request("POST", f"/api/rag/gaps/{gap['id']}/answer", answer, token=key)
    assert ended(jarvis, key, accepted["job"]["id"])["state"] == "done"
    assert "on the second floor" in written(jarvis, QUESTION)
    _, listed, _ = jarvis.request("GET", "/api/rag/gaps?state=closed", token=key)
    assert gap["id"] in [each["id"] for each in listed["gaps"]]


def test_a_bot_whose_retrieval_is_late_says_that_it_cannot_look_things_up(jarvis: Jarvis, stopped_retrieval: None):
    assert written(jarvis, "How much is it to join your club each year?") == ENGLISH.unavailable


def test_a_document_that_cannot_be_read_is_named_and_the_others_answer(jarvis: Jarvis, key: str):
    documents = [
        {"name": "empty.md", "text": " "},
        {"name": "lockers.md", "text": "# Lockers\n\nA locker for a helmet costs 3 dollars a day."},
    ]
    _, accepted, _ = jarvis.request("POST", "/api/rag/index", {"documents": documents}, token=key)
    job = ended(jarvis, key, accepted["job"])
    assert (job["state"], [failure["source"] for failure in job["failures"]]) == ("failed", ["empty.md"])
    deadline = time.monotonic() + WAIT_SECS
    found: list[str] = []
    while "lockers.md" not in found and time.monotonic() < deadline:
        _, answer, _ = jarvis.request("POST", "/api/rag/search", {"question": "What is a locker?"}, token=key)
        found = [each["document"]["source"] for each in answer["passages"]]
    assert "lockers.md" in found
