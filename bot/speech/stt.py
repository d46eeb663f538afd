"""The recognisers of the speech process as Pipecat services."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from loguru import logger
from pipecat.frames.frames import Frame, TranscriptionFrame
from pipecat.services.settings import STTSettings
from pipecat.services.stt_service import SegmentedSTTService
from pipecat.transcriptions.language import Language
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_stt
from pipecat.utils.types import NOT_GIVEN, NotGiven, assert_given

from bot.speech.client import Speech
from bot.speech.errors import SpeechError
from bot.speech.recognition import Recognition

# From the last voiced sample to the transcript, with a VAD that waits 0.2 s.
TTFS_P99_SECS = 0.9
# Rejects 9 noises in 10, and 3 in 100 utterances that were understood, most of those from a bad line.
MIN_CONFIDENCE = 0.25

# A transcript without words. It is not empty, so that Pipecat's stop strategies take it as the transcript they wait
# for and end the turn at once; it is blank, so that the user aggregator adds nothing to the conversation.
NOT_UNDERSTOOD = " "


@dataclass
class EmbeddedSTTSettings(STTSettings):
    """Settings of EmbeddedSTTService.

    Parameters:
        min_confidence: Utterances of a lower confidence, 0 to 1, count as not understood.
    """

    min_confidence: float | NotGiven = field(default_factory=lambda: NOT_GIVEN)


class EmbeddedSTTService(SegmentedSTTService):
    """Recognises American English in the speech process, one utterance at a time, by its client's engine.

    An utterance that was not understood gives a blank transcript, so that the turn ends without words and Pipecat's
    `EmptyUserTurnConfig` decides whether to ask the caller to say it again. The transcript's `result` is the
    `Recognition`, None where there is none.
    """

    Settings = EmbeddedSTTSettings
    _settings: Settings  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, client: Speech, settings: Settings | None = None, **kwargs) -> None:
        """Take over `client`, which is closed in cleanup; further arguments go to SegmentedSTTService."""
        effective = self.Settings(model=None, language=Language.EN_US, min_confidence=MIN_CONFIDENCE)
        if settings is not None:
            effective.apply_update(settings)
        kwargs.setdefault("ttfs_p99_latency", TTFS_P99_SECS)
        kwargs.setdefault("trailing_silence_secs", 0.0)
        super().__init__(settings=effective, **kwargs)
        self._client = client

    def can_generate_metrics(self) -> bool:
        """Pipecat asks whether latencies are measured: they are."""
        return True

    @property
    def wants_wav_segments(self) -> bool:
        """Pipecat asks whether segments come as WAV: no, as raw PCM."""
        return False

    async def cleanup(self) -> None:
        """Close the connections to the speech process."""
        await super().cleanup()
        await self._client.aclose()

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Yield the transcript of one utterance of s16le mono PCM."""
        await self.start_processing_metrics()
        recognition = await self._recognised(audio)
        text = self._understood(recognition) if recognition else NOT_UNDERSTOOD
        await self.stop_processing_metrics()
        if text.strip():
            await self._handle_transcription(text, True, Language.EN_US)
        yield TranscriptionFrame(text, self._user_id, time_now_iso8601(), Language.EN_US, result=recognition)

    async def _recognised(self, audio: bytes) -> Recognition | None:
        try:
            return await self._client.recognise(audio, self.sample_rate)
        except SpeechError as error:
            await self.push_error("The utterance could not be recognised.", exception=error)
            return None

    def _understood(self, recognition: Recognition) -> str:
        confident = recognition.confidence >= assert_given(self._settings.min_confidence)
        logger.debug(
            "{}: {} words, confidence {:.2f}, {}",
            self,
            len(recognition.text.split()),
            recognition.confidence,
            "understood" if confident else "not understood",
        )
        return recognition.text if confident and recognition.text else NOT_UNDERSTOOD

    @traced_stt
    async def _handle_transcription(self, transcript: str, is_final: bool, language: Language | None = None) -> None:
        """Where Pipecat's tracing hooks in."""
