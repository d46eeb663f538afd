"""The caller's voice and ears of an audio scenario, on this host: what its file names as factories.

    user: {modality: audio, speech: {factory: evals.scenarios.speech.voice, service: flite, voice: rms}}
    judge: {modality: audio, transcription: {factory: evals.scenarios.speech.ears}}

Pipecat keeps what a voice said under `service` and `voice`, and not under the factory, so name both.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from importlib.metadata import PackageNotFoundError, distribution
from typing import Any

import soxr
from pipecat.frames.frames import ErrorFrame, Frame, TranscriptionFrame, TTSAudioRawFrame
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.services.settings import STTSettings, TTSSettings
from pipecat.services.stt_service import SegmentedSTTService, STTService
from pipecat.services.tts_service import TTSService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601

from bot.speech.errors import SpeechError
from bot.speech.pool import RecogniserPool
from bot.speech.recognition import Engine
from evals.caller.errors import CallError
from evals.caller.speaker import FliteSpeaker, Speaker

MOONSHINE = "moonshine-voice"
SPEAK_SECS = 20.0


def voice(_config: Mapping[str, Any]) -> TTSService:
    """Flite, as `jarvis call` speaks."""
    return CallerVoice(FliteSpeaker())


def ears(_config: Mapping[str, Any]) -> STTService:
    """Moonshine, where its wheel is installed (extra `moonshine`), else pocketsphinx: in a process of its own."""
    return CallerEars(best_engine())


def best_engine() -> Engine:
    """Which recogniser of this host hears best."""
    try:
        distribution(MOONSHINE)
    except PackageNotFoundError:
        return "pocketsphinx"
    return "moonshine"


class CallerVoice(TTSService):
    """A speaker of `jarvis call` as Pipecat's harness takes a voice."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__(settings=TTSSettings(model=None, voice=None, language=None))
        self._speaker = speaker

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Yield the whole text as one piece of sound."""
        try:
            pcm = await asyncio.wait_for(self._speaker.speak(text), SPEAK_SECS)
        except (CallError, TimeoutError) as error:
            yield ErrorFrame(error="The caller's voice could not speak.", exception=error)
            return
        samples = await asyncio.to_thread(soxr.resample, pcm.samples, pcm.rate_hz, self.sample_rate)
        yield TTSAudioRawFrame(samples.tobytes(), self.sample_rate, 1, context_id=context_id)


class CallerEars(SegmentedSTTService):
    """A recogniser of this host that hears the bot; what is not understood well is told as it was understood."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(settings=STTSettings(model=engine, language=Language.EN_US), trailing_silence_secs=0.0)
        self._pool = RecogniserPool(engine=engine, size=1)
        self._loading: asyncio.Task[None] | None = None

    @property
    def wants_wav_segments(self) -> bool:
        """Pipecat asks whether segments come as WAV: no, as raw PCM."""
        return False

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Begin to load the recogniser: the harness is connected already, and the bot speaks."""
        await super().setup(setup)
        self._loading = self.create_task(self._pool.use_model(None), "load-recogniser")

    async def cleanup(self) -> None:
        """End the recogniser."""
        if self._loading is not None:
            await self.cancel_task(self._loading)
        await self._pool.end()
        await super().cleanup()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Yield the transcript of one stretch of speech, s16le mono; nothing where there are no words."""
        assert self._loading is not None
        try:
            await asyncio.shield(self._loading)
            heard = await self._pool.recognise(audio, sample_rate=self.sample_rate)
        except SpeechError as error:
            yield ErrorFrame(error="The bot's speech could not be recognised.", exception=error)
            return
        if heard["text"].strip():
            yield TranscriptionFrame(heard["text"], self._user_id, time_now_iso8601(), Language.EN_US)
