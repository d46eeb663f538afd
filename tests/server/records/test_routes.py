"""`/api/ingress/calls`, on a real database."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient
from psycopg_pool import AsyncConnectionPool
from redis.asyncio import Redis

from knowledge.database import Database
from server import errors
from server.auth.fake import fake_guard
from server.ingress.registry import Details, Registry, SessionRecord
from server.records.erasure import Erasure
from server.records.recorder import Recorder
from server.records.routes import router
from server.records.store import CallStore
from server.services import Records
from server.sql import SERVER
from tests.server.rag.conftest import problem
from tests.server.records.conftest import NOON, SOURCE, a_call, a_turn, keep

pytestmark = pytest.mark.integration

CALLS = "/api/ingress/calls"
KEY = "the operator's key"


class Forgetting:
    """In place of the sessions: keeps what they are told to forget."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []

    def forget(self, session_ids: list[str]) -> None:
        self.forgotten += session_ids


@pytest.fixture
def sessions() -> Forgetting:
    return Forgetting()


@pytest.fixture
def records(store: CallStore, erasure: Erasure) -> Records:
    return Records(calls=store, erasure=erasure, recorder=Recorder(store=store))


@pytest.fixture
async def http(records: Records, sessions: Forgetting) -> AsyncIterator[AsyncClient]:
    """A client with the operator's key."""
    app = FastAPI()
    errors.install(app)
    app.include_router(router)
    app.state.services = SimpleNamespace(records=records, sessions=sessions, guard=fake_guard(KEY))
    headers = {"Authorization": f"Bearer {KEY}"}
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis", headers=headers) as client:
        yield client


async def listed(http: AsyncClient, **query: Any) -> list[str]:
    return [call["id"] for call in (await http.get(CALLS, params=query)).json()["calls"]]


async def test_calls_are_listed_page_by_page(http: AsyncClient, store: CallStore):
    await keep(store, *(a_call(name, minute=minute) for minute, name in enumerate("abc")))
    first = (await http.get(CALLS, params={"limit": 2})).json()
    assert [call["id"] for call in first["calls"]] == ["c", "b"]
    second = (await http.get(CALLS, params={"limit": 2, "cursor": first["next"]})).json()
    assert ([call["id"] for call in second["calls"]], second["next"]) == (["a"], None)


async def test_calls_are_found_by_caller_time_and_end(http: AsyncClient, store: CallStore):
    await keep(store, a_call("a"), a_call("b", minute=1, caller="Bo"), a_call("c", minute=2, end_reason="idle"))
    assert await listed(http, caller="Bo") == ["b"]
    assert await listed(http, since=NOON.replace(minute=1).isoformat()) == ["c", "b"]
    assert await listed(http, end_reason="idle") == ["c"]


async def test_a_call_is_shown_with_what_was_said_and_what_it_rests_on(http: AsyncClient, store: CallStore):
    answer = a_turn(number=2, role="assistant", sources=[SOURCE], latencies={"v2v": 0.7, "llm": 0.1}, interrupted=True)
    await keep(store, a_call(), turns=(a_turn(number=1), answer))
    body = (await http.get(f"{CALLS}/a")).json()
    assert (body["call"]["caller"], body["call"]["v2v_p50_ms"], body["call"]["interruptions"]) == ("Ada", 700, 1)
    assert [(turn["number"], turn["role"], turn["text"]) for turn in body["turns"]] == [
        (1, "user", "Turn 1"),
        (2, "assistant", "Turn 2"),
    ]
    assert (body["turns"][1]["sources"], body["turns"][1]["latencies"]) == ([SOURCE], {"v2v": 0.7, "llm": 0.1})


async def test_a_call_is_erased(http: AsyncClient, store: CallStore, sessions: Forgetting):
    await keep(store, a_call())
    assert (await http.delete(f"{CALLS}/a")).status_code == 204
    assert problem(await http.get(f"{CALLS}/a")) == (404, "There is no such call")
    assert sessions.forgotten == ["a"]


async def test_what_still_waits_to_be_written_is_erased_too(http: AsyncClient, records: Records, store: CallStore):
    record = SessionRecord(id="a", state="ended", created_at=NOON, server="s", end_reason="idle")
    records.recorder.ended(SimpleNamespace(id="a"), record)  # pyright: ignore[reportArgumentType]
    assert (await http.delete(f"{CALLS}/a")).status_code == 204
    await records.recorder.flush()
    assert await store.get("a") is None


async def test_all_calls_of_a_caller_are_erased_and_counted(http: AsyncClient, store: CallStore, sessions: Forgetting):
    await keep(store, a_call("a"), a_call("b", minute=1), a_call("c", caller="Bo"))
    assert (await http.delete(CALLS, params={"caller": "Ada"})).json() == {"calls": 2}
    assert (await http.delete(CALLS, params={"caller": "Ada"})).json() == {"calls": 0}
    assert (await listed(http), sorted(sessions.forgotten)) == (["c"], ["a", "b"])


async def test_a_call_that_runs_is_not_erased(http: AsyncClient, registry: Registry):
    details = Details(caller="Ada")
    await registry.save([SessionRecord(id="a", state="connected", details=details, created_at=NOON, server="s")])
    assert problem(await http.delete(f"{CALLS}/a")) == (409, "The call still runs")
    refused = await http.delete(CALLS, params={"caller": "Ada"})
    assert problem(refused) == (409, "The call still runs")
    assert "a." in refused.json()["detail"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "?cursor=x"),
        ("GET", "?limit=0"),
        ("GET", "?limit=201"),
        ("GET", "?since=yesterday"),
        ("GET", "?since=2030-01-02T00:00:00"),
        ("GET", "?caller="),
        ("GET", "?caller=%00"),
        ("GET", "?end_reason=%00"),
        ("GET", "/%00"),
        ("GET", "/A%20B"),
        ("DELETE", ""),
        ("DELETE", "?caller="),
        ("DELETE", "?caller=%00"),
    ],
)
async def test_what_is_not_valid_is_said(http: AsyncClient, method: str, path: str):
    assert problem(await http.request(method, f"{CALLS}{path}")) == (422, "The request is not valid")


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00"])
async def test_any_time_can_be_asked_for(http: AsyncClient, since: str):
    assert (await http.get(f"{CALLS}?since={since}")).status_code == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_call_that_is_not_there_is_not_there(http: AsyncClient, method: str):
    assert problem(await http.request(method, f"{CALLS}/a")) == (404, "There is no such call")


async def test_without_redis_nothing_is_erased_and_it_is_said_when_to_try_again(
    http: AsyncClient, records: Records, store: CallStore, monkeypatch: pytest.MonkeyPatch
):
    await keep(store, a_call())
    monkeypatch.setattr(records.erasure, "_registry", Registry(redis=Redis(host="127.0.0.1", port=1)))
    response = await http.delete(f"{CALLS}/a")
    assert (problem(response), response.headers["Retry-After"]) == ((503, "The records can't be reached"), "2")
    assert await listed(http) == ["a"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("GET", "/a"), ("DELETE", "/a"), ("DELETE", "?caller=Ada")])
async def test_without_postgres_it_is_said_when_to_try_again(
    http: AsyncClient, records: Records, monkeypatch: pytest.MonkeyPatch, method: str, path: str
):
    async with AsyncConnectionPool("host=127.0.0.1 port=1", min_size=0, max_size=1, open=False, timeout=0.1) as nowhere:
        monkeypatch.setattr(records.calls, "_database", Database(nowhere, package=SERVER))
        response = await http.request(method, f"{CALLS}{path}")
    assert (problem(response), response.headers["Retry-After"]) == ((503, "The records can't be reached"), "2")
