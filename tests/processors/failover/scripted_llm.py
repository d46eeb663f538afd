"""A language model that plays a script, and a call's worth of pipeline around some of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    FunctionCallFromLLM,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory
from pipecat.workers.runner import WorkerRunner

from processors.failover.llm import KeptLLM, Member
from processors.failover.providers import Providers
from processors.failover.route import TurnRoute
from processors.frames import CallingFrame

QUESTION = [{"role": "user", "content": "When can goods go back?"}]


@dataclass(frozen=True)
class Wait:
    """Nothing comes for so long."""

    secs: float


@dataclass(frozen=True)
class Tool:
    """The model calls a tool of this name."""

    name: str


@dataclass(frozen=True)
class Calling:
    """The model writes on at what it calls a tool with."""


Step = str | Wait | Tool | Calling | ErrorCategory
HANGS = Wait(10_000)


class ScriptedLLM(LLMService):
    """Plays one script for each context, the last one again and again."""

    def __init__(self, *scripts: Sequence[Step]) -> None:
        super().__init__(
            settings=LLMSettings(
                model="scripted", system_instruction=None, temperature=None, max_tokens=None, top_p=None, top_k=None,
                frequency_penalty=None, presence_penalty=None, seed=None, filter_incomplete_user_turns=False,
                user_turn_completion_config=None, use_provider_thinking_default=False,
            )
        )  # fmt: skip
        self._scripts = scripts
        self.asked: list[list[Any]] = []
        self.asked_of: list[object] = []
        """The model that each context was for."""
        self.was_asked = asyncio.Event()
        self.cancelled = 0
        self.deaf_secs = 0.0
        """For how long it takes no notice of being cancelled."""
        self.late: str | None = None
        """What it still says when its request is cancelled."""

    @property
    def tokens_allowed(self) -> object:
        """What its settings say of the length of answers."""
        return self._settings.max_tokens

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
        self.asked.append(frame.context.get_messages())
        self.asked_of.append(self._settings.model)
        self.was_asked.set()
        await self.push_frame(LLMFullResponseStartFrame())
        try:
            for step in script:
                await self._play(step, frame.context)
        except asyncio.CancelledError:
            self.cancelled += 1
            await asyncio.sleep(self.deaf_secs)
            if self.late is not None:
                await self.push_frame(LLMTextFrame(self.late))
            raise
        finally:
            await self.push_frame(LLMFullResponseEndFrame())

    async def _play(self, step: Step, context: LLMContext) -> None:
        match step:
            case str():
                await self._push_llm_text(step)
            case Wait():
                await asyncio.sleep(step.secs)
            case ErrorCategory():
                await self.push_error("it failed", category=step)
            case Calling():
                await self.push_frame(CallingFrame())
            case Tool():
                call = FunctionCallFromLLM(
                    function_name=step.name, tool_call_id=f"call-{step.name}", arguments={}, context=context
                )
                await self.run_function_calls([call])


class Ends(FrameProcessor):
    """Keeps what comes by."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.changed = asyncio.Event()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        self.frames.append(frame)
        self.changed.set()
        await self.push_frame(frame, direction)


@dataclass
class Stage:
    """A started pipeline of one `KeptLLM`, and what came out of it."""

    kept: KeptLLM
    worker: PipelineWorker
    above: Ends
    below: Ends
    told: list[dict[str, Any]]
    providers: Providers

    async def ask(self, messages: Sequence[Any] = QUESTION, *, until: Callable[["Stage"], bool] | None = None) -> None:
        """Asks, and waits for the end of the answer, or for what `until` says."""
        ends = self.count(LLMFullResponseEndFrame)
        await self.worker.queue_frame(LLMContextFrame(context=LLMContext(list(messages))))
        await self.see(until or (lambda stage: stage.count(LLMFullResponseEndFrame) > ends))

    async def interrupt(self) -> None:
        """The caller speaks."""
        seen = self.count(InterruptionFrame)
        await self.worker.queue_frame(InterruptionFrame())
        await self.see(lambda stage: stage.count(InterruptionFrame) > seen)

    async def see(self, holds: Callable[["Stage"], bool]) -> None:
        """Returns when it holds."""
        async with asyncio.timeout(3600):
            while not holds(self):
                self.below.changed.clear()
                await self.below.changed.wait()

    def count(self, kind: type[Frame]) -> int:
        """How many of these came out."""
        return sum(isinstance(frame, kind) for frame in self.below.frames)

    @property
    def text(self) -> str:
        """All that was said."""
        return "".join(frame.text for frame in self.below.frames if isinstance(frame, LLMTextFrame))

    @property
    def errors(self) -> list[ErrorFrame]:
        """What failed, as seen from above."""
        return [frame for frame in self.above.frames if isinstance(frame, ErrorFrame)]

    @property
    def failovers(self) -> list[tuple[str, str, str]]:
        """From whom to whom, and why."""
        return [(e["from"], e["to"], e["reason"]) for e in self.told if e["type"] == "failover"]

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Who had each turn's first word, by which of its models."""
        return [(e["provider"], e["kind"]) for e in self.told if e["type"] == "route"]

    @property
    def tools(self) -> list[str]:
        """The tools that were called, each call once."""
        calls = {f.id: f for f in self.below.frames if isinstance(f, FunctionCallsStartedFrame)}
        return [call.function_name for frame in calls.values() for call in frame.function_calls]


@dataclass
class Staging:
    """A pipeline from its start to its end: members by name, the last one on this host."""

    services: dict[str, ScriptedLLM]
    hedge: bool = False
    route: TurnRoute | None = None
    fast: frozenset[str] = frozenset()
    """Those that have a fast model."""
    notice: str = ""
    follows: bool = True
    _stage: Stage | None = field(default=None, init=False)
    _run: asyncio.Task[None] | None = field(default=None, init=False)

    async def __aenter__(self) -> Stage:
        told: list[dict[str, Any]] = []
        names = list(self.services)
        providers = Providers("llm", names, clock=asyncio.get_running_loop().time, report=told.append)
        members = [
            Member(
                name,
                service,
                notice=self.notice if name == names[-1] else "",
                follows=self.follows or name != names[-1],
                models={"fast": LLMSettings(model=f"{name}-fast"), "smart": LLMSettings(model="scripted")}
                if name in self.fast
                else {},
            )
            for name, service in self.services.items()
        ]
        kept, above, below = KeptLLM(members, providers=providers, hedge=self.hedge, route=self.route), Ends(), Ends()
        worker = PipelineWorker(
            Pipeline([above, kept, below]), params=PipelineParams(), enable_rtvi=False, enable_turn_tracking=False,
            idle_timeout_secs=None,
        )  # fmt: skip
        started = asyncio.Event()

        @worker.event_handler("on_pipeline_started")
        async def on_pipeline_started(_worker: object, _frame: object) -> None:
            started.set()

        self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
        await self._runner.add_workers(worker)
        self._run = asyncio.create_task(self._runner.run())
        await started.wait()
        return Stage(kept, worker, above, below, told, providers)

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cancel("done")
        assert self._run is not None
        await self._run
