"""Old calls go, lost ones are closed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from knowledge.gaps import GapStore
from server.ingress.registry import Registry, SessionRecord
from server.records.retention import Retention
from server.records.store import CallStore
from tests.server.records.conftest import NOON, a_call, a_turn, keep

pytestmark = pytest.mark.integration

RUNNING: dict[str, Any] = {"ended_at": None, "end_reason": None}


@pytest.fixture
def retention(store: CallStore, gaps: GapStore, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Retention:
    monkeypatch.setattr("server.records.retention.BATCH", 1)
    monkeypatch.setattr("server.records.retention.PAUSE_SECS", 0)
    return Retention(calls=store, gaps=gaps, registry=registry, keep_days=30)


async def test_calls_older_than_is_kept_go_with_what_was_said(retention: Retention, store: CallStore):
    day = 24 * 60
    await keep(store, a_call("old"), a_call("older", minute=-day), a_call("new", minute=day), turns=(a_turn("old"),))
    await retention.sweep(now=NOON + timedelta(days=30, seconds=1))
    assert [row["id"] for row in await store.newest(limit=9)] == ["new"]
    assert await store.turns("old") == []


async def test_questions_that_nobody_asked_in_that_time_go(retention: Retention, gaps: GapStore):
    await gaps.record("Is there a zeppelin?", [], collection="default", vector=None, call_id="a")
    await retention.sweep(now=datetime.now(UTC) + timedelta(days=29))
    assert len(await gaps.list()) == 1
    await retention.sweep(now=datetime.now(UTC) + timedelta(days=31))
    assert await gaps.list() == []


async def test_a_call_is_closed_as_lost_unless_a_server_knows_it(
    retention: Retention, store: CallStore, registry: Registry
):
    await keep(store, a_call("lost", **RUNNING), a_call("runs", **RUNNING))
    await registry.save([SessionRecord(id="runs", state="connected", created_at=NOON, server="another")])
    await retention.sweep(now=NOON + timedelta(minutes=2))
    assert {row["id"]: row["end_reason"] for row in await store.newest(limit=9)} == {"lost": "lost", "runs": None}


async def test_with_nothing_to_be_kept_all_that_ended_goes(store: CallStore, gaps: GapStore, registry: Registry):
    await keep(store, a_call())
    retention = Retention(calls=store, gaps=gaps, registry=registry, keep_days=0)
    await retention.sweep(now=NOON + timedelta(minutes=2))
    assert await store.newest(limit=9) == []
