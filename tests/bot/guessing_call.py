"""A call's worth of pipeline around guesses: scripted ears, turn analyzer, search and language model."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipecat.audio.turn.base_turn_analyzer import BaseTurnAnalyzer, BaseTurnParams, EndOfTurnState
from pipecat.frames.frames import (
    Frame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import TurnMetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy, VADUserTurnStartStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner

from bot.guessing import GuessingTurnStop, guess_report
from bot.hearing_out import PatientTurnStop
from bot.patience import Pauses
from knowledge.types import SearchResult, Verdict
from processors.citations import CitationProcessor
from processors.failover.llm import KeptLLM, Member
from processors.failover.providers import Providers
from processors.guess import Guesses
from processors.guesses import GuessGate, GuessMarker, guard_tools
from processors.retrieval import RetrievalProcessor
from tests.processors.failover.scripted_llm import Ends, ScriptedLLM

OVER, GOES_ON = EndOfTurnState.COMPLETE, EndOfTurnState.INCOMPLETE


class Analyzer(BaseTurnAnalyzer):
    """Takes so long over each verdict, the last one again and again."""

    def __init__(self, *verdicts: EndOfTurnState, secs: float) -> None:
        super().__init__()
        self._verdicts, self._secs = list(verdicts), secs

    @property
    def speech_triggered(self) -> bool:
        return False

    @property
    def params(self) -> BaseTurnParams:
        return BaseTurnParams()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        return GOES_ON

    async def analyze_end_of_turn(self) -> tuple[EndOfTurnState, TurnMetricsData]:
        await asyncio.sleep(self._secs)
        verdict = self._verdicts.pop(0) if len(self._verdicts) > 1 else self._verdicts[0]
        return verdict, TurnMetricsData(
            processor="turn", is_complete=verdict is OVER, probability=0.5, e2e_processing_time_ms=1.0
        )

    def clear(self) -> None:
        pass


class Search:
    """Finds nothing, after a while, and knows what was looked up to the end."""

    def __init__(self, secs: float) -> None:
        self._secs = secs
        self.found: list[str] = []

    async def search(self, question: str, **_: Any) -> SearchResult:
        await asyncio.sleep(self._secs)
        self.found.append(question)
        return SearchResult(Verdict.FOUND)


@dataclass
class GuessingCall:
    """From `async with` on it runs; everything that is said to it takes no time but what `secs` passes."""

    llm: ScriptedLLM
    verdicts: Sequence[EndOfTurnState] = (OVER,)
    analyzer_secs: float = 0.06
    search_secs: float = 0.02
    told: list[dict[str, Any]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    kept: bool = True
    patience: Pauses | None = None
    """Where there are any, the caller is heard out."""
    longest: list[float] = field(default_factory=list)

    async def __aenter__(self) -> "GuessingCall":
        loop = asyncio.get_running_loop()
        guesses = Guesses(settled=lambda guess: self.told.append(guess_report(guess)))
        analyzer = Analyzer(*self.verdicts, secs=self.analyzer_secs)
        strategies = UserTurnStrategies(
            start=[VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()],
            stop=[self._stop(turn_analyzer=analyzer, guesses=guesses, clock=loop.time)],
        )
        self.context, self.search = LLMContext(), Search(self.search_secs)
        pair = LLMContextAggregatorPair(
            self.context, user_params=LLMUserAggregatorParams(user_turn_strategies=strategies)
        )
        guesses.heard = pair.user().aggregation_string
        providers = Providers("llm", ["a"], clock=loop.time, report=lambda _: None)
        llm = KeptLLM([Member("a", self.llm)], providers=providers) if self.kept else self.llm
        guard_tools(llm, guesses)
        citations, self.ends, self.errors = CitationProcessor(), Ends(), []

        @citations.event_handler("on_unanswered")
        async def on_unanswered(_processor: object, question: str, _passages: object) -> None:
            self.unanswered.append(question)

        self._worker = PipelineWorker(
            Pipeline(
                [
                    pair.user(),
                    GuessMarker(guesses),
                    RetrievalProcessor(search=self.search),
                    llm,
                    GuessGate(),
                    citations,
                    self.ends,
                    pair.assistant(),
                ]
            ),
            params=PipelineParams(), enable_rtvi=False, enable_turn_tracking=False, idle_timeout_secs=None,
        )  # fmt: skip
        started = asyncio.Event()

        @self._worker.event_handler("on_pipeline_started")
        async def on_pipeline_started(_worker: object, _frame: object) -> None:
            started.set()

        @self._worker.event_handler("on_pipeline_error")
        async def on_pipeline_error(_worker: object, frame: Frame) -> None:
            self.errors.append(frame)

        self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
        await self._runner.add_workers(self._worker)
        self._run = asyncio.create_task(self._runner.run())
        await started.wait()
        return self

    def _stop(self, **parts: Any) -> GuessingTurnStop:
        if self.patience is None:
            return GuessingTurnStop(**parts)
        return PatientTurnStop(pauses=self.patience, set_longest=self.longest.append, **parts)

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cancel("done")
        await self._run

    async def hears(self, *frames: Frame, secs: float = 0.0) -> None:
        """The recogniser or the VAD tells this; then so long passes."""
        await self._worker.queue_frames(frames)
        await asyncio.sleep(secs)

    async def speaks(self, *, secs: float = 1.0) -> None:
        """There is a voice."""
        await self.hears(VADUserStartedSpeakingFrame(start_secs=0.064), secs=secs)

    async def pauses(self, *, secs: float = 0.0) -> None:
        """It has been silent for a fifth of a second."""
        await self.hears(VADUserStoppedSpeakingFrame(stop_secs=0.2), secs=secs)

    async def interim(self, text: str, *, secs: float = 0.0) -> None:
        """The recogniser may still change these words."""
        await self.hears(InterimTranscriptionFrame(text, "", ""), secs=secs)

    async def final(self, text: str, *, secs: float = 0.0) -> None:
        """It will not change these, and heard a pause behind them."""
        await self.hears(TranscriptionFrame(text, "", "", finalized=True), secs=secs)

    async def interrupted(self) -> None:
        """Somebody stops the answer."""
        await self.hears(InterruptionFrame(), secs=0.01)

    async def see(self, holds: Callable[["GuessingCall"], bool]) -> None:
        """Returns when it holds."""
        async with asyncio.timeout(3600):
            while not holds(self):
                self.ends.changed.clear()
                await self.ends.changed.wait()

    @property
    def said(self) -> str:
        """What came through to the voice."""
        return "".join(frame.text for frame in self.ends.frames if isinstance(frame, LLMTextFrame))

    @property
    def answers(self) -> int:
        """How many answers ended."""
        return sum(isinstance(frame, LLMFullResponseEndFrame) for frame in self.ends.frames)

    @property
    def asked(self) -> list[str]:
        """The caller's words that each request to the language model ended with."""
        return [messages[-1]["content"] for messages in self.llm.asked]

    @property
    def outcomes(self) -> list[bool]:
        """Of each guess, whether it was kept."""
        return [each["kept"] for each in self.told]

    @property
    def heard(self) -> list[Any]:
        """What the caller said, as the context has it."""
        return [m["content"] for m in self.context.get_messages() if isinstance(m, dict) and m["role"] == "user"]
