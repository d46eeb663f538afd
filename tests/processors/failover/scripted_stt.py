"""Recognisers that play a script, a caller whose audio is its words, and the call that both are in."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipecat.audio.turn.base_turn_analyzer import BaseTurnAnalyzer, BaseTurnParams, EndOfTurnState
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.metrics.metrics import MetricsData
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import SegmentedSTTService, STTService
from pipecat.turns.user_start import TranscriptionUserTurnStartStrategy, VADUserTurnStartStrategy
from pipecat.turns.user_stop import TurnAnalyzerUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.utils.errors import ErrorCategory
from pipecat.workers.runner import WorkerRunner

from processors.failover.providers import Providers
from processors.failover.stt import KeptSTT, STTLimits
from processors.failover.switcher import Switch

RATE_HZ = 16000
FRAME_SECS = 0.1
FRAMES_A_WORD = 3
VAD_FRAMES = 2
TTFS_SECS = 1.0
COUGH = 99

WORDS = "please tell me how long I may keep the drill that I rented on friday".split()


def sound(word: int) -> InputAudioRawFrame:
    """A tenth of a second of the word of that number, counted from one; of silence for zero."""
    return InputAudioRawFrame(struct.pack("<h", word) * int(RATE_HZ * FRAME_SECS), RATE_HZ, 1)


def word_in(audio: bytes) -> int:
    """The number of the word that sounds there."""
    return struct.unpack_from("<h", audio, len(audio) - 2)[0]


@dataclass
class Faults:
    """What becomes of a recogniser that hears the word of the number `at_word`; zero for the end of speech."""

    kind: str = ""
    at_word: int = 0
    category: ErrorCategory = ErrorCategory.SERVER


class ScriptedSTT(STTService):
    """Understands every word that it hears, once, unless its faults say otherwise.

    `heard` is each word it was sent, `told` its final transcripts. With `interims` it tells each word at once; with
    `final_after` it ends a transcript in mid-speech after so many words.
    """

    def __init__(
        self,
        *,
        interims: bool = False,
        final_after: int = 0,
        faults: Faults | None = None,
        mishears: str = "",
        **kwargs: Any,
    ):
        kwargs.setdefault("ttfs_p99_latency", TTFS_SECS)
        super().__init__(settings=STTSettings(model=None, language=None), **kwargs)
        self.faults = faults or Faults()
        self.interims = interims
        self.final_after = final_after
        self.mishears = mishears
        self.heard: list[int] = []
        self.told: list[str] = []
        self.frames_heard = 0
        self._words: list[int] = []
        self._last = 0
        self.broken = False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        self.frames_heard += 1
        word = word_in(audio)
        if self.broken or word in (0, self._last, COUGH):
            return
        self._last = word
        self._words.append(word)
        self.heard.append(word)
        if self.faults.kind and self.faults.at_word == word:
            async for frame in self._break():
                yield frame
        elif self.interims:
            yield InterimTranscriptionFrame(self.text, "", "")
        if not self.broken and self.final_after and len(self._words) == self.final_after:
            yield self._final(finalized=False)

    @property
    def text(self) -> str:
        """What it understands."""
        return " ".join(self.mishears or WORDS[word - 1] if word == 1 else WORDS[word - 1] for word in self._words)

    def _final(self, *, finalized: bool = True) -> TranscriptionFrame:
        text, self._words = self.text, []
        self.told.append(text)
        return TranscriptionFrame(text, "", "", finalized=finalized)

    async def _break(self) -> AsyncGenerator[Frame | None, None]:
        match self.faults.kind:
            case "error":
                yield ErrorFrame("no", category=self.faults.category)
            case "closed":
                self.broken = True
                await self._call_event_handler("on_disconnected")
            case "deaf" | "late":
                self.broken = True

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._last = 0
            if self.faults.kind and not self.faults.at_word:
                await self.process_generator(self._break())
            if not self.broken and self._words:
                await self.push_frame(self._final())

    async def tell_late(self) -> None:
        """What it owes, now."""
        self.broken = False
        await self.push_frame(self._final())


class ScriptedStream(ScriptedSTT):
    """Tells what it owes with what it hears next, unless it is begun anew; then nothing is wrong with it any more."""

    times_begun = 1

    async def begin_anew(self) -> None:
        self.times_begun += 1
        self._words, self.broken, self.faults = [], False, Faults()


class ScriptedSegmentedSTT(SegmentedSTTService):
    """Understands each stretch of speech at its end; where there is no word in it, it says so by a blank."""

    def __init__(self, **kwargs: Any):
        super().__init__(
            settings=STTSettings(model=None, language=None), ttfs_p99_latency=0.9, trailing_silence_secs=0.0, **kwargs
        )
        self.segments: list[str] = []
        self.frames_heard = 0

    @property
    def wants_wav_segments(self) -> bool:
        return False

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        words: list[int] = []
        for (word,) in struct.iter_unpack("<h", audio):
            if word and (not words or words[-1] != word):
                words.append(word)
        self.segments.append(" ".join(WORDS[word - 1] for word in words if word <= len(WORDS)))
        yield TranscriptionFrame(self.segments[-1] or " ", "", "")


class ScriptedVAD(FrameProcessor):
    """Tells that the caller speaks after two frames of sound, and that they don't after two of silence."""

    def __init__(self) -> None:
        super().__init__()
        self._speaking = False
        self._frames = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)
        if not isinstance(frame, InputAudioRawFrame):
            return
        self._frames = self._frames + 1 if bool(word_in(frame.audio)) != self._speaking else 0
        if self._frames == VAD_FRAMES:
            self._speaking, self._frames = not self._speaking, 0
            if self._speaking:
                await self.broadcast_frame(VADUserStartedSpeakingFrame, start_secs=VAD_FRAMES * FRAME_SECS)
            else:
                await self.broadcast_frame(VADUserStoppedSpeakingFrame, stop_secs=VAD_FRAMES * FRAME_SECS)


class EverythingEnds(BaseTurnAnalyzer):
    """Takes each end of speech for the turn's."""

    @property
    def speech_triggered(self) -> bool:
        return False

    @property
    def params(self) -> BaseTurnParams:
        return BaseTurnParams()

    def append_audio(self, buffer: bytes, is_speech: bool) -> EndOfTurnState:
        return EndOfTurnState.INCOMPLETE

    async def analyze_end_of_turn(self) -> tuple[EndOfTurnState, MetricsData | None]:
        return EndOfTurnState.COMPLETE, None

    def clear(self) -> None:
        pass


class Ear(FrameProcessor):
    """Remembers what passes it downstream, and each error that passes it upstream."""

    def __init__(self) -> None:
        super().__init__()
        self.frames: list[Frame] = []
        self.errors: list[ErrorFrame] = []

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if direction == FrameDirection.DOWNSTREAM:
            self.frames.append(frame)
        elif isinstance(frame, ErrorFrame):
            self.errors.append(frame)
        await self.push_frame(frame, direction)


@dataclass
class Call:
    """A caller who speaks to recognisers, the first of them in use, and the turns that come of it."""

    services: Mapping[str, STTService]
    limits: STTLimits = field(default_factory=STTLimits)
    reports: list[dict[str, Any]] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)

    async def __aenter__(self) -> "Call":
        loop = asyncio.get_running_loop()
        self.providers = Providers("stt", [*self.services], clock=loop.time, report=self.reports.append)
        self.stt = KeptSTT(self.services, providers=self.providers, limits=self.limits)

        @self.stt.event_handler("on_service_switched")
        async def _(_stt: KeptSTT, switch: Switch) -> None:
            self.switches.append(switch)

        self.before, self.after = Ear(), Ear()
        self.context = LLMContext()
        strategies = UserTurnStrategies(
            start=[VADUserTurnStartStrategy(), TranscriptionUserTurnStartStrategy()],
            stop=[TurnAnalyzerUserTurnStopStrategy(turn_analyzer=EverythingEnds())],
        )
        pair = LLMContextAggregatorPair(
            self.context,
            user_params=LLMUserAggregatorParams(
                user_turn_strategies=strategies, user_turn_stop_timeout=self.stt.patience_secs
            ),
        )
        self.turns = Ear()
        pipeline = Pipeline(
            [self.before, self.stt, self.after, ScriptedVAD(), pair.user(), self.turns, pair.assistant()]
        )
        params = PipelineParams(audio_in_sample_rate=RATE_HZ)
        self.worker = PipelineWorker(pipeline, cancel_on_idle_timeout=False, enable_rtvi=False, params=params)
        started = asyncio.Event()

        @self.worker.event_handler("on_pipeline_started")
        async def _(_worker: PipelineWorker, _frame: Frame) -> None:
            started.set()

        runner = WorkerRunner()
        await runner.add_workers(self.worker)
        self._run = asyncio.create_task(runner.run())
        await started.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.worker.queue_frame(EndFrame())
        await asyncio.wait_for(self._run, 60)

    async def says(self, *words: int) -> None:
        """The caller says these words of `WORDS`, in real time."""
        for word in words:
            for _ in range(FRAMES_A_WORD):
                await self.sounds(sound(word))

    async def pauses(self, secs: float = 0.5) -> None:
        """The caller is silent."""
        for _ in range(round(secs / FRAME_SECS)):
            await self.sounds(sound(0))

    async def sounds(self, frame: InputAudioRawFrame) -> None:
        """A tenth of a second goes by."""
        await self.worker.queue_frame(frame)
        await asyncio.sleep(FRAME_SECS)

    @property
    def asked(self) -> list[str]:
        """What the LLM was asked, turn by turn."""
        return [str(m["content"]) for m in self.context.get_messages() if isinstance(m, dict) and m["role"] == "user"]

    @property
    def turns_taken(self) -> int:
        """How often the LLM was to answer."""
        return sum(isinstance(frame, LLMContextFrame) for frame in self.turns.frames)


def text_of(words: Sequence[int]) -> str:
    """These words of `WORDS`."""
    return " ".join(WORDS[word - 1] for word in words)
