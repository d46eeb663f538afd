"""The embedded voice as a Pipecat service."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame
from pipecat.services.settings import TTSSettings
from pipecat.services.tts_service import TTSService
from pipecat.utils.tracing.service_decorators import traced_tts
from pipecat.utils.types import NOT_GIVEN, NotGiven, assert_given

from bot.speech.client import Speech, SpeechAudio
from bot.speech.errors import SpeechError

VOICE = "en-us+f2"
WORDS_PER_MINUTE = 165
PITCH = 50
PAUSE_BETWEEN_SENTENCES_SECS = 0.25
BYTES_PER_SAMPLE = 2


@dataclass
class EmbeddedTTSSettings(TTSSettings):
    """Settings of EmbeddedTTSService; `voice` is the name of an espeak-ng voice, with a variant behind a `+`.

    Parameters:
        words_per_minute: How fast it speaks, 80 to 450.
        pitch: How high it speaks, 0 to 100.
    """

    words_per_minute: int | NotGiven = field(default_factory=lambda: NOT_GIVEN)
    pitch: int | NotGiven = field(default_factory=lambda: NOT_GIVEN)


class EmbeddedTTSService(TTSService):
    """Speaks through the speech process, sentence by sentence, with the time of each word."""

    Settings = EmbeddedTTSSettings
    _settings: Settings  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, client: Speech, settings: Settings | None = None, **kwargs) -> None:
        """Take over `client`, which is closed in cleanup; further arguments go to TTSService."""
        effective = self.Settings(
            model=None, voice=VOICE, language=None, words_per_minute=WORDS_PER_MINUTE, pitch=PITCH
        )
        if settings is not None:
            effective.apply_update(settings)
        super().__init__(
            settings=effective, push_text_frames=False, push_start_frame=True, push_stop_frames=True, **kwargs
        )
        self._client = client
        self._spoken_secs: dict[str, float] = {}

    def can_generate_metrics(self) -> bool:
        """Pipecat asks whether latencies and usage are measured: they are."""
        return True

    async def cleanup(self) -> None:
        """Close the connections to the speech process."""
        await super().cleanup()
        await self._client.aclose()

    async def on_audio_context_completed(self, context_id: str) -> None:
        """Forget how long a context has spoken."""
        self._spoken_secs.pop(context_id, None)

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Forget how long a context has spoken."""
        self._spoken_secs.pop(context_id, None)

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Yield the audio of a text; its words go to the context with times that count on from its sentences before."""
        await self.start_tts_usage_metrics(text)
        if self._spoken_secs.get(context_id):
            yield self._audio(bytes(self._bytes(PAUSE_BETWEEN_SENTENCES_SECS)), context_id)
        begin_secs = self._spoken_secs.get(context_id, 0.0)
        parts = self._client.synthesize(
            text,
            voice=str(assert_given(self._settings.voice)),
            words_per_minute=assert_given(self._settings.words_per_minute),
            pitch=assert_given(self._settings.pitch),
            sample_rate=self.sample_rate,
        )
        try:
            async with aclosing(parts):
                async for part in parts:
                    if isinstance(part, SpeechAudio):
                        yield self._audio(part.pcm, context_id)
                    else:
                        await self.add_word_timestamps([(part.word, begin_secs + part.start_secs)], context_id)
        except SpeechError as error:
            yield ErrorFrame(error="The text could not be spoken.", exception=error)

    def _audio(self, pcm: bytes, context_id: str) -> TTSAudioRawFrame:
        secs = len(pcm) / (self.sample_rate * BYTES_PER_SAMPLE)
        self._spoken_secs[context_id] = self._spoken_secs.get(context_id, 0.0) + secs
        return TTSAudioRawFrame(pcm, self.sample_rate, 1, context_id=context_id)

    def _bytes(self, secs: float) -> int:
        return round(secs * self.sample_rate) * BYTES_PER_SAMPLE
