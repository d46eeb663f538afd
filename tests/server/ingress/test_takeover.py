"""Calls that lost their server: who goes on with them."""

from typing import Any

import pytest
from redis.asyncio import Redis

from server.ingress.launcher import BotRefusedError, Stray
from server.ingress.registry import SessionRecord
from server.ingress.schemas import Offer
from server.ingress.scripted import ScriptedBot
from server.ingress.takeover import Takeover
from tests.server.ingress.test_sessions import ANSWERED, CONNECTED, TOLD, House, until

pytestmark = pytest.mark.integration

CALL: dict[str, Any] = {
    "details": {"channel": "webrtc", "caller": "customer-77"},
    "created_at": "2030-01-02T00:00:00+00:00",
    "connected_at": None,
    "connected_mono": None,
    "turns": 0,
    "bots": 1,
    "pc_ids": [],
    "cost_usd": "0",
    "priced": True,
}
STORY = [{"role": "user", "content": "Do you rent tandems?"}]


def takeover(house: House) -> Takeover:
    return Takeover(launcher=house.launcher, registry=house.registry, sessions=house.sessions)


def lost_call(**changes: Any) -> SessionRecord:
    """A call whose server and bot are gone, as the registry keeps it."""
    fields = CALL | {"connected_at": CALL["created_at"], "pc_ids": ["pc-1"], "turns": 3}
    return SessionRecord.model_validate(
        {"id": "a", "state": "connected", "server": "gone", "bot": "b1", **fields, **changes}
    )


async def test_a_call_whose_server_died_goes_on_here_with_its_bot(redis: Redis):
    bot = ScriptedBot("b1")
    house = House(redis)
    house.launcher._found = [Stray(bot, "a", CALL)]
    await takeover(house).sweep()
    bot.happens(ANSWERED, CONNECTED, TOLD)
    await until(lambda: house.state("a") == "connected")
    assert (house.sessions.live[0].story, bot.killed) == (STORY, False)


async def test_a_call_that_another_server_was_quicker_to_take_over_is_left_to_it(redis: Redis):
    bot = ScriptedBot("b1")
    house = House(redis)
    house.launcher._found = [Stray(bot, "a", CALL)]
    await takeover(house).sweep()
    bot.happens(BotRefusedError(409, "another server listens"))
    await until(lambda: house.sessions.live == ())
    assert (bot.killed, bot.stopped, bot.detached) == (False, False, 1)


async def test_a_bot_that_was_replaced_while_it_was_thought_dead_is_ended(redis: Redis):
    bot, old = ScriptedBot("b1"), ScriptedBot("b0")
    house = House(redis, bot)
    session_id = await house.connected(bot)
    house.launcher._found = [Stray(old, session_id, CALL)]
    await takeover(house).sweep()
    assert (old.killed, bot.killed) == (True, False)


async def test_a_call_that_began_while_bots_were_asked_stays_as_it_is(redis: Redis, monkeypatch: pytest.MonkeyPatch):
    bot, asked = ScriptedBot("b1"), ScriptedBot("b1")
    house = House(redis, bot)

    async def strays(*, known: frozenset[str]) -> list[Stray]:
        assert known == frozenset()
        return [Stray(asked, await house.connected(bot), CALL)]

    monkeypatch.setattr(house.launcher, "strays", strays)
    await takeover(house).sweep()
    (session,) = house.sessions.live
    assert session.bot is bot
    assert (asked.killed, asked.detached) == (False, 1)


async def test_a_call_that_lost_its_server_and_its_bot_gets_another_that_knows_the_story(redis: Redis):
    bot = ScriptedBot("b2", ("POST", "/connect", {"sdp": "v=0", "type": "answer", "pc_id": "pc-2"}))
    house = House(redis, bot)
    await house.registry.save([lost_call()])
    await house.registry.tell("a", STORY)
    await takeover(house).sweep()
    task = house.launcher.tasks[0]
    assert (task.session_id, task.story, task.call["bots"], task.call["turns"]) == ("a", STORY, 2, 3)
    assert house.state("a") == "reconnecting"
    assert await house.offer("a", Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)) == "pc-2"


async def test_two_servers_revive_a_call_once(redis: Redis):
    first, second = House(redis, ScriptedBot("b2")), House(redis)
    await first.registry.save([lost_call()])
    for house in (first, second):
        house.sessions.server_id = f"server of {id(house)}"
        await takeover(house).sweep()
    assert [len(house.sessions.live) for house in (first, second)] == [1, 0]


async def test_a_call_whose_bot_still_runs_is_not_revived(redis: Redis):
    house = House(redis, b1=ScriptedBot("b1"))
    await house.registry.save([lost_call()])
    await takeover(house).sweep()
    assert house.sessions.live == ()


async def test_a_link_that_nobody_had_followed_is_not_revived(redis: Redis):
    house = House(redis)
    await house.registry.save([lost_call(connected_at=None, state="created")])
    await takeover(house).sweep()
    assert house.sessions.live == ()


async def test_a_draining_server_leaves_lost_calls_to_others(redis: Redis):
    house = House(redis)
    house.launcher._found = [Stray(ScriptedBot("b1"), "a", CALL)]
    house.sessions.drain()
    await takeover(house).sweep()
    assert house.sessions.live == ()


async def test_without_redis_calls_are_still_found_by_their_bots():
    gone = Redis.from_url("redis://127.0.0.1:1")
    house = House(gone)
    house.launcher._found = [Stray(ScriptedBot("b1"), "a", CALL)]
    await takeover(house).sweep()
    assert house.state("a") == "created"
    await gone.aclose()
