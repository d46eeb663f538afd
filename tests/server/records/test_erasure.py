"""An erased call is nowhere."""

from datetime import timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.takes import SpeechStore
from knowledge.gaps import GapStore
from server.ingress.registry import Details, Registry, RegistryGoneError, SessionRecord
from server.records.erasure import Erasure, RunningCallError
from server.records.store import CallStore
from tests.server.records.conftest import NOON, a_call, a_turn, keep

pytestmark = pytest.mark.integration


def in_redis(call_id: str, **changes: Any) -> SessionRecord:
    fields: dict[str, Any] = {"state": "connected", "details": Details(caller="Ada"), "created_at": NOON, "server": "s"}
    return SessionRecord(**{"id": call_id, **fields, **changes})


async def test_a_calls_record_its_keys_and_its_gaps_go(
    erasure: Erasure, store: CallStore, gaps: GapStore, registry: Registry, redis: Redis
):
    await keep(store, a_call("a"), a_call("b", minute=1), turns=(a_turn("a"), a_turn("b")))
    await gaps.record("Is there a zeppelin?", [], collection="default", vector=None, call_id="a")
    for call_id in ("a", "b"):
        await registry.ended(in_redis(call_id))
    assert await erasure.call("a")
    assert (await store.get("a"), await store.turns("a"), await gaps.list()) == (None, [], [])
    assert await redis.keys() == ["jarvis:session:b"]
    assert len(await store.turns("b")) == 1


async def test_what_a_voice_made_for_a_call_goes_with_it_and_what_every_caller_hears_stays(
    erasure: Erasure, store: CallStore, redis: Redis
):
    await keep(store, a_call("a"))
    speech = SpeechStore(redis)
    await speech.keep("greeting", b"x", common=True)
    await speech.keep("of-a", b"x", call_id="a")
    # Two calls had this said; that it was made for the other hides no call.
    await speech.keep("of-both", b"x", call_id="b")
    await speech.find("of-both", call_id="a")
    await speech.keep("of-b", b"x", call_id="b")
    await erasure.call("a")
    assert set(await redis.keys()) == {"jarvis:speech:greeting", "jarvis:speech:of-b", "jarvis:said:b"}


async def test_a_call_that_is_not_there_is_not_erased(erasure: Erasure):
    assert not await erasure.call("a")


async def test_a_callers_calls_go_however_many_and_no_others(
    erasure: Erasure, store: CallStore, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.records.erasure.BATCH_CALLS", 2)
    calls = [a_call(f"a{minute}", minute=minute) for minute in range(5)]
    await keep(store, *calls, a_call("b", caller="Bo"), a_call("c", caller=None))
    assert sorted(await erasure.caller("Ada")) == ["a0", "a1", "a2", "a3", "a4"]
    assert {row["id"] for row in await store.newest(limit=9)} == {"b", "c"}


async def test_while_one_of_the_callers_calls_runs_nothing_is_erased(
    erasure: Erasure, store: CallStore, registry: Registry
):
    await keep(store, a_call("a"))
    await registry.save([in_redis("b")])
    with pytest.raises(RunningCallError) as error:
        await erasure.caller("Ada")
    assert error.value.call_ids == ["b"]
    assert await store.get("a") is not None


async def test_a_call_that_runs_is_not_erased(erasure: Erasure, registry: Registry):
    await registry.save([in_redis("a")])
    with pytest.raises(RunningCallError):
        await erasure.call("a")


async def test_a_call_that_lost_its_host_can_be_erased(erasure: Erasure, store: CallStore):
    await keep(store, a_call("a", ended_at=None, end_reason=None, connected_at=NOON + timedelta(seconds=1)))
    assert await erasure.call("a")


async def test_nothing_is_erased_where_nobody_knows_what_runs(store: CallStore, gaps: GapStore):
    await keep(store, a_call("a"))
    nowhere = Registry(redis=Redis(host="127.0.0.1", port=1))
    with pytest.raises(RegistryGoneError):
        await Erasure(calls=store, gaps=gaps, registry=nowhere).call("a")
    assert await store.get("a") is not None
