"""The call's script: hear the greeting out, ask, hear the answer out or speak over it, ask the next."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evals.caller.audio import RATE_HZ, Run, Samples, voiced_runs
from evals.caller.errors import CallError
from evals.caller.line import Line
from evals.caller.transcript import Transcript

POLL_SECS = 0.05
READY_TIMEOUT_SECS = 10.0
GREETING_TIMEOUT_SECS = 5.0
ANSWER_TIMEOUT_SECS = 20.0
# However long the bot goes on, it has had the floor by then.
LONGEST_ANSWER_SECS = 120.0
# Speaking takes as long as the speech; beyond this the microphone is stuck.
SPEAKING_GRACE_SECS = 10.0
# The bot has finished when it has been silent this long, reports no speech and is not generating any …
QUIET_SECS = 1.0
# … or, whatever it reports, this long.
SURELY_QUIET_SECS = 5.0
# How much of the bot's audio is looked at for whether it is speaking now.
EAR_SECS = 1.0


class Stage(StrEnum):
    """How far a call has come."""

    PREPARING = "preparing speech"
    CONNECTING = "connecting"
    GREETING = "hearing the greeting"
    ASKING = "asking"
    WAITING = "waiting for the answer"
    ANSWERING = "hearing the answer"
    INTERRUPTING = "speaking over the answer"
    HANGING_UP = "hanging up"


@dataclass(frozen=True)
class CallEvent:
    """A step of the call; `detail` is the question it is about, if it is about one."""

    stage: Stage
    detail: str = ""


@dataclass(frozen=True)
class Question:
    """What the caller says: how it is shown, and its samples at 48 kHz."""

    shown: str
    samples: Samples


OnEvent = Callable[[CallEvent], None]


class Conversation:
    """Holds one conversation over one connected line."""

    def __init__(self, *, line: Line, transcript: Transcript, barge_in_secs: float | None, on_event: OnEvent) -> None:
        """With `barge_in_secs`, each question but the first is spoken over the answer before it, after that long."""
        self._line = line
        self._transcript = transcript
        self._barge_in_secs = barge_in_secs
        self._on_event = on_event
        self._since = 0
        self._bot_began_secs: float | None = None
        self._bot_heard_secs = 0.0

    async def hold(self, questions: Sequence[Question]) -> list[Run]:
        """Where each question that was asked lies in the recording; fewer than the questions if the bot hung up."""
        self._on_event(CallEvent(Stage.GREETING))
        if not await self._until(lambda: self._transcript.bot_ready, READY_TIMEOUT_SECS):
            if self._transcript.ending is not None:
                raise CallError(
                    f"The call ended before the bot was ready: {self._transcript.ending.text} "
                    "Look for the session in the server's log."
                )
            raise CallError(
                f"Media connected, but the bot was not ready within {READY_TIMEOUT_SECS:.0f} s. "
                "Look for the session in the server's log."
            )
        if await self._until(self._bot_began, GREETING_TIMEOUT_SECS):
            await self._until(self._bot_finished, LONGEST_ANSWER_SECS)
        asked: list[Run] = []
        speaking_over = False
        for number, question in enumerate(questions, 1):
            if self._transcript.ending is not None:
                break
            self._on_event(CallEvent(Stage.INTERRUPTING if speaking_over else Stage.ASKING, question.shown))
            place = await self._ask(question)
            if place is None:
                break
            asked.append(place)
            speaking_over = await self._hear_answer(question, to_its_end=number == len(questions))
        return asked

    async def _ask(self, question: Question) -> Run | None:
        """Where the question lies in the recording; None if the bot hung up meanwhile."""
        self._transcript.begin_question()
        self._line.say(question.samples)
        await self._until(lambda: self._line.spoken is not None, question.samples.size / RATE_HZ + SPEAKING_GRACE_SECS)
        spoken = self._line.spoken
        if spoken is None:
            if self._transcript.hung_up:
                return None
            raise CallError(
                "The line stopped taking the caller's speech. This machine may be overloaded; try again when it is not."
            )
        self._transcript.finish_question()
        self._since = spoken.stop
        self._bot_began_secs = None
        return spoken

    async def _hear_answer(self, question: Question, *, to_its_end: bool) -> bool:
        """Whether the bot is still answering, long enough for the caller to barge in."""
        self._on_event(CallEvent(Stage.WAITING, question.shown))
        if not await self._until(self._bot_began, ANSWER_TIMEOUT_SECS):
            return False
        self._on_event(CallEvent(Stage.ANSWERING, question.shown))
        if self._barge_in_secs is None or to_its_end:
            await self._until(self._bot_finished, LONGEST_ANSWER_SECS)
            return False
        await self._until(lambda: self._has_spoken_long() or self._bot_finished(), LONGEST_ANSWER_SECS)
        return not self._bot_finished()

    async def _until(self, condition: Callable[[], bool], timeout_secs: float) -> bool:
        """Listen until the condition holds, the bot has hung up, or time is up; whether it holds."""
        deadline_secs = self._line.now_secs + timeout_secs
        while not condition():
            left_secs = deadline_secs - self._line.now_secs
            if left_secs <= 0 or self._transcript.hung_up:
                return False
            message = await self._line.next_message(min(POLL_SECS, left_secs))
            if message is not None:
                self._transcript.receive(message)
            self._hear()
        return True

    def _hear(self) -> None:
        now = int(self._line.now_secs * RATE_HZ)
        start = max(self._since, now - int(EAR_SECS * RATE_HZ))
        runs = voiced_runs(self._line.recording.bot[start:now])
        if runs:
            self._bot_heard_secs = (start + runs[-1].stop) / RATE_HZ
            if self._bot_began_secs is None:
                self._bot_began_secs = (start + runs[0].start) / RATE_HZ

    def _bot_began(self) -> bool:
        return self._bot_began_secs is not None

    def _has_spoken_long(self) -> bool:
        assert self._barge_in_secs is not None
        return self._bot_began_secs is not None and self._line.now_secs - self._bot_began_secs >= self._barge_in_secs

    def _bot_finished(self) -> bool:
        quiet_secs = self._line.now_secs - self._bot_heard_secs
        busy = self._transcript.bot_speaking or self._transcript.bot_thinking
        return quiet_secs >= (SURELY_QUIET_SECS if busy else QUIET_SECS)
