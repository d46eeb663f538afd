"""The language models of a call as one: where one fails, the next goes on with the same turn."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import (
    CancelFrame,
    EagerEndOfTurnCancelFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMConfigureOutputFrame,
    LLMContextFrame,
    LLMContextSummaryRequestFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    LLMUpdateSettingsFrame,
    ManuallySwitchServiceFrame,
    ServiceSwitcherFrame,
    ServiceUpdateSettingsFrame,
    StartFrame,
)
from pipecat.pipeline.llm_switcher import LLMSwitcher
from pipecat.pipeline.service_switcher import ServiceSwitcher, ServiceSwitcherStrategy
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory

from processors.failover.circuit import Failure, failure_of
from processors.failover.latency import SHORTEST_SECS, FirstTokens
from processors.failover.providers import Providers
from processors.failover.route import Kind, OneModel, TurnRoute
from processors.failover.routing import Attempt, Outlet, Routing
from processors.failover.seam import Seam, going_on, sentence_end
from processors.failover.turn import Turn
from processors.frames import CallingFrame, GuessedContextFrame

STALLED_SECS = 2.0
# Another one begins beside an answer that pauses so long; whoever goes on first has the turn.
PAUSED_SECS = 0.6
# Where nobody is left to take over, a slow answer is better than none.
LAST_SECS = 15.0
STOP_SECS = 0.2

# What the services themselves take; nothing else goes through them.
_FOR_SERVICES = (
    StartFrame,
    EndFrame,
    CancelFrame,
    InterruptionFrame,
    ServiceSwitcherFrame,
    ServiceUpdateSettingsFrame,
    LLMConfigureOutputFrame,
    LLMContextSummaryRequestFrame,
    EagerEndOfTurnCancelFrame,
)


@dataclass(frozen=True, slots=True)
class Member:
    """A language model under its provider's name.

    `notice` is what the caller is told, once in a call, when it is all that is left, `spared_notice` where that is
    because the others are spared. One that does not `follow` instructions is asked for a whole answer where another's
    was cut off. `models` are the settings of its model for each kind of turn, the one it begins with as `smart`; empty
    where it has one model only.
    """

    name: str
    service: LLMService[Any]
    notice: str = ""
    spared_notice: str = ""
    follows: bool = True
    models: Mapping[Kind, LLMSettings] = field(default_factory=dict[Kind, LLMSettings])

    def model(self, kind: Kind) -> Kind:
        """Which of its models has the turns of this kind."""
        return kind if kind in self.models else "smart"


class KeptLLM(LLMSwitcher[Routing]):
    """Answers each context by the first of its members that can, and takes another when that one fails.

    A failure is an error, a first token that is late, a stall, or an answer without words. Its request is cancelled and
    nothing more of it is heard; what was said already stands, and the next one goes on from there. Only where all
    failed an error goes up, as this processor's own. A second member starts beside one that pauses in its answer or of
    which nothing is known, with `hedge` also beside one that is slower than it mostly is; whoever has a word first
    answers. `route` says which of a member's models a turn goes to.
    """

    def __init__(
        self,
        members: Sequence[Member],
        *,
        providers: Providers,
        hedge: bool = False,
        route: TurnRoute | None = None,
    ) -> None:
        self._members = {member.name: member for member in members}
        self._providers = providers
        self._hedge = hedge
        self._route = route or OneModel()
        self._first_tokens = defaultdict[tuple[str, Kind], FirstTokens](FirstTokens)
        self._set_to: dict[str, Kind] = {}
        self._told: Turn | None = None
        super().__init__([member.service for member in members], Routing)

    @staticmethod
    def _make_pipeline_definitions(services: list[FrameProcessor], strategy: ServiceSwitcherStrategy) -> list[Any]:
        assert isinstance(strategy, Routing)
        branches = ServiceSwitcher._make_pipeline_definitions(services, strategy)
        return [[*branch, Outlet(service, strategy)] for branch, service in zip(branches, services, strict=True)]

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Answers a context that comes down; hands the services what is for them and passes on all else.

        A switch to another of the services holds from the next turn on.
        """
        chosen = isinstance(frame, ManuallySwitchServiceFrame) and frame.service in self.services
        if isinstance(frame, _FOR_SERVICES) and not chosen:
            await super().process_frame(frame, direction)
            return
        await FrameProcessor.process_frame(self, frame, direction)
        if isinstance(frame, ManuallySwitchServiceFrame):
            self._providers.choose(next(name for name, each in self._members.items() if each.service is frame.service))
        elif isinstance(frame, LLMContextFrame) and direction is FrameDirection.DOWNSTREAM:
            self._sync_registered_tool_handlers(frame.context.tools)
            await self._ask(frame)
        else:
            await FrameProcessor.push_frame(self, frame, direction)

    async def push_frame(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        """Keeps the errors of the services here: they are what this processor copes with."""
        if isinstance(frame, ErrorFrame) and not frame.fatal and frame.processor in self.services:
            if frame.category is not ErrorCategory.APPLICATION:
                self.strategy.failed(frame.processor, frame)
                return
            await FrameProcessor.push_frame(self, frame, direction)
            return
        await super().push_frame(frame, direction)

    async def _ask(self, frame: LLMContextFrame) -> None:
        kind = self._route.kind(frame.context)
        if not isinstance(frame, GuessedContextFrame):
            await self._answer(Turn(frame, kind))
        elif not frame.guess.is_withdrawn:
            frame.guess.context = frame.context
            async with frame.guess.until_withdrawn():
                await self._answer(Turn(frame, kind, frame.guess))

    async def _answer(self, turn: Turn) -> None:
        try:
            first = self._providers.next()
            assert first is not None, "the last provider is always there"
            await self._begin(turn, first)
            while not turn.done:
                await self._go_on(turn)
        finally:
            # Where the caller interrupts, the active service is told by the same frame that ended this.
            for attempt in turn.running:
                self.strategy.drop(attempt)
                self._judge(attempt)
                if turn.is_withdrawn or attempt.service is not self.strategy.active_service:
                    await self.strategy.stop(attempt, timeout_secs=0)

    async def _go_on(self, turn: Turn) -> None:
        hedge_at = self._hedge_at(turn)
        due = min([self._due(turn, attempt) for attempt in turn.running] + ([] if hedge_at is None else [hedge_at]))
        try:
            async with asyncio.timeout_at(due):
                attempt, item = await turn.items.get()
        except TimeoutError:
            await self._late(turn, hedge_at)
            return
        # What a model says that would have called a tool for a guess is no failure: the guess is withdrawn by then.
        if attempt in turn.running and not turn.is_withdrawn:
            await self._take(turn, attempt, item)

    async def _late(self, turn: Turn, hedge_at: float | None) -> None:
        now = self._now()
        for attempt in [each for each in turn.running if self._due(turn, each) <= now]:
            if attempt.heard is None:
                # It would have taken longer still; one that became slower is waited for longer next time.
                self._tokens(turn, attempt).add(now - attempt.began)
            await self._fail(turn, attempt, Failure.LATE if attempt.heard is None else Failure.STALLED)
            return
        if hedge_at is not None and hedge_at <= now:
            other = self._beside(turn, turn.running[0])
            assert other is not None
            await self._begin(turn, other)

    async def _take(self, turn: Turn, attempt: Attempt, item: Frame) -> None:
        if isinstance(item, ErrorFrame):
            # No failure of the provider's stays unnamed: those of the application did not come here.
            await self._fail(turn, attempt, failure_of(item.category) or Failure.UNKNOWN)
            return
        if isinstance(item, LLMFullResponseStartFrame):
            if not turn.started:
                turn.started = True
                await self.push_frame(item)
            return
        if isinstance(item, LLMFullResponseEndFrame):
            await self._end(turn, attempt, item)
            return
        now = self._now()
        if attempt.heard is None:
            self._tokens(turn, attempt).add(now - attempt.began)
        attempt.heard = now
        if isinstance(item, LLMTextFrame):
            await self._say(turn, attempt, item)
        elif attempt.tools or isinstance(item, CallingFrame) or len(turn.running) == 1:
            # Whoever calls a tool has the turn before it has called it, so that no two do.
            await self._choose(turn, attempt)
            if not attempt.tools and not isinstance(item, CallingFrame):
                await self.push_frame(item)

    async def _say(self, turn: Turn, attempt: Attempt, frame: LLMTextFrame) -> None:
        if not attempt.text:
            if not frame.text.strip():
                return
            await self._choose(turn, attempt)
            attempt.text = True
            await self._tell(turn, attempt, like=frame)
        elif len(turn.running) > 1:
            await self._choose(turn, attempt)
        await self._push_text(turn, attempt.seam.feed(frame.text), like=frame)

    async def _tell(self, turn: Turn, attempt: Attempt, *, like: LLMTextFrame) -> None:
        """Tells the caller once that only this one is left."""
        member = self._members[attempt.name]
        if turn.said and not member.follows:
            await self._push_text(turn, sentence_end(turn.said), like=like)
        is_last = attempt.name == self._providers.last and len(self._members) > 1 and not self._providers.last_is_chosen
        notice = member.spared_notice if self._providers.spares_all else member.notice
        if notice and is_last and (self._told is None or self._told.is_withdrawn):
            self._told = turn
            await self._push_text(turn, f"{notice} ", like=like)

    async def _push_text(self, turn: Turn, text: str, *, like: LLMTextFrame) -> None:
        if not text:
            return
        turn.said += text
        if text == like.text:
            await self.push_frame(like)
            return
        frame = LLMTextFrame(text)
        frame.skip_tts = like.skip_tts
        await self.push_frame(frame)

    async def _end(self, turn: Turn, attempt: Attempt, frame: LLMFullResponseEndFrame) -> None:
        if not attempt.text and not attempt.tools:
            await self._fail(turn, attempt, Failure.EMPTY)
            return
        if rest := attempt.seam.end():
            turn.said += rest
            await self.push_frame(LLMTextFrame(rest))
        await self._finish(turn, frame)

    async def _finish(self, turn: Turn, frame: LLMFullResponseEndFrame | None = None) -> None:
        turn.done = True
        if turn.started:
            await self.push_frame(frame or LLMFullResponseEndFrame())

    async def _begin(self, turn: Turn, name: str) -> None:
        member = self._members[name]
        frame = turn.frame
        said = turn.said if member.follows else ""
        if said.strip():
            frame = LLMContextFrame(context=going_on(frame.context, said), speculation=frame.speculation)
        elif name in turn.failed or turn.failed or turn.running:
            frame = LLMContextFrame(context=frame.context, speculation=frame.speculation)
        self._providers.tried(name)
        if not turn.running:
            await self.strategy.choose(member.service)
        attempt = Attempt(
            name=name, service=member.service, frame=frame, items=turn.items, seam=Seam(said), began=self._now()
        )
        turn.running.append(attempt)
        await self._set_model(member, turn.kind)
        await self.strategy.begin(attempt)

    async def _set_model(self, member: Member, kind: Kind) -> None:
        """Sets the service to its model for the turn; no interruption takes the frame from before the context."""
        model = member.model(kind)
        if model != self._set_to.get(member.name, "smart"):
            self._set_to[member.name] = model
            frame = LLMUpdateSettingsFrame(delta=member.models[model], service=member.service)
            await member.service.queue_frame(frame)

    async def _choose(self, turn: Turn, attempt: Attempt) -> None:
        """The first that has a word answers; the others are told to stop."""
        for other in [each for each in turn.running if each is not attempt]:
            turn.running.remove(other)
            self.strategy.drop(other)
            self._overtaken(turn, other, by=attempt)
            await self.strategy.stop(other, timeout_secs=0)
        await self.strategy.choose(attempt.service)
        if not turn.answered:
            turn.answered = True
            self._providers.answered(attempt.name, kind=self._members[attempt.name].model(turn.kind))

    def _overtaken(self, turn: Turn, attempt: Attempt, *, by: Attempt) -> None:
        """One that paused, or of which nothing is known, has failed where one that began after it has the next word."""
        if attempt.began >= by.began or not (attempt.text or self._tokens(turn, attempt).p95_secs is None):
            self._providers.left(attempt.name)
            return
        failure = Failure.STALLED if attempt.text else Failure.LATE
        self._providers.failed(attempt.name, failure)
        self._providers.took_over(by.name, before=attempt.name, failure=failure)

    async def _fail(self, turn: Turn, attempt: Attempt, failure: Failure) -> None:
        turn.running.remove(attempt)
        turn.failed.add(attempt.name)
        turn.refusals += failure is Failure.INVALID_REQUEST
        self._providers.failed(attempt.name, failure)
        await self.strategy.stop(attempt, timeout_secs=STOP_SECS)
        if attempt.tools:
            # What it called is done already, and its result asks for the next answer.
            await self._finish(turn)
            return
        if turn.running:
            self._providers.took_over(turn.running[0].name, before=attempt.name, failure=failure)
            return
        name = None if turn.refusals > 1 else self._providers.next(besides=turn.failed)
        if name is None and turn.guess is not None and turn.guess.is_open:
            # Asked again when the turn is over, and complained of then.
            turn.guess.withdraw()
            turn.done = True
            return
        if name is None:
            await self.push_error(f"no language model answered ({failure})", category=_CATEGORIES.get(failure))
            await self._finish(turn)
            return
        self._providers.took_over(name, before=attempt.name, failure=failure)
        await self._begin(turn, name)

    def _judge(self, attempt: Attempt) -> None:
        """What a turn that ended, by itself or by the caller, says of its provider."""
        if attempt.text or attempt.tools:
            self._providers.worked(attempt.name)
        else:
            self._providers.left(attempt.name)

    def _due(self, turn: Turn, attempt: Attempt) -> float:
        since = attempt.began if attempt.heard is None else attempt.heard
        if self._providers.next(besides=turn.failed | {attempt.name}) is None:
            return since + LAST_SECS
        return since + (self._tokens(turn, attempt).patience_secs if attempt.heard is None else STALLED_SECS)

    def _hedge_at(self, turn: Turn) -> float | None:
        """When a second one begins beside the one that answers; None where it is not to."""
        if len(turn.running) != 1 or self._beside(turn, turn.running[0]) is None:
            return None
        attempt = turn.running[0]
        if attempt.calling:
            # Another one would call a tool, too.
            return None
        if attempt.text and attempt.heard is not None:
            return attempt.heard + PAUSED_SECS
        p95_secs = self._tokens(turn, attempt).p95_secs
        if p95_secs is None:
            return attempt.began + SHORTEST_SECS
        return attempt.began + p95_secs if self._hedge else None

    def _beside(self, turn: Turn, attempt: Attempt) -> str | None:
        # What only quotes is no match: it would be the first in any case.
        name = self._providers.next(besides=turn.failed | {attempt.name})
        return name if name is not None and self._members[name].follows else None

    def _tokens(self, turn: Turn, attempt: Attempt) -> FirstTokens:
        return self._first_tokens[attempt.name, self._members[attempt.name].model(turn.kind)]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


_CATEGORIES = {
    Failure.REFUSED: ErrorCategory.AUTHENTICATION,
    Failure.QUOTA: ErrorCategory.QUOTA,
    Failure.RATE_LIMIT: ErrorCategory.RATE_LIMIT,
    Failure.SERVER: ErrorCategory.SERVER,
    Failure.CONNECTIVITY: ErrorCategory.CONNECTIVITY,
    Failure.INVALID_REQUEST: ErrorCategory.INVALID_REQUEST,
}
