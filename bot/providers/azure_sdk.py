"""Azure's services, which say what kind of failure it was, and don't wait forever."""

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from pipecat.frames.frames import ErrorFrame, Frame
from pipecat.services.azure import stt, tts
from pipecat.utils.errors import ErrorCategory, classify_http_status_code

from processors.tts_cache import CachedVoice

# The SDK waits by itself for each next piece of audio, but not for the first one.
FIRST_AUDIO_SECS = 5.0
STATUS = re.compile(r"\((\d{3})\)")
NOT_REACHED = ("Connection failed", "WebSocket operation failed", "Timeout")


def category(error: str) -> ErrorCategory:
    """The kind of failure that the SDK tells only in words."""
    if match := STATUS.search(error):
        return classify_http_status_code(int(match[1]))
    return ErrorCategory.CONNECTIVITY if any(words in error for words in NOT_REACHED) else ErrorCategory.UNKNOWN


def _told(error: ErrorFrame) -> ErrorFrame:
    if error.category is None and error.exception is None:
        error.category = category(error.error)
    return error


class AzureSTTService(stt.AzureSTTService):
    """Azure's transcription."""

    async def push_error_frame(self, error: ErrorFrame, force_treat_as_permanent: bool = False) -> None:
        """Push it with its category."""
        await super().push_error_frame(_told(error), force_treat_as_permanent)


class AzureTTSService(CachedVoice, tts.AzureTTSService):
    """Azure's voices."""

    async def push_error_frame(self, error: ErrorFrame, force_treat_as_permanent: bool = False) -> None:
        """Push it with its category."""
        await super().push_error_frame(_told(error), force_treat_as_permanent)

    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Yield the audio of a text, or what went wrong: that no audio came in time, too."""
        async with aclosing(super().run_tts(text, context_id)) as frames:
            try:
                yield await asyncio.wait_for(anext(frames), FIRST_AUDIO_SECS)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                await self._stop_speaking()
                yield ErrorFrame(error="Azure did not speak in time.", exception=error)
                return
            async for frame in frames:
                yield frame

    async def _stop_speaking(self) -> None:
        if self._speech_synthesizer is not None:
            await asyncio.to_thread(self._speech_synthesizer.stop_speaking_async().get)
