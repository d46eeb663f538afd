"""Voices that play a script, a loudspeaker that knows which words came out of it, and the call that they are in."""

import asyncio
import struct
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pipecat.frames.frames import (
    AggregatedTextProgressFrame,
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    EndFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    OutputAudioRawFrame,
    StartFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.transports.base_output import BaseOutputTransport
from pipecat.transports.base_transport import TransportParams
from pipecat.utils.errors import ErrorCategory
from pipecat.workers.runner import WorkerRunner

from processors.failover.providers import Providers
from processors.failover.switcher import Switch
from processors.failover.tts import KeptTTS, TTSLimits
from tests.processors.failover.scripted_stt import Ear
from tests.virtual_time import VirtualClock

RATE_HZ = 24000
SECS_A_LETTER = 0.07
FASTER = 4

SPOKEN: list[str] = []


def sound_of(word: str) -> bytes:
    """The word as audio: one number, as long as the word takes."""
    if word not in SPOKEN:
        SPOKEN.append(word)
    letters = sum(c.isalnum() for c in word)
    return struct.pack("<h", SPOKEN.index(word) + 1) * round(RATE_HZ * SECS_A_LETTER * letters)


def words_heard(audio: bytes) -> list[str]:
    """The words in audio, in their order; one that is said again at once counts once."""
    heard: list[int] = []
    for (number,) in struct.iter_unpack("<h", audio):
        if number and (not heard or heard[-1] != number):
            heard.append(number)
    return [SPOKEN[number - 1] for number in heard]


@dataclass
class Faults:
    """What becomes of a voice before it says the word of a context at `at_word`, counted from zero."""

    kind: str = ""
    at_word: int = 0
    category: ErrorCategory = ErrorCategory.SERVER


class ScriptedTTS(TTSService):
    """Says each word as a number in its audio; `timed` tells the times of its words.

    `streaming` sends its audio from a task of its own, as services on a websocket do, else run_tts yields it.
    """

    def __init__(self, *, timed: bool = True, streaming: bool = False, faults: Faults | None = None, **kwargs: Any):
        super().__init__(
            settings=TTSSettings(model=None, voice="v", language=None),
            push_text_frames=not timed,
            push_start_frame=True,
            push_stop_frames=not streaming,
            sample_rate=RATE_HZ,
            **kwargs,
        )
        self.timed = timed
        self.streaming = streaming
        self.faults = faults or Faults()
        self.asked: list[str] = []
        self._sent: asyncio.Queue[tuple[str, str | None]] = asyncio.Queue()
        self._sender: asyncio.Task[None] | None = None
        self._said: dict[str, int] = {}
        self._secs: dict[str, float] = {}

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        if self.streaming:
            self._sender = self.create_task(self._send())

    async def cleanup(self) -> None:
        await super().cleanup()
        if self._sender:
            await self.cancel_task(self._sender)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        self.asked.append(text)
        if self.streaming:
            self._sent.put_nowait((context_id, text))
            yield None
            return
        async for frame in self._frames(text, context_id):
            yield frame

    async def flush_audio(self, context_id: str | None = None) -> None:
        if self.streaming and context_id:
            self._sent.put_nowait((context_id, None))

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        if self._sender:
            await self.cancel_task(self._sender)
            self._sent = asyncio.Queue()
            self._sender = self.create_task(self._send())

    async def _send(self) -> None:
        while True:
            context_id, text = await self._sent.get()
            if text is None:
                await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
                await self.remove_audio_context(context_id)
                continue
            async for frame in self._frames(text, context_id):
                await self.append_to_audio_context(context_id, frame)

    async def _frames(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        for word in text.split():
            if self.faults.kind and self._said.get(context_id, 0) == self.faults.at_word:
                match self.faults.kind:
                    case "error":
                        yield ErrorFrame("no", category=self.faults.category)
                        return
                    case "closed":
                        await self._call_event_handler("on_disconnected")
                        await asyncio.Event().wait()
                    case "stalled":
                        await asyncio.Event().wait()
                    case "short":
                        return
                    case "rate":
                        yield TTSAudioRawFrame(bytes(RATE_HZ // 10), RATE_HZ // 3, 1, context_id=context_id)
                    case "garbled":
                        for _ in range(100):
                            yield TTSAudioRawFrame(bytes(RATE_HZ), RATE_HZ, 1, context_id=context_id)
            sound = sound_of(word)
            secs = len(sound) / 2 / RATE_HZ
            if self.timed:
                await self.add_word_timestamps([(word, self._secs.get(context_id, 0.0))], context_id)
            half = len(sound) // 4 * 2
            for part in (sound[:half], sound[half:]):
                await asyncio.sleep(secs / 2 / FASTER)
                yield TTSAudioRawFrame(part, RATE_HZ, 1, context_id=context_id)
            self._said[context_id] = self._said.get(context_id, 0) + 1
            self._secs[context_id] = self._secs.get(context_id, 0.0) + secs


class Loudspeaker(BaseOutputTransport):
    """Takes as long for audio as it sounds, and keeps it."""

    def __init__(self) -> None:
        super().__init__(TransportParams(audio_out_enabled=True))
        self.audio = bytearray()

    async def start(self, frame: StartFrame) -> None:
        await super().start(frame)
        await self.set_transport_ready(frame)

    async def write_audio_frame(self, frame: OutputAudioRawFrame) -> bool:
        self.audio += frame.audio
        await asyncio.sleep(len(frame.audio) / 2 / frame.sample_rate)
        return True


@dataclass
class Call:
    """A bot that speaks with voices, the first of them in use."""

    services: Mapping[str, TTSService]
    limits: TTSLimits = field(default_factory=TTSLimits)
    reports: list[dict[str, Any]] = field(default_factory=list)
    switches: list[Switch] = field(default_factory=list)

    async def __aenter__(self) -> "Call":
        self.loop = asyncio.get_running_loop()
        self.providers = Providers("tts", [*self.services], clock=self.loop.time, report=self.reports.append)
        self.tts = KeptTTS(self.services, providers=self.providers, limits=self.limits)

        @self.tts.event_handler("on_service_switched")
        async def _(_tts: KeptTTS, switch: Switch) -> None:
            self.switches.append(switch)

        self.before, self.voiced, self.end, self.loudspeaker = Ear(), Ear(), Ear(), Loudspeaker()
        self.context = LLMContext()
        pair = LLMContextAggregatorPair(self.context)
        pipeline = Pipeline([self.before, self.tts, self.voiced, self.loudspeaker, self.end, pair.assistant()])
        params = PipelineParams(audio_out_sample_rate=RATE_HZ)
        self.worker = PipelineWorker(
            pipeline, cancel_on_idle_timeout=False, enable_rtvi=False, params=params, clock=VirtualClock()
        )
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
        await asyncio.wait_for(self._run, 120)

    async def answers(self, text: str, *, pause_secs: float = 0.01) -> None:
        """The LLM's answer comes, word by word."""
        await self.worker.queue_frame(LLMFullResponseStartFrame())
        for i, word in enumerate(text.split(" ")):
            await self.worker.queue_frame(LLMTextFrame(f" {word}" if i else word))
            await asyncio.sleep(pause_secs)
        await self.worker.queue_frame(LLMFullResponseEndFrame())

    async def speaks(self, text: str, **kwargs: Any) -> None:
        """A text is spoken by itself."""
        await self.worker.queue_frame(TTSSpeakFrame(text, **kwargs))

    async def is_interrupted(self) -> None:
        """The caller begins to speak."""
        await self.worker.queue_frame(InterruptionFrame())

    @property
    def heard(self) -> str:
        """What came out of the loudspeaker."""
        return " ".join(words_heard(bytes(self.loudspeaker.audio)))

    @property
    def said(self) -> list[str]:
        """What the context holds of the bot."""
        messages = self.context.get_messages()
        return [str(m.get("content")) for m in messages if isinstance(m, dict) and m["role"] == "assistant"]

    @property
    def shown(self) -> str:
        """What a page shows of the bot: how far each sentence that a voice began was said."""
        progress = {
            f.segment_id: f.accumulated_text for f in self.end.frames if isinstance(f, AggregatedTextProgressFrame)
        }
        return " ".join(" ".join(progress.values()).split())

    @property
    def marks(self) -> list[str]:
        """When the voice and the bot began and ended to speak, in the order in which they came."""
        kinds = (TTSStartedFrame, TTSStoppedFrame, LLMFullResponseStartFrame, LLMFullResponseEndFrame)
        marks = [f for f in self.voiced.frames if isinstance(f, kinds)]
        return [type(f).__name__.removesuffix("Frame") for f in marks]

    @property
    def floor(self) -> list[str]:
        """When the bot began and ended to speak."""
        kinds = (BotStartedSpeakingFrame, BotStoppedSpeakingFrame)
        return [type(f).__name__.removesuffix("SpeakingFrame") for f in self.end.frames if isinstance(f, kinds)]
