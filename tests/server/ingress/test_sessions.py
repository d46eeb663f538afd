"""A session's life, with bots that do what the test says and a real Redis."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest
from redis.asyncio import Redis

from bot.settings import BotSettings, Limits, Retrieval
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress import admission
from server.ingress.admission import HostMeter
from server.ingress.casting import Casting
from server.ingress.launcher import BotGoneError, BotRefusedError, LauncherError
from server.ingress.lines import Lines
from server.ingress.live import LiveSession
from server.ingress.mirror import Mirror
from server.ingress.observer import CallObserver
from server.ingress.registry import Details, Registry, SessionRecord
from server.ingress.schemas import Candidates, CreatedSession, CreateSession, Offer, RequestData
from server.ingress.scripted import ScriptedBot, ScriptedLauncher
from server.ingress.sessions import Sessions

pytestmark = pytest.mark.integration

FIRST = Offer(sdp="v=0")
ANSWER = {"sdp": "v=0", "type": "answer", "pc_id": "pc-1"}
AGAIN = ANSWER | {"pc_id": "pc-2"}
ANSWERED = {"type": "answered", "pc_id": "pc-1"}
CONNECTED = {"type": "connected", "at": 1_900_000_000.0, "at_mono": 0.0}
TURN = {"type": "turn", "number": 1, "latency_secs": 0.5}
ASKED = {"role": "user", "content": "Do you rent tandems?"}
TOLD = {"type": "story", "keep": 0, "add": [ASKED]}


SETTINGS = BotSettings(
    limits=Limits(max_duration_secs=100), retrieval=Retrieval(socket=Path("/nowhere")), speech_socket=Path("/nowhere")
)


class House:
    """A server's sessions, and what they stand on."""

    def __init__(
        self,
        redis: Redis,
        *bots: ScriptedBot | LauncherError,
        max_sessions: int = 4,
        observers: Sequence[CallObserver] = (),
        **others: ScriptedBot,
    ):
        self.launcher = ScriptedLauncher(*bots, others=others)
        self.registry = Registry(redis=redis)
        self.mirror = Mirror(registry=self.registry)
        limits = admission.Limits(max_sessions=max_sessions, max_cpu_percent=100, bot_memory_mb=0)
        self.sessions = Sessions(
            server_id="s1",
            launcher=self.launcher,
            registry=self.registry,
            mirror=self.mirror,
            lines=Lines(meter=HostMeter(), mirror=self.mirror, waiting=None, limits=limits),
            tokens=SessionTokens(key=b"k" * 32, max_age_secs=60),
            casting=Casting(SETTINGS, {"default": SETTINGS.persona}),
            public_url="http://127.0.0.1:7860",
            observers=observers,
        )

    async def create(self, channel: Literal["webrtc", "websocket"] = "webrtc") -> CreatedSession:
        created = await self.sessions.create(CreateSession(channel=channel))
        assert isinstance(created, CreatedSession)
        return created

    async def connected(self, bot: ScriptedBot) -> str:
        """A call that is on, by its id."""
        created = await self.create()
        bot.happens(ANSWERED, CONNECTED)
        await until(lambda: self.state(created.id) == "connected")
        return created.id

    def state(self, session_id: str) -> str | None:
        return next((s.state for s in self.sessions.live if s.id == session_id), None)

    async def offer(self, session_id: str, offer: Offer, *, fresh: bool = True) -> str:
        return (await self.sessions.offer(session_id, offer, token_is_fresh=fresh)).pc_id

    async def refused(self, session_id: str, offer: Offer, *, fresh: bool = True) -> int:
        with pytest.raises(Problem) as problem:
            await self.offer(session_id, offer, fresh=fresh)
        return problem.value.status


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def offering(bot_id: str, *answers: Any) -> ScriptedBot:
    return ScriptedBot(bot_id, *(("POST", "/connect", answer) for answer in answers))


async def test_a_new_session_has_a_link_that_holds_its_token(redis: Redis):
    created = await House(redis, ScriptedBot("a")).create()
    assert created.call_link == f"http://127.0.0.1:7860/call/{created.token}"


async def test_a_persona_that_there_is_not_is_refused_before_a_bot_is_taken(redis: Redis):
    house = House(redis)
    with pytest.raises(Problem):
        await house.sessions.create(CreateSession(persona="pirate"))
    assert house.launcher.tasks == []


async def test_an_offer_is_answered_by_the_sessions_bot(redis: Redis):
    bot = offering("a", ANSWER)
    house = House(redis, bot)
    assert await house.offer((await house.create()).id, FIRST) == "pc-1"
    bot.assert_done()


async def test_a_link_that_is_too_old_joins_nobody(redis: Redis):
    house = House(redis, ScriptedBot("a"))
    assert await house.refused((await house.create()).id, FIRST, fresh=False) == 410


@pytest.mark.parametrize(
    "offer", [FIRST, Offer(sdp="v=0", pc_id="other"), Offer(sdp="v=0", pc_id="x", restart_pc=True)]
)
async def test_somebody_else_is_told_that_the_call_is_taken(redis: Redis, offer: Offer):
    bot = ScriptedBot("a")
    house = House(redis, bot)
    assert await house.refused(await house.connected(bot), offer) == 409


@pytest.mark.parametrize(
    ("offer", "asked"),
    [
        (Offer(sdp="v=0", pc_id="pc-1"), {"pc_id": "pc-1"}),
        (Offer(sdp="v=0", pc_id="pc-1", restart_pc=True), {"anew": True}),
        (Offer(sdp="v=0", requestData=RequestData(replaces="pc-1")), {"anew": True}),
        (Offer(sdp="v=0", pc_id="pc-1", requestData=RequestData(replaces="pc-0")), {"pc_id": "pc-1"}),
    ],
    ids=["renegotiates", "restarts", "replaces", "renegotiates-a-replacement"],
)
async def test_the_caller_may_join_again_however_old_the_link_is(redis: Redis, offer: Offer, asked: dict[str, Any]):
    bot = offering("a", AGAIN)
    house = House(redis, bot)
    await house.offer(await house.connected(bot), offer, fresh=False)
    assert asked.items() <= bot.asked[0].items()


async def test_an_offer_that_is_none_leaves_the_session_as_it_was(redis: Redis):
    house = House(redis, offering("a", BotRefusedError(422, "no audio"), ANSWER))
    session_id = (await house.create()).id
    assert await house.refused(session_id, FIRST) == 422
    assert await house.offer(session_id, FIRST) == "pc-1"


async def test_the_caller_after_the_last_line_is_told_when_to_try_again(redis: Redis):
    house = House(redis, ScriptedBot("a"), max_sessions=1)
    await house.create()
    with pytest.raises(Problem) as problem:
        await house.create()
    assert (problem.value.status, problem.value.retry_after_secs) == (503, 15)


async def test_a_host_that_cannot_start_a_bot_refuses_and_goes_on(redis: Redis):
    house = House(redis, LauncherError("it did not start"), ScriptedBot("a"))
    with pytest.raises(Problem) as problem:
        await house.create()
    assert problem.value.status == 503
    assert (await house.create()).id


async def test_a_hang_up_frees_the_line(redis: Redis):
    bot = ScriptedBot("a")
    house = House(redis, bot)
    session_id = await house.connected(bot)
    bot.happens(TURN, TURN | {"number": 2}, {"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    state = await house.sessions.state(session_id)
    assert (state.state, state.end_reason, state.turns, bot.stopped) == ("ended", "hang_up", 2, True)


class Observer:
    """Keeps who called, as it is told with each end."""

    def __init__(self) -> None:
        self.callers: list[str | None] = []

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        pass

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        self.callers.append(record.details.caller)


async def test_who_called_is_known_to_observers_at_the_end_and_to_nobody_after_it(redis: Redis):
    observer, bot = Observer(), ScriptedBot("a")
    house = House(redis, bot, observers=(observer,))
    created = await house.sessions.create(CreateSession(caller="Ada", metadata={"shop": "north"}))
    assert isinstance(created, CreatedSession)
    bot.happens({"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    await house.mirror.flush()
    record = await house.registry.read(created.id)
    assert record is not None
    assert (observer.callers, record.details, house.sessions._ended[created.id]) == (["Ada"], Details(), record)


async def test_a_call_that_is_forgotten_is_not_known(redis: Redis):
    bot = ScriptedBot("a")
    house = House(redis, bot)
    session_id = await house.connected(bot)
    bot.happens({"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    house.sessions.forget([session_id, "never"])
    with pytest.raises(Problem) as problem:
        await house.sessions.state(session_id)
    assert problem.value.status == 404


@pytest.mark.parametrize("offer", [FIRST, Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)], ids=["first", "again"])
async def test_an_offer_after_the_end_is_told_that_the_call_is_over(redis: Redis, offer: Offer):
    bot = ScriptedBot("a")
    house = House(redis, bot)
    session_id = await house.connected(bot)
    bot.happens({"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    assert await house.refused(session_id, offer) == 410


async def test_candidates_after_the_end_are_told_that_the_call_is_over(redis: Redis):
    bot = ScriptedBot("a")
    house = House(redis, bot)
    session_id = await house.connected(bot)
    bot.happens({"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    with pytest.raises(Problem) as problem:
        await house.sessions.candidates(session_id, Candidates(pc_id="pc-1", candidates=[]))
    assert problem.value.status == 410


async def test_a_session_that_never_was_is_not_found(redis: Redis):
    assert await House(redis).refused("unknown", FIRST) == 404


async def test_a_bot_that_dies_is_followed_by_one_that_knows_the_story(redis: Redis):
    doomed, next_one, other = ScriptedBot("a"), offering("b", AGAIN), ScriptedBot("c")
    house = House(redis, doomed, other, next_one)
    session_id = await house.connected(doomed)
    await house.create()
    doomed.happens(TOLD, TURN)
    doomed.dies()
    await until(lambda: house.state(session_id) == "reconnecting")
    task = house.launcher.tasks[-1]
    assert (task.session_id, task.story, task.call["bots"], task.call["turns"]) == (session_id, [ASKED], 2, 1)
    assert await house.offer(session_id, Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)) == "pc-2"
    assert other.killed is False


async def test_a_call_that_goes_on_keeps_its_longest_duration(redis: Redis):
    doomed, next_one = ScriptedBot("a"), ScriptedBot("b")
    house = House(redis, doomed, next_one)
    created = await house.create()
    doomed.happens(ANSWERED, CONNECTED | {"at_mono": time.monotonic() - 60})
    doomed.dies()
    await until(lambda: house.state(created.id) == "reconnecting")
    assert 30 < house.launcher.tasks[-1].settings.limits.max_duration_secs < 41


async def test_a_clock_that_was_set_does_not_shorten_a_call_that_goes_on(redis: Redis):
    doomed, next_one = ScriptedBot("a"), ScriptedBot("b")
    house = House(redis, doomed, next_one)
    created = await house.create()
    # Half a century ago by the clock, just now by the one that nobody sets.
    doomed.happens(ANSWERED, CONNECTED | {"at": 0.0, "at_mono": time.monotonic()})
    doomed.dies()
    await until(lambda: house.state(created.id) == "reconnecting")
    assert house.launcher.tasks[-1].settings.limits.max_duration_secs > 90


async def test_a_caller_who_was_not_on_yet_is_greeted_by_the_next_bot(redis: Redis):
    doomed, next_one = ScriptedBot("a"), offering("b", ANSWER)
    house = House(redis, doomed, next_one)
    session_id = (await house.create()).id
    doomed.dies()
    await until(lambda: len(house.launcher.tasks) == 2 and house.sessions.live[0].has_bot.is_set())
    assert (house.launcher.tasks[-1].story, house.state(session_id)) == (None, "created")
    assert await house.offer(session_id, FIRST) == "pc-1"


async def test_a_bot_found_dead_by_an_offer_is_replaced_and_the_next_one_answers(redis: Redis):
    doomed, next_one = offering("a", BotGoneError("no answer")), offering("b", ANSWER)
    house = House(redis, doomed, next_one)
    assert await house.offer((await house.create()).id, FIRST) == "pc-1"
    assert doomed.killed


async def test_bots_that_die_one_after_another_end_the_call(redis: Redis):
    bots = [ScriptedBot(str(n)) for n in range(10)]
    house = House(redis, *bots)
    session_id = await house.connected(bots[0])
    for bot in bots:
        bot.dies()
    await until(lambda: not house.sessions.live)
    assert (await house.sessions.state(session_id)).end_reason == "bot_died"
    assert len(house.launcher.tasks) < len(bots)


async def test_a_call_for_which_no_other_bot_is_had_ends(redis: Redis):
    doomed = ScriptedBot("a")
    house = House(redis, doomed, LauncherError("no memory"))
    session_id = await house.connected(doomed)
    doomed.dies()
    await until(lambda: not house.sessions.live)
    assert (await house.sessions.state(session_id)).end_reason == "bot_died"


async def test_a_caller_who_hangs_up_on_a_dead_bot_has_hung_up(redis: Redis):
    doomed = ScriptedBot("a")
    house = House(redis, doomed)
    session_id = await house.connected(doomed)
    doomed.alive = False
    await house.sessions.end(session_id, reason="hang_up")
    doomed.dies()
    await until(lambda: not house.sessions.live)
    assert (await house.sessions.state(session_id)).end_reason == "hang_up"


async def test_late_candidates_reach_the_bot(redis: Redis):
    bot = ScriptedBot("a", ("PATCH", "/connect", {}))
    house = House(redis, bot)
    await house.sessions.candidates((await house.create()).id, Candidates(pc_id="pc-1", candidates=[]))
    bot.assert_done()


async def test_a_call_of_another_server_is_reached_through_its_bot(redis: Redis):
    theirs = ScriptedBot("a", ("POST", "/connect", AGAIN), ("POST", "/end", {}))
    first = House(redis, theirs)
    session_id = await first.connected(theirs)
    await first.mirror.flush()
    second = House(redis, a=theirs)
    assert await second.offer(session_id, Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)) == "pc-2"
    await second.sessions.end(session_id, reason="operator")
    assert theirs.detached == 2
    theirs.assert_done()


async def test_a_call_of_another_server_whose_bot_is_lost_is_asked_for_again(redis: Redis):
    theirs = ScriptedBot("a")
    first = House(redis, theirs)
    session_id = await first.connected(theirs)
    await first.mirror.flush()
    assert await House(redis).refused(session_id, Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)) == 503


async def test_a_draining_server_takes_no_calls_and_lets_those_that_run_go_on(redis: Redis):
    bot = offering("a", AGAIN)
    house = House(redis, bot, ScriptedBot("b"))
    session_id = await house.connected(bot)
    house.sessions.drain()
    with pytest.raises(Problem) as problem:
        await house.create()
    assert (problem.value.status, house.state(session_id)) == (503, "connected")
    assert await house.offer(session_id, Offer(sdp="v=0", pc_id="pc-1", restart_pc=True)) == "pc-2"


async def test_closing_ends_every_call(redis: Redis):
    bots = [ScriptedBot(name, ("POST", "/end", {})) for name in "ab"]
    house = House(redis, *bots)
    await house.create()
    await house.create()
    await house.sessions.close()
    assert (house.sessions.live, [bot.stopped for bot in bots]) == ((), [True, True])


async def test_a_closing_server_takes_no_more_calls(redis: Redis):
    house = House(redis, ScriptedBot("a"))
    await house.sessions.close()
    with pytest.raises(Problem) as problem:
        await house.create()
    assert problem.value.status == 503


async def test_without_redis_calls_begin_and_end(redis: Redis):
    gone = Redis.from_url("redis://127.0.0.1:1")
    bot = offering("a", ANSWER)
    house = House(gone, bot)
    session_id = (await house.create()).id
    assert await house.offer(session_id, FIRST) == "pc-1"
    bot.happens(CONNECTED, {"type": "ended", "reason": "hang_up"}, None)
    await until(lambda: not house.sessions.live)
    assert (await house.sessions.state(session_id)).end_reason == "hang_up"
    await gone.aclose()
