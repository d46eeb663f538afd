"""What is kept of what bots report."""

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from loguru import logger

from knowledge.errors import KnowledgeUnavailableError
from server.ingress.live import LiveSession
from server.ingress.registry import Details
from server.ingress.scripted import ScriptedBot
from server.records.recorder import Recorder
from server.records.store import CallRow, CallStore, MessageRow, TurnRow
from tests.server.records.conftest import NOON, SOURCE

DETAILS = Details(caller="Ada", metadata={"shop": "north"})
CONNECTED = {"type": "connected", "at": NOON.timestamp(), "at_mono": 1.0}
HEARTBEAT = {"type": "heartbeat", "floor": "bot", "private_mb": 44.5, "cpu_secs": 1.0, "loop_lag_secs": 0}
TURN = {"type": "turn", "number": 1, "latency_secs": 0.7, "stages": {"llm": 0.1, "tts": 0.05}}


def said(number: int, role: str = "user", **changes: Any) -> dict[str, Any]:
    at = NOON.timestamp() + number
    times = {"started_at": at, "ended_at": at + 0.5}
    fields = {"text": f"Turn {number}", "interrupted": False, "sources": [], "unsupported": 0}
    return {"type": "said", "number": number, "role": role, **times, **fields, **changes}


class ScriptedStore:
    """Keeps what is written; or refuses each write with the next error."""

    def __init__(self, *errors: Exception | None):
        self._errors = list(errors)
        self.begun: list[str] = []
        self.calls: dict[str, CallRow] = {}
        self.turns: list[Any] = []

    async def write(
        self, *, begun: Collection[str], calls: Sequence[CallRow], turns: Sequence[TurnRow | MessageRow]
    ) -> None:
        if self._errors and (error := self._errors.pop(0)) is not None:
            raise error
        self.begun += [call.id for call in calls if call.id in begun]
        self.calls |= {call.id: call for call in calls}
        self.turns += turns


def away(times: int) -> ScriptedStore:
    return ScriptedStore(*[KnowledgeUnavailableError("away")] * times)


class Server:
    """A recorder and what a server tells it."""

    def __init__(self, store: Any, **limits: int):
        self.recorder = Recorder(store=store, now=lambda: NOON, **limits)

    def call(self, call_id: str = "a") -> LiveSession:
        return LiveSession(id=call_id, bot=ScriptedBot("b"), server="s", created_at=NOON, details=DETAILS)

    def hears(self, session: LiveSession, *events: dict[str, Any]) -> None:
        for event in events:
            session.fold(event, now_mono=0)
            self.recorder.heard(session, event)

    def ends(self, session: LiveSession, reason: str = "hang_up") -> None:
        record = session.record().model_copy(update={"state": "ended", "end_reason": reason})
        self.recorder.ended(session, record)


async def test_a_call_is_known_from_its_first_sign_of_life():
    server = Server(store := ScriptedStore())
    server.hears(server.call(), HEARTBEAT)
    await server.recorder.flush()
    call = store.calls["a"]
    assert (call.caller, call.metadata, call.connected_at, call.ended_at) == ("Ada", {"shop": "north"}, None, None)


async def test_heartbeats_are_not_written():
    server = Server(ScriptedStore())
    session = server.call()
    server.hears(session, HEARTBEAT)
    await server.recorder.flush()
    server.hears(session, HEARTBEAT, HEARTBEAT)
    assert server.recorder.waiting == 0


async def test_an_answer_is_kept_with_its_sources_and_how_long_each_stage_took():
    server = Server(store := ScriptedStore())
    answer = said(2, "assistant", interrupted=True, sources=[SOURCE], unsupported=2)
    server.hears(server.call(), CONNECTED, said(1), TURN, answer, said(3), said(4, "assistant"))
    await server.recorder.flush()
    latencies = {"v2v": 0.7, "llm": 0.1, "tts": 0.05}
    assert [(t.number, t.role, t.latencies) for t in store.turns] == [
        (1, "user", {}),
        (2, "assistant", latencies),
        (3, "user", {}),
        (4, "assistant", {}),
    ]
    assert (store.turns[1].interrupted, store.turns[1].sources, store.turns[1].unsupported) == (True, [SOURCE], 2)
    assert store.turns[0].started_at == datetime.fromtimestamp(NOON.timestamp() + 1, UTC)


async def test_a_turn_report_without_stages_gives_the_whole_wait():
    server = Server(store := ScriptedStore())
    server.hears(server.call(), {"type": "turn", "number": 1, "latency_secs": 0.5}, said(1, "assistant"))
    await server.recorder.flush()
    assert store.turns[0].latencies == {"v2v": 0.5}


async def test_the_end_is_kept_with_its_reason():
    server = Server(store := ScriptedStore())
    session = server.call()
    server.hears(session, CONNECTED, TURN)
    server.ends(session, "idle")
    await server.recorder.flush()
    call = store.calls["a"]
    assert (call.end_reason, call.ended_at, call.turns, call.connected_at) == ("idle", NOON, 1, NOON)


async def test_a_call_that_nothing_was_heard_of_is_kept_all_the_same():
    server = Server(store := ScriptedStore())
    server.ends(server.call(), "bot_died")
    await server.recorder.flush()
    assert (store.begun, store.calls["a"].end_reason) == (["a"], "bot_died")


async def test_only_the_first_write_makes_a_call():
    server = Server(store := ScriptedStore())
    session = server.call()
    for event in (CONNECTED, TURN):
        server.hears(session, event)
        await server.recorder.flush()
    server.ends(session)
    await server.recorder.flush()
    assert store.begun == ["a"]


async def test_the_next_bots_turns_are_told_from_the_first_ones():
    server = Server(store := ScriptedStore())
    session = server.call()
    server.hears(session, said(1), TURN)
    session.replaced_by(ScriptedBot("c"))
    server.hears(session, HEARTBEAT, said(1, "assistant"))
    await server.recorder.flush()
    assert [(t.bot, t.number, t.latencies) for t in store.turns] == [(1, 1, {}), (2, 1, {})]
    assert store.calls["a"].bots == 2


async def test_words_that_postgres_cannot_hold_lose_only_what_it_cannot():
    server = Server(store := ScriptedStore())
    server.hears(server.call(), said(1, text="Good\0bye"))
    await server.recorder.flush()
    assert store.turns[0].text == "Goodbye"


async def test_while_the_database_is_away_everything_waits_in_order():
    server = Server(store := away(2))
    session = server.call()
    server.hears(session, said(1), said(2))
    assert not await server.recorder.flush()
    server.hears(session, said(3))
    server.ends(session)
    assert not await server.recorder.flush()
    assert await server.recorder.flush()
    assert ([t.number for t in store.turns], store.begun) == ([1, 2, 3], ["a"])
    assert store.calls["a"].end_reason == "hang_up"


async def test_what_is_too_much_to_wait_is_lost_oldest_first_and_said_to_be():
    said_to_be: list[str] = []
    sink = logger.add(lambda message: said_to_be.append(str(message)), level="ERROR")
    server = Server(store := away(1), most_turns=2, most_calls=1)
    server.hears(server.call("a"), said(1))
    server.hears(server.call("b"), said(2), said(3), said(4))
    assert not await server.recorder.flush()
    assert await server.recorder.flush()
    logger.remove(sink)
    assert ([t.number for t in store.turns], list(store.calls)) == ([3, 4], ["b"])
    assert any("3 reports of calls" in line for line in said_to_be)


async def test_what_the_database_refuses_costs_its_call_and_no_other():
    server = Server(store := ScriptedStore(psycopg.DataError("x"), psycopg.DataError("x"), None))
    server.hears(server.call("a"), said(1))
    server.hears(server.call("b"), said(2))
    assert await server.recorder.flush()
    assert (len(store.calls), len(store.turns), server.recorder.waiting) == (1, 1, 0)


async def test_no_log_holds_a_word_of_it():
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="TRACE")
    server = Server(ScriptedStore(psycopg.DataError("zeppelin"), psycopg.DataError("zeppelin"), None))
    server.hears(server.call(), said(1, text="zeppelin"))
    await server.recorder.flush()
    server.recorder = Recorder(store=away(9))  # pyright: ignore[reportArgumentType]
    server.hears(server.call(), said(1, text="zeppelin"))
    async with server.recorder.running():
        pass
    logger.remove(sink)
    assert lines
    assert not any("zeppelin" in line or "Ada" in line for line in lines)


async def test_at_the_end_what_is_left_is_written():
    server = Server(store := ScriptedStore())
    async with server.recorder.running():
        server.hears(server.call(), said(1))
    assert [t.number for t in store.turns] == [1]


async def test_while_it_runs_it_writes_by_itself(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.records.recorder.BATCH_SECS", 0)
    monkeypatch.setattr("server.records.recorder.RETRY_SECS", 0)
    server = Server(store := away(3))
    async with server.recorder.running(), asyncio.timeout(5):
        server.hears(server.call(), said(1))
        while not store.turns:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.mark.integration
async def test_a_call_that_another_server_takes_over_is_recorded_once(store: CallStore):
    reports = [CONNECTED, said(1), TURN, said(2, "assistant", sources=[SOURCE])]
    first, second = Server(store), Server(store)
    first.hears(first.call(), *reports)
    await first.recorder.flush()
    session = second.call()
    second.hears(session, *(report | {"again": True} for report in reports), said(3))
    second.ends(session)
    await second.recorder.flush()
    assert [(turn["number"], turn["text"]) for turn in await store.turns("a")] == [
        (1, "Turn 1"),
        (2, "Turn 2"),
        (3, "Turn 3"),
    ]
    call = await store.get("a")
    assert call is not None
    assert (call["turns"], call["end_reason"], call["v2v_p50_secs"]) == (1, "hang_up", 0.7)


async def test_a_message_is_kept_as_it_was_left():
    store = ScriptedStore()
    server = Server(store)
    left = {"number": 1, "name": "Ada\0", "contact": "555", "text": "Call me.", "left_at": NOON.timestamp()}
    server.recorder.heard(server.call(), {"type": "message", **left})
    await server.recorder.flush()
    assert store.turns == [MessageRow("a", 1, 1, "Ada", "555", "Call me.", NOON)]
