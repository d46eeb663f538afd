"""Calls and turns in a real database."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from server.records.store import CallStore, Place
from tests.server.records.conftest import NOON, SOURCE, a_call, a_message, a_turn, keep

pytestmark = pytest.mark.integration

RUNNING: dict[str, Any] = {"ended_at": None, "end_reason": None}


async def test_a_call_is_read_as_it_was_written_with_what_its_turns_add_up_to(store: CallStore):
    waits = [
        a_turn(
            number=number,
            role="assistant",
            latencies={"v2v": v2v, "llm": 0.1},
            interrupted=number == 2,
            unsupported=number // 2 - 1,
        )
        for number, v2v in ((2, 0.5), (4, 0.7), (6, 2.5))
    ]
    await keep(store, a_call(), turns=(a_turn(number=1), *waits))
    call = await store.get("a")
    assert call is not None
    assert (call["caller"], call["metadata"], call["created_at"]) == ("Ada", {"shop": "north"}, NOON)
    assert (call["interruptions"], call["v2v_p50_secs"], call["v2v_max_secs"]) == (1, 0.7, 2.5)
    assert call["unsupported"] == 3


async def test_a_call_without_answers_has_no_waits(store: CallStore):
    await keep(store, a_call())
    call = await store.get("a")
    assert call is not None
    assert (call["interruptions"], call["v2v_p50_secs"], call["v2v_max_secs"]) == (0, None, None)


async def test_turns_are_numbered_through_the_bots_of_a_call(store: CallStore):
    turns = (
        a_turn(number=1, bot=2, text="fourth"),
        a_turn(number=2, role="assistant", text="second", sources=[SOURCE], latencies={"v2v": 0.5}),
        a_turn(number=1, text="first"),
        a_turn(number=3, text="third"),
    )
    await keep(store, a_call(), turns=turns)
    found = await store.turns("a")
    assert [(turn["number"], turn["text"]) for turn in found] == [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (4, "fourth"),
    ]
    assert (found[1]["sources"], found[1]["latencies"]) == ([SOURCE], {"v2v": 0.5})


async def test_what_is_written_twice_is_there_once(store: CallStore):
    for _ in range(2):
        await keep(store, a_call(), turns=(a_turn(number=1), a_turn(number=2)))
    assert [turn["number"] for turn in await store.turns("a")] == [1, 2]


async def test_a_call_moves_on_and_never_back(store: CallStore):
    await keep(store, a_call(turns=3, bots=2, **RUNNING))
    await keep(store, a_call(turns=5))
    await keep(store, a_call(turns=4, connected_at=None, **RUNNING))
    call = await store.get("a")
    assert call is not None
    assert (call["turns"], call["bots"], call["end_reason"]) == (5, 2, "hang_up")
    assert call["connected_at"] is not None


async def test_a_cost_grows_and_never_shrinks_and_what_was_unpriced_stays_so(store: CallStore):
    await keep(store, a_call(cost_usd=Decimal("0.5"), priced=False))
    await keep(store, a_call(cost_usd=Decimal("0.000000001")))
    call = await store.get("a")
    assert call is not None
    assert (call["cost_usd"], call["priced"]) == (Decimal("0.5"), False)


async def test_what_calls_cost_is_added_up_from_a_time_on(store: CallStore):
    costs = {"a": "0.1", "b": "0.2", "c": "0.000000001"}
    await keep(store, *(a_call(name, minute=n, cost_usd=Decimal(usd)) for n, (name, usd) in enumerate(costs.items())))
    since = [await store.cost_since(NOON + timedelta(minutes=minute)) for minute in (0, 1, 3)]
    assert since == [Decimal("0.300000001"), Decimal("0.200000001"), 0]


async def test_what_comes_late_of_an_erased_call_does_not_bring_it_back(store: CallStore):
    await keep(store, a_call(), turns=(a_turn(),))
    assert await store.erase(["a", "b"]) == ["a"]
    await store.write(begun=(), calls=[a_call(turns=9)], turns=[a_turn(number=2)])
    assert (await store.get("a"), await store.turns("a")) == (None, [])


async def test_calls_are_listed_from_the_newest_on_page_by_page(store: CallStore):
    await keep(store, *(a_call(name, minute=minute) for minute, name in enumerate("abcde")), a_call("f", minute=4))
    seen: list[str] = []
    before = None
    while rows := await store.newest(limit=2, before=before):
        seen += [row["id"] for row in rows]
        before = Place(rows[-1]["created_at"], rows[-1]["id"])
    assert seen == ["f", "e", "d", "c", "b", "a"]


async def test_calls_are_found_by_caller_time_and_end(store: CallStore):
    await keep(store, a_call("a"), a_call("b", minute=1, caller="Bo"), a_call("c", minute=2, end_reason="idle"))
    assert [row["id"] for row in await store.newest(caller="Ada", limit=9)] == ["c", "a"]
    assert [row["id"] for row in await store.newest(since=NOON + timedelta(minutes=1), limit=9)] == ["c", "b"]
    assert [row["id"] for row in await store.newest(end_reason="idle", limit=9)] == ["c"]


async def test_ids_are_found_by_how_they_begin_and_by_caller(store: CallStore):
    await keep(store, a_call("abc"), a_call("abd", minute=1, caller="Bo"), a_call("b", minute=2))
    assert await store.ids_beginning("ab", limit=9) == ["abc", "abd"]
    assert await store.ids_beginning("a%", limit=9) == []
    assert await store.ids_of("Ada", limit=9) == ["abc", "b"]


async def test_old_calls_go_in_batches_and_those_that_run_stay(store: CallStore):
    await keep(store, *(a_call(name, minute=minute) for minute, name in enumerate("abc")), a_call("d", **RUNNING))
    before = NOON + timedelta(minutes=2)
    assert [await store.erase_before(before, limit=1) for _ in range(3)] == [1, 1, 0]
    assert [row["id"] for row in await store.newest(limit=9)] == ["c", "d"]


async def test_old_calls_are_left_to_the_server_that_is_about_it(store: CallStore):
    await keep(store, a_call())
    async with store._database.transaction() as other:
        await other.run("try_lock_sweep")
        assert await store.erase_before(NOON + timedelta(days=1), limit=1) is None


async def test_a_call_whose_end_nobody_saw_ends_with_the_last_that_is_known_of_it(store: CallStore):
    await keep(
        store,
        a_call("lost", **RUNNING),
        a_call("runs", **RUNNING),
        a_call("young", minute=9, **RUNNING),
        turns=(a_turn("lost", number=30),),
    )
    assert await store.close_lost(before=NOON + timedelta(minutes=5), running=["runs"]) == 1
    call = await store.get("lost")
    assert call is not None
    assert (call["end_reason"], call["ended_at"]) == ("lost", NOON + timedelta(seconds=30.5))
    ends = {row["id"]: row["end_reason"] for row in await store.newest(limit=9)}
    assert ends == {"lost": "lost", "runs": None, "young": None}


async def test_a_call_that_was_thought_lost_goes_on(store: CallStore):
    await keep(store, a_call(**RUNNING))
    await store.close_lost(before=NOON + timedelta(days=1), running=[])
    await store.write(begun=(), calls=[a_call(turns=7, **RUNNING)], turns=[])
    call = await store.get("a")
    assert call is not None
    assert (call["ended_at"], call["end_reason"], call["turns"]) == (None, None, 7)


async def test_messages_are_listed_newest_first_each_once(store: CallStore):
    later = replace(a_message(number=2, text="Later."), left_at=NOON + timedelta(hours=1))
    for _ in range(2):
        await keep(store, a_call(), turns=(a_message(number=1), later))
    found = await store.messages(limit=5)
    assert [each["text"] for each in found if each["call_id"] == "a"] == ["Later.", "Please call me."]


async def test_a_message_goes_with_its_call_and_does_not_come_back(store: CallStore):
    await keep(store, a_call(), turns=(a_message(number=1),))
    await store.erase(["a"])
    await store.write(begun=[], calls=[], turns=[a_message(number=1)])
    assert [each for each in await store.messages(limit=5) if each["call_id"] == "a"] == []
