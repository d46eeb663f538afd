"""Completions over HTTP."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.llm.routes import llm
from tests.server.scripted_desk import Answer, Service, served

WHOLE, STREAM = "/api/llm/complete", "/api/llm/complete/stream"
ASKED = {"messages": [{"role": "user", "content": "Are you open?"}]}
CITATION = {
    "type": "citation",
    "number": 1,
    "title": "Opening hours",
    "heading_path": [],
    "quote": "We are open.",
    "passage": "We are open. Come in.",
    "start": 0,
    "end": 12,
    "source": "hours.md",
    "document_id": "6f1f0d7c-5d0b-4b86-9d0c-0f6d3c0a8f11",
    "page": None,
    "effective_date": None,
    "score": 0.5,
}
END = {"type": "end", "finish_reason": "stop", "usage": None}
SAID = [CITATION, {"type": "text", "text": "We are "}, {"type": "text", "text": "open."}, END]
ERROR = {"type": "error", "status": 503, "title": "The services can't answer now", "detail": "Send it again."}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with served(llm, tmp_path) as service:
        yield service


def request_of(service: Service) -> dict[str, Any]:
    """What the desk was asked."""
    return json.loads(service.desk.asked[0][2])


async def test_an_answer_has_its_text_its_sources_and_how_it_ended(service: Service):
    service.desk.answers.append(Answer(SAID))
    answer = (await service.http.post(WHOLE, json=ASKED)).json()
    assert (answer["text"], answer["finish_reason"], answer["usage"]) == ("We are open.", "stop", None)
    assert answer["citations"] == [{k: v for k, v in CITATION.items() if k != "type"}]


async def test_the_same_comes_as_server_sent_events(service: Service):
    service.desk.answers.append(Answer(SAID))
    answer = await service.http.post(STREAM, json=ASKED)
    assert answer.headers["content-type"].startswith("text/event-stream")
    events = [event.split("\n") for event in answer.text.split("\n\n") if event]
    assert [name for name, _ in events] == ["event: citation", "event: text", "event: text", "event: end"]
    assert json.loads(events[1][1].removeprefix("data: ")) == {"text": "We are "}


@pytest.mark.parametrize(("knowledge", "collection"), [(True, "default"), ("shop", "shop"), (False, None)])
async def test_the_documents_to_look_at_are_said_by_name_or_by_true(service: Service, knowledge: Any, collection: Any):
    service.desk.answers.append(Answer(SAID))
    await service.http.post(WHOLE, json={**ASKED, "knowledge": knowledge})
    assert request_of(service)["collection"] == collection


async def test_an_error_in_mid_answer_is_the_last_event(service: Service):
    service.desk.answers.append(Answer([SAID[1], ERROR]))
    answer = await service.http.post(STREAM, json=ASKED)
    assert answer.text.split("\n\n")[1].startswith("event: error\n")
    assert '"detail": "Send it again."' in answer.text


async def test_an_error_in_mid_answer_is_a_problem_where_the_whole_is_wanted(service: Service):
    service.desk.answers.append(Answer([SAID[1], ERROR]))
    answer = await service.http.post(WHOLE, json=ASKED)
    assert (answer.status_code, answer.json()["detail"]) == (503, "Send it again.")


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize(("status", "told"), [(404, 404), (422, 422), (429, 503), (503, 503)])
async def test_what_the_desk_refuses_is_a_problem(service: Service, path: str, status: int, told: int):
    service.desk.answers.append(Answer(status=status))
    answer = await service.http.post(path, json=ASKED)
    assert (answer.status_code, answer.headers["content-type"]) == (told, "application/problem+json")


async def test_an_answer_that_breaks_off_is_no_answer(service: Service):
    service.desk.answers.append(Answer([SAID[1]], breaks_off=True))
    assert (await service.http.post(WHOLE, json=ASKED)).status_code == 503


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"messages": []},
        {"messages": [{"role": "user"}]},
        {"messages": [{"role": "robot", "content": "x"}]},
        {"messages": [{"role": "user", "content": ""}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "assistant", "content": "x"}], "knowledge": True},
        {**ASKED, "knowledge": "No Such Name"},
        {**ASKED, "temperature": 3},
        {**ASKED, "max_tokens": 0},
        {**ASKED, "model": "gpt-4.1"},
    ],
)
async def test_a_conversation_that_is_none_is_told_what_is_wrong(service: Service, body: dict[str, Any]):
    answer = await service.http.post(WHOLE, json=body)
    assert (answer.status_code, answer.json()["title"]) == (422, "The request is not valid")


async def test_a_desk_that_can_not_answer_is_degraded(service: Service):
    answer = await service.http.get("/api/llm/healthz", headers={"Authorization": ""})
    assert answer.json() == {"status": "degraded", "parts": {"desk": False, "retrieval": True}}
