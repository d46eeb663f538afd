"""Azure's services, which say what kind of failure it was, and don't wait forever."""

import asyncio
import re
import time
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from azure.cognitiveservices.speech import CancellationReason, SpeechRecognizer
from pipecat.frames.frames import ErrorFrame, Frame, VADUserStartedSpeakingFrame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.azure import stt, tts
from pipecat.utils.errors import ErrorCategory, classify_http_status_code

from processors.tts_cache import CachedVoice

# The SDK waits by itself for each next piece of audio, but not for the first one.
FIRST_AUDIO_SECS = 5.0
# A recogniser that was given up is begun anew after so long, or as somebody begins to speak.
REOPEN_SECS = 1.0
# A recogniser has stopped by then.
STOP_SECS = 2.0
# What was let go of lately. The SDK's threads tell of an end after it, by a pointer to what Python frees with it:
# that may end the process.
HELD: deque[object] = deque(maxlen=16)
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
    """Azure's transcription, which is begun anew after the SDK gave it up: Pipecat's hears nothing any more then.

    That is as the next stretch of speech begins, or with audio that comes `REOPEN_SECS` later.
    """

    def __init__(self, **service: Any) -> None:
        super().__init__(**service)
        self._given_up_at: float | None = None
        self._stopping: set[asyncio.Task[None]] = set()

    async def cleanup(self) -> None:
        """Waits for recognisers that stop."""
        await super().cleanup()
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=STOP_SECS)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Watches for the beginning of speech."""
        if isinstance(frame, VADUserStartedSpeakingFrame) and self._given_up_at is not None:
            await self.begin_anew()
        await super().process_frame(frame, direction)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Hand audio to the SDK; the transcripts come by themselves."""
        if self._given_up_at is not None and time.monotonic() - self._given_up_at >= REOPEN_SECS:
            await self.begin_anew()
        async for frame in super().run_stt(audio):
            yield frame

    async def begin_anew(self) -> None:
        """Has another recogniser of the SDK hear what is said from now on."""
        self._given_up_at = None
        await self._disconnect()
        await self._connect()

    async def push_error_frame(self, error: ErrorFrame, force_treat_as_permanent: bool = False) -> None:
        """Push it with its category."""
        await super().push_error_frame(_told(error), force_treat_as_permanent)

    def _on_handle_canceled(self, event: Any) -> None:
        # In a thread of the SDK's.
        if event.result.cancellation_details.reason == CancellationReason.Error:
            self._given_up_at = time.monotonic()
        super()._on_handle_canceled(event)

    async def _disconnect(self) -> None:
        # Pipecat's lets go of a recogniser that the SDK's threads still stop, which may end the process.
        recognizer, self._speech_recognizer = self._speech_recognizer, None
        if recognizer is not None:
            HELD.append(recognizer)
            task = asyncio.create_task(asyncio.to_thread(_stop, recognizer), name="stop-recogniser")
            self._stopping.add(task)
            task.add_done_callback(self._stopping.discard)
        await super()._disconnect()


def _stop(recognizer: SpeechRecognizer) -> None:
    recognizer.stop_continuous_recognition_async().get()


class AzureTTSService(CachedVoice, tts.AzureTTSService):
    """Azure's voices."""

    async def cleanup(self) -> None:
        """Holds what the SDK may still call."""
        await super().cleanup()
        HELD.append(self._speech_synthesizer)

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
