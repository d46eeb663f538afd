"""What is chosen for a call while it goes on, with bots that do what the test says and a real Redis."""

import pytest
from redis.asyncio import Redis

from bot.change import Change
from server.errors import Problem
from server.ingress.launcher import BotRefusedError
from server.ingress.scripted import ScriptedBot
from tests.server.ingress.test_sessions import House, until

pytestmark = pytest.mark.integration

WANTED = Change(llm="google")
TOLD = {"type": "changed", "change": {"llm": "google"}}


def changing(bot_id: str) -> ScriptedBot:
    return ScriptedBot(bot_id, ("PATCH", "/session", {}))


async def test_a_change_is_handed_to_the_calls_bot(redis: Redis):
    bot = changing("a")
    house = House(redis, bot)
    await house.sessions.change((await house.create()).id, WANTED)
    assert bot.asked == [{"llm": "google", "tts": {}}]


async def test_a_change_of_a_call_of_another_server_goes_through_its_bot(redis: Redis):
    bot = changing("a")
    first = House(redis, bot)
    session_id = (await first.create()).id
    await first.mirror.flush()
    await House(redis, a=bot).sessions.change(session_id, WANTED)
    bot.assert_done()


async def test_the_bot_in_the_place_of_a_dead_one_begins_with_what_was_chosen(redis: Redis):
    first, second = changing("a"), ScriptedBot("b")
    house = House(redis, first, second)
    session_id = await house.connected(first)
    await house.sessions.change(session_id, WANTED)
    first.happens(TOLD)
    first.dies()
    await until(lambda: len(house.launcher.tasks) == 2)
    assert [task.settings.chosen for task in house.launcher.tasks] == [Change(), WANTED]


async def test_what_the_bot_refuses_is_said(redis: Redis):
    house = House(redis, ScriptedBot("a", ("PATCH", "/session", BotRefusedError(422, "it has embedded."))))
    session_id = (await house.create()).id
    with pytest.raises(Problem) as problem:
        await house.sessions.change(session_id, WANTED)
    assert (problem.value.status, problem.value.detail) == (422, "it has embedded.")


async def test_a_call_that_nobody_knows_is_not_changed(redis: Redis):
    with pytest.raises(Problem) as problem:
        await House(redis).sessions.change("nobody", WANTED)
    assert problem.value.status == 404
