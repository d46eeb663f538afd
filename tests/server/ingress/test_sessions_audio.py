"""How programs are joined to their calls, with bots that do what the test says and a real Redis."""

from typing import Any

import pytest
from redis.asyncio import Redis

from bot.wire import SampleRate
from server.errors import Problem
from server.ingress.joining import by_websocket
from server.ingress.launcher import BotGoneError, BotRefusedError, Closed
from server.ingress.scripted import ScriptedAudioLine, ScriptedBot
from tests.server.ingress.test_sessions import House

pytestmark = pytest.mark.integration

PROGRAM = "websocket"


async def test_a_programs_session_has_an_address_for_its_sound_instead(redis: Redis):
    created = await House(redis, ScriptedBot("a")).create(PROGRAM)
    assert created.call_link is None
    assert created.audio_url == "ws://127.0.0.1:7860/api/ingress/audio/ingest"


def heard_by(line: ScriptedAudioLine) -> tuple[Any, ...]:
    return ("POST", "/connect", {"pc_id": "ws-1"}), ("GET", "/audio", {"line": line})


async def said_by(house: House, session_id: str, connection: str | None = None) -> bytes | str | Closed:
    """What the bot says first to a program that joins so."""
    joining = by_websocket(codec="pcm", sample_rate=SampleRate.WIDEBAND, connection=connection)
    async with house.sessions.audio(session_id, joining, token_is_fresh=connection is None) as line:
        return await line.receive()


async def test_a_program_is_joined_to_the_sessions_bot_and_may_come_back(redis: Redis):
    bot = ScriptedBot("a", *heard_by(ScriptedAudioLine("hello")), *heard_by(ScriptedAudioLine("again")))
    house = House(redis, bot)
    session_id = (await house.create(PROGRAM)).id
    assert await said_by(house, session_id) == "hello"
    assert await said_by(house, session_id, "ws-1") == "again"
    assert [asked.get("anew") for asked in bot.asked if "channel" in asked] == [None, True]
    bot.assert_done()


async def test_a_program_without_the_connections_name_is_told_that_the_call_is_taken(redis: Redis):
    house = House(redis, ScriptedBot("a", *heard_by(ScriptedAudioLine("hello"))))
    session_id = (await house.create(PROGRAM)).id
    await said_by(house, session_id)
    with pytest.raises(Problem) as problem:
        await said_by(house, session_id)
    assert problem.value.status == 409


async def test_a_program_is_joined_to_a_call_of_another_server_through_its_bot(redis: Redis):
    theirs = ScriptedBot("a", *heard_by(ScriptedAudioLine("hello")))
    first = House(redis, theirs)
    session_id = (await first.create(PROGRAM)).id
    await first.mirror.flush()
    assert await said_by(House(redis, a=theirs), session_id) == "hello"
    assert theirs.detached == 2
    theirs.assert_done()


@pytest.mark.parametrize(("error", "status"), [(BotRefusedError(422, "no"), 422), (BotGoneError("dead"), 503)])
async def test_a_bot_that_does_not_take_the_websocket_is_told_as_a_problem(redis: Redis, error: Exception, status: int):
    house = House(redis, ScriptedBot("a", ("POST", "/connect", {"pc_id": "ws-1"}), ("GET", "/audio", error)))
    session_id = (await house.create(PROGRAM)).id
    with pytest.raises(Problem) as problem:
        await said_by(house, session_id)
    assert problem.value.status == status
