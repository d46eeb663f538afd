"""A session's life, with bots that do what the test says and a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.settings import BotSettings, Retrieval
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.launcher import BotGoneError, BotRefusedError, LauncherError, OutOfMemoryError
from server.ingress.registry import Registry
from server.ingress.schemas import Offer
from server.ingress.scripted import ScriptedBot, ScriptedLauncher
from server.ingress.sessions import Sessions

pytestmark = pytest.mark.integration

OFFER = Offer(sdp="v=0")
ANSWER = {"sdp": "v=0", "type": "answer", "pc_id": "pc-1"}


@pytest.fixture
async def registry(redis_url: str) -> AsyncIterator[Registry]:
    redis = Redis.from_url(redis_url, decode_responses=True)
    yield Registry(redis=redis)
    await redis.aclose()


def sessions(
    registry: Registry, *bots: ScriptedBot | LauncherError, max_sessions: int = 2, max_age: int = 60
) -> Sessions:
    return Sessions(
        launcher=ScriptedLauncher(*bots),
        registry=registry,
        tokens=SessionTokens(key=b"k" * 32, max_age_secs=max_age),
        settings=BotSettings(retrieval=Retrieval(socket=Path("/nowhere")), speech_socket=Path("/nowhere")),
        public_url="http://127.0.0.1:7860",
        max_sessions=max_sessions,
    )


async def settled(service: Sessions, live: int) -> None:
    async with asyncio.timeout(2):
        while service.live != live:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_new_session_has_a_link_that_holds_its_token(registry: Registry):
    bot = ScriptedBot("a")
    created = await sessions(registry, bot).create()
    assert created.call_link == f"http://127.0.0.1:7860/call/{created.token}"


async def test_an_offer_is_answered_by_the_sessions_bot(registry: Registry):
    bot = ScriptedBot("a", ("POST", "/offer", ANSWER))
    service = sessions(registry, bot)
    created = await service.create()
    assert (await service.offer(created.id, OFFER)).pc_id == "pc-1"
    bot.assert_done()


async def test_a_second_caller_on_the_same_session_is_told_that_it_is_taken(registry: Registry):
    bot = ScriptedBot("a", ("POST", "/offer", BotRefusedError(409, "answered elsewhere")))
    service = sessions(registry, bot)
    created = await service.create()
    with pytest.raises(Problem) as problem:
        await service.offer(created.id, OFFER)
    assert problem.value.status == 409


async def test_an_offer_that_is_none_leaves_the_session_as_it_was(registry: Registry):
    bot = ScriptedBot("a", ("POST", "/offer", BotRefusedError(422, "no audio")))
    service = sessions(registry, bot)
    created = await service.create()
    with pytest.raises(Problem) as problem:
        await service.offer(created.id, OFFER)
    assert (problem.value.status, service.live) == (422, 1)


async def test_the_caller_after_the_last_line_is_told_when_to_try_again(registry: Registry):
    service = sessions(registry, ScriptedBot("a"), max_sessions=1)
    await service.create()
    with pytest.raises(Problem) as problem:
        await service.create()
    assert (problem.value.status, problem.value.retry_after_secs) == (503, 15)


@pytest.mark.parametrize("error", [OutOfMemoryError("12 MB are free"), LauncherError("it did not start")])
async def test_a_host_that_cannot_start_a_bot_refuses_and_goes_on(registry: Registry, error: LauncherError):
    service = sessions(registry, error, ScriptedBot("a"))
    with pytest.raises(Problem) as problem:
        await service.create()
    assert problem.value.status == 503
    assert (await service.create()).id


async def test_a_hang_up_frees_the_line(registry: Registry):
    bot = ScriptedBot("a")
    service = sessions(registry, bot)
    created = await service.create()
    bot.happens({"type": "connected"}, {"type": "ended", "reason": "hang_up"}, None)
    await settled(service, 0)
    state = await service.state(created.id)
    assert (state.state, state.end_reason, bot.stopped) == ("ended", "hang_up", True)


async def test_a_bot_that_dies_ends_its_session_and_no_other(registry: Registry):
    doomed, other = ScriptedBot("a"), ScriptedBot("b")
    service = sessions(registry, doomed, other)
    first, second = await service.create(), await service.create()
    doomed.happens(BotGoneError("silent"))
    await settled(service, 1)
    assert (await service.state(first.id)).end_reason == "bot_died"
    assert (await service.state(second.id)).state == "created"


async def test_answers_are_counted(registry: Registry):
    bot = ScriptedBot("a")
    service = sessions(registry, bot)
    created = await service.create()
    turn = {"type": "turn", "number": 1, "latency_secs": 0.5}
    bot.happens({"type": "connected"}, turn, turn | {"number": 2}, {"type": "ended", "reason": "idle"}, None)
    await settled(service, 0)
    assert (await service.state(created.id)).turns == 2


async def test_an_offer_after_the_end_is_told_that_the_call_is_over(registry: Registry):
    bot = ScriptedBot("a")
    service = sessions(registry, bot)
    created = await service.create()
    bot.happens({"type": "ended", "reason": "hang_up"}, None)
    await settled(service, 0)
    with pytest.raises(Problem) as problem:
        await service.offer(created.id, OFFER)
    assert problem.value.status == 410


async def test_an_offer_for_a_session_that_never_was_finds_nothing(registry: Registry):
    with pytest.raises(Problem) as problem:
        await sessions(registry).offer("unknown", OFFER)
    assert problem.value.status == 404


async def test_closing_ends_every_call(registry: Registry):
    bots = [ScriptedBot(name, ("POST", "/end", {})) for name in "ab"]
    service = sessions(registry, *bots)
    await service.create()
    await service.create()
    await service.close()
    assert (service.live, [bot.stopped for bot in bots]) == (0, [True, True])


async def test_a_closing_server_takes_no_more_calls(registry: Registry):
    service = sessions(registry, ScriptedBot("a"))
    await service.close()
    with pytest.raises(Problem) as problem:
        await service.create()
    assert problem.value.status == 503
