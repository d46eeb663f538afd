"""One scenario held with a running Jarvis by Pipecat's own eval session, and all that was to be observed of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

import aiohttp
import soundfile
from pipecat.evals.results import (
    EvalAssertionFailure,
    EvalScriptResult,
    EvalScriptTurnProgress,
    EvalScriptTurnResult,
)
from pipecat.evals.script import EvalScriptScenario, EvalScriptTurn
from pipecat.evals.script_driver import EvalScriptDriver
from pipecat.evals.script_session import EvalScriptSession
from pipecat.evals.session import EvalSessionParams

from bot.change import Change
from evals.caller.audio import RATE_HZ, stereo
from evals.caller.errors import CallError
from evals.caller.ingress import Ingress, Session
from evals.caller.recording import Recording
from evals.judged.judge import Judge
from evals.scenarios.overhearing import Message, Overheard
from evals.scenarios.utterances import Mouth

READY_SECS = 20.0
EXPECT_SECS = 20.0
NO_CHANGES: Mapping[int, Change] = MappingProxyType({})
_NO_VERDICT = EvalAssertionFailure(
    -1, -1, "<judge>", "the judge gave no verdict that could be used: name another model", "judge_no_verdict"
)


# A turn, from 0, and the id of the call.
BeforeTurn = Callable[[int, str], Awaitable[None]]


@dataclass(frozen=True)
class Held:
    """A conversation that was held, or could not be.

    `result` is Pipecat's. `messages` are all of the bot's RTVI messages but its sound, among them `server-message`s of
    `data.type` `passages`, `citation`, `notice`, `call_ended` and `report` (`docs/evals.md`). `began_ms` says when the
    input of each turn was sent, or, where a turn has none, when its wait began; None for turns that were not reached.
    Where sound was asked for, `recording` has both sides. Everything counts from one moment, at which the session was
    made.
    """

    result: EvalScriptResult
    session_id: str | None = None
    messages: tuple[Message, ...] = ()
    began_ms: tuple[float | None, ...] = ()
    recording: Recording | None = None
    audio: Path | None = None

    def during(self, turn: int) -> tuple[Message, ...]:
        """The bot's messages from the beginning of a turn, from 0, to that of the next; none where it was not reached.

        The first turn has those before it as well: the bot may have greeted before the harness waited for it.
        """
        begin = self.began_ms[turn]
        if begin is None:
            return ()
        nexts = [at for at in self.began_ms[turn + 1 :] if at is not None]
        start, end = 0.0 if turn == 0 else begin, nexts[0] if nexts else float("inf")
        return tuple(each for each in self.messages if start <= each.at_ms < end)

    def told(self, kind: str, turn: int | None = None) -> tuple[Mapping[str, Any], ...]:
        """The `server-message`s of a `data.type`, in a turn or altogether."""
        among = self.messages if turn is None else self.during(turn)
        return tuple(e.data for e in among if e.type == "server-message" and e.data.get("type") == kind)


class Joined(Protocol):
    """A harness' place in a call: `url` is where it is joined, `mouth` what says what it plays cues for."""

    url: str
    mouth: Mouth | None

    async def connect(self) -> None:
        """Gets the call onto its line; raises `CallError` where that fails."""
        ...

    def recordings(self, overheard: Overheard) -> tuple[Recording, Recording]:
        """Both sides on the clock of the messages: as the caller spoke and heard, and as they were sent. Blocks."""
        ...


class Way(Protocol):
    """How a harness gets into a call; `channel` is the call's."""

    channel: str

    def join(self, ingress: Ingress, call: Session) -> AbstractAsyncContextManager[Joined]:
        """Its place in the call."""
        ...


class EvalChannel:
    """Pipecat's own way; a `mouth` says what is played."""

    channel = "eval"

    def __init__(self, mouth: Mouth | None = None) -> None:
        self._mouth = mouth

    @asynccontextmanager
    async def join(self, ingress: Ingress, call: Session) -> AsyncIterator[Joined]:
        assert call.eval_url is not None
        yield _OnEvalChannel(call.eval_url, self._mouth)


@dataclass
class _OnEvalChannel:
    url: str
    mouth: Mouth | None

    async def connect(self) -> None:
        """The harness does."""

    def recordings(self, overheard: Overheard) -> tuple[Recording, Recording]:
        return overheard.recording(), overheard.recording(as_sent=True)


async def hold(
    scenario: EvalScriptScenario,
    *,
    base_url: str,
    key: str,
    audio: Path | None = None,
    judge: Judge | None = None,
    wanted: Mapping[str, Any] | None = None,
    expect_secs: float = EXPECT_SECS,
    on_turn: Callable[[int], None] = lambda _: None,
    changes: Mapping[int, Change] = NO_CHANGES,
    before_turn: BeforeTurn | None = None,
    way: Way | None = None,
) -> Held:
    """Holds a scenario with the Jarvis at `base_url`; `key` has the scope admin.

    `audio` is where both sides of a scenario with sound are written as WAV, the caller left. Without `judge`, no
    `eval:` is asked, and its expectation is met by what else it names; a judge without a verdict that could be used is
    a failure of the kind `judge_no_verdict`. `wanted` goes into the session's creation
    (`collection`, `metadata`); `expect_secs` is how long an expectation waits that names no time. `on_turn` is told
    each turn, from 0, as it begins; `changes` are what the operator changes of the call before anything of a turn is
    sent, of the kind `change_failed` where that fails, and `before_turn` is awaited then. `way` is Pipecat's own where
    none is named. A call that can't be had is a result with a failure of the kind `connect_failed`.
    """
    way = way or EvalChannel()
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=base_url, http=http, key=key)
        try:
            call = await ingress.create({**(wanted or {}), "channel": way.channel})
        except CallError as error:
            return Held(_unheld(scenario, str(error)), began_ms=(None,) * len(scenario.turns))
        try:
            asked = scenario if judge else unjudged(scenario)
            async with way.join(ingress, call) as joined:
                return await _hold(
                    asked, call, joined, judge=judge, audio=audio, expect_secs=expect_secs, on_turn=on_turn,
                    change=partial(_changed, ingress, call, changes), before_turn=before_turn,
                )  # fmt: skip
        except CallError as error:
            return Held(_unheld(scenario, str(error)), call.id, began_ms=(None,) * len(scenario.turns))
        finally:
            await ingress.hang_up(call)


def unjudged(scenario: EvalScriptScenario) -> EvalScriptScenario:
    """The scenario without what only a model could judge."""
    turns = [replace(turn, expect=[replace(each, eval=None) for each in turn.expect]) for turn in scenario.turns]
    return replace(scenario, turns=turns)


async def _hold(
    scenario: EvalScriptScenario,
    call: Session,
    joined: Joined,
    *,
    judge: Judge | None,
    audio: Path | None,
    expect_secs: float,
    on_turn: Callable[[int], None],
    change: Callable[[int], Awaitable[EvalAssertionFailure | None]],
    before_turn: BeforeTurn | None,
) -> Held:
    audio = audio if scenario.bot_audio else None
    params = EvalSessionParams(
        bot_ready_timeout_s=READY_SECS,
        default_timeout_ms=round(expect_secs * 1000),
        record_path=None if audio is None else str(audio),
    )
    session = EvalScriptSession.from_scenario(scenario, joined.url, params=params, judge=judge)
    overheard = Overheard(session, mouth=joined.mouth)
    began_ms: list[float | None] = [None] * len(scenario.turns)
    also: list[EvalAssertionFailure] = []

    @session.event_handler("on_progress")
    async def on_progress(_session: object, progress: EvalScriptTurnProgress) -> None:
        if progress.status == "turn":
            on_turn(progress.turn_index)
            began_ms[progress.turn_index] = round(overheard.elapsed_secs() * 1000, 3)

    async def before(turn: int) -> None:
        if failure := await change(turn):
            also.append(failure)
        if before_turn is not None:
            await before_turn(turn, call.id)

    _before_turns(session, before)
    await joined.connect()
    result = without_secret(await session.run(), call.token)
    if judge is not None and judge.gave_up:
        also.append(_NO_VERDICT)
    if also:
        result = replace(result, passed=False, failures=[*result.failures, *also])
    recording = None if audio is None else await asyncio.to_thread(_written, joined, overheard, audio)
    return Held(result, call.id, tuple(overheard.messages), tuple(began_ms), recording, audio)


async def _changed(
    ingress: Ingress, call: Session, changes: Mapping[int, Change], turn: int
) -> EvalAssertionFailure | None:
    """Changes what is to be changed as a turn begins; why it could not be."""
    try:
        if turn in changes:
            await ingress.change(call, changes[turn].model_dump(exclude_none=True))
    except CallError as error:
        return EvalAssertionFailure(turn, -1, "x_change", str(error), "change_failed")
    return None


def _before_turns(session: EvalScriptSession, before: Callable[[int], Awaitable[None]]) -> None:
    """Pipecat tells of a turn once its words are sent, which is too late for what they must meet."""
    driver = session._driver
    assert isinstance(driver, EvalScriptDriver)
    run_turn = driver._run_turn

    async def after_that(turn: EvalScriptTurn, turn_idx: int) -> list[EvalAssertionFailure]:
        await before(turn_idx)
        return await run_turn(turn, turn_idx)

    driver._run_turn = after_that


def _written(joined: Joined, overheard: Overheard, audio: Path) -> Recording:
    """Both sides, in the place of Pipecat's recording, which mixes them into one. Blocks."""
    recording, sent = joined.recordings(overheard)
    soundfile.write(audio, stereo(sent.caller, sent.bot), RATE_HZ, subtype="PCM_16", format="WAV")
    return recording


def without_secret(result: EvalScriptResult, secret: str) -> EvalScriptResult:
    """The result without the token, which Pipecat writes down with the address."""
    return replace(
        result,
        debug_log=[line.replace(secret, "…") for line in result.debug_log],
        failures=[replace(each, reason=each.reason.replace(secret, "…")) for each in result.failures],
    )


def _unheld(scenario: EvalScriptScenario, reason: str) -> EvalScriptResult:
    return EvalScriptResult(
        scenario_name=scenario.name,
        passed=False,
        failures=[EvalAssertionFailure(-1, -1, "<connect>", reason, "connect_failed")],
        turns=[EvalScriptTurnResult(turn_index=number) for number in range(len(scenario.turns))],
    )
