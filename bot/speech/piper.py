"""A Piper server's voice as a Pipecat service; Pipecat's own can't be imported without Piper, which is GPL."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from pipecat.frames.frames import ErrorFrame, Frame
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.services.settings import TTSSettings
from pipecat.utils.errors import ErrorCategory, classify_http_exception
from pipecat.utils.tracing.service_decorators import traced_tts
from pipecat.utils.types import NOT_GIVEN, NotGiven, assert_given

from processors.tts_cache import CachedVoice

CONNECT_SECS = 2.0
# A text is spoken to its end before the first byte comes.
ANSWER_SECS = 10.0
NOT_SPOKEN = "The Piper server did not speak the text."


class _NoAudioError(Exception):
    """What came is not a WAV file."""


@dataclass
class PiperTTSSettings(TTSSettings):
    """Settings of PiperTTSService; a `voice` of None is the one that the server was started with.

    Parameters:
        speed: How many times as fast it speaks.
    """

    speed: float | NotGiven = field(default_factory=lambda: NOT_GIVEN)


class PiperTTSService(CachedVoice):
    """Has a server speak, sentence by sentence."""

    Settings = PiperTTSSettings
    _settings: Settings  # pyright: ignore[reportIncompatibleVariableOverride]

    def __init__(self, *, base_url: str, settings: Settings | None = None, **kwargs) -> None:
        """Ask the server at `base_url`; further arguments go to CachedVoice."""
        effective = self.Settings(model=None, voice=None, language=None, speed=1.0)
        if settings is not None:
            effective.apply_update(settings)
        super().__init__(settings=effective, push_start_frame=True, push_stop_frames=True, **kwargs)
        self._base_url = base_url
        self._session: aiohttp.ClientSession | None = None

    def can_generate_metrics(self) -> bool:
        """Pipecat asks whether latencies and usage are measured: they are."""
        return True

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Keep connections for the whole call."""
        await super().setup(setup)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECS, sock_read=ANSWER_SECS)
        self._session = aiohttp.ClientSession(timeout=timeout)

    async def cleanup(self) -> None:
        """Close the connections."""
        await super().cleanup()
        if self._session is not None:
            await self._session.close()

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame | None, None]:
        """Yield the audio of a text, or what went wrong."""
        assert self._session is not None
        try:
            async with self._session.post(self._base_url, json=self._asked(text)) as response:
                response.raise_for_status()
                if response.content_type not in ("audio/wav", "audio/x-wav"):
                    raise _NoAudioError
                await self.start_tts_usage_metrics(text)
                async for frame in self._stream_audio_frames_from_iterator(
                    response.content.iter_chunked(self.chunk_size), strip_wav_header=True, context_id=context_id
                ):
                    await self.stop_ttfb_metrics()
                    yield frame
        except (aiohttp.ClientError, TimeoutError, _NoAudioError) as error:
            # The server's words stay out of the log: some repeat the text.
            yield ErrorFrame(error=NOT_SPOKEN, exception=error, category=_category(error))

    def _asked(self, text: str) -> dict[str, Any]:
        asked = {"text": text, "length_scale": 1 / assert_given(self._settings.speed)}
        voice = assert_given(self._settings.voice)
        return asked | ({"voice": voice} if voice else {})


def _category(error: Exception) -> ErrorCategory:
    # aiohttp's errors of a connection are none of Python's.
    if isinstance(error, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError):
        return ErrorCategory.CONNECTIVITY
    return classify_http_exception(error)
