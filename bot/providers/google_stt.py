"""Pipecat's service for Google's Speech-to-Text, at any endpoint, and aloud where it would go deaf."""

import asyncio
import time
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Aborted, InternalServerError
from google.cloud.speech_v2 import SpeechAsyncClient
from google.cloud.speech_v2.types import StreamingRecognizeRequest
from google.oauth2.service_account import Credentials
from pipecat.frames.frames import Frame, VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.google.stt import GoogleSTTService
from pipecat.utils.errors import ErrorCategory

from bot.providers.google_errors import category_of

REOPEN_SECS = 1.0
# Five minutes are all that Google gives a stream.
LAST_SECS = 50.0
# Shorter sounds may well be none that Google answers.
MIN_SPEECH_SECS = 0.5
BYTES_PER_SAMPLE = 2
# What gRPC says for the status of a stream that ended while it was written to.
REASON_LOST = "Internal error from Core"


class GoogleSpeechSTTService(GoogleSTTService):
    """Speech v2 over gRPC with TLS; `endpoint` is `host:port`, None for Google's own of the location.

    Google aborts a stream after five minutes, and after ten seconds without audio; the next one opens by itself. gRPC
    loses the reason where audio is being written at that moment, so that a stream that ends without one after
    `long_open_secs` is no error either. To lose no word that way a stream is left before: after `rotate_secs`, as soon
    as a stretch of speech is over, at the latest `LAST_SECS` later.

    Where Google says nothing at all to speech for `silent_secs` after its end, that is an error, and another stream is
    opened: Pipecat would wait without end.
    """

    # In ms; Pipecat throws away what Google says to a stream that is older.
    STREAMING_LIMIT = 10**12

    def __init__(
        self,
        *,
        credentials_path: Path,
        endpoint: str | None,
        long_open_secs: float = 9.0,
        rotate_secs: float = 240.0,
        silent_secs: float = 3.0,
        **service: Any,
    ):
        super().__init__(credentials_path=str(credentials_path), **service)
        self._long_open_secs = long_open_secs
        self._rotate_secs = rotate_secs
        self._silent_secs = silent_secs
        self._reported: Exception | None = None
        self._is_quiet = self._is_rotating = False
        self._has_answered = True
        self._unanswered_bytes = 0
        self._watching: asyncio.Task[None] | None = None
        if endpoint is not None:
            self._client = SpeechAsyncClient(
                credentials=Credentials.from_service_account_file(credentials_path),
                client_options=ClientOptions(api_endpoint=endpoint),
            )

    async def push_error(self, error_msg: str, exception: Exception | None = None, *args: Any, **error: Any) -> None:
        """Reports an error once, where Pipecat does twice, and not where a stream ended as all do."""
        if exception is not None and (exception is self._reported or self._is_usual_end(exception)):
            return
        self._reported = exception
        await super().push_error(error_msg, exception, *args, **error)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Watches for an answer to each stretch of speech."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            await self._stop_watching()
            self._is_quiet = self._has_answered = False
            self._unanswered_bytes = 0
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._is_quiet = True
            if self._unanswered_bytes >= MIN_SPEECH_SECS * self.sample_rate * BYTES_PER_SAMPLE:
                await self._stop_watching()
                self._watching = self.create_task(self._watch(), "answer")

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Sends audio on; the transcripts come by themselves."""
        self._unanswered_bytes += len(audio)
        async for frame in super().run_stt(audio):
            yield frame

    async def cleanup(self) -> None:
        """Closes the connection, too, which Pipecat leaves to the garbage collector."""
        await self._stop_watching()
        await super().cleanup()
        await self._client.transport.close()

    async def begin_anew(self) -> None:
        """Has another stream take what is said from now on."""
        await self._reconnect_if_needed()

    async def _watch(self) -> None:
        await asyncio.sleep(self._silent_secs)
        if not self._has_answered:
            await self.begin_anew()
            await self.push_error("Google does not answer", category=ErrorCategory.CONNECTIVITY)

    async def _stop_watching(self) -> None:
        if self._watching is not None:
            await self.cancel_task(self._watching)
            self._watching = None

    async def _stream_audio(self) -> None:
        # Pipecat's task ends when a stream ends in peace, and the caller would not be heard any more.
        while True:
            await super()._stream_audio()
            if self._is_rotating:
                self._is_rotating = False
                continue
            await self.push_error("the stream ended", category=ErrorCategory.CONNECTIVITY)
            await asyncio.sleep(REOPEN_SECS)

    async def _request_generator(self) -> AsyncGenerator[StreamingRecognizeRequest, None]:
        # Pipecat's sends what came at its limit behind what came later, and not to this stream's end.
        opened_at = time.monotonic()
        self._is_rotating = False
        self._stream_start_time = int(time.time() * 1000)
        requests = super()._request_generator()
        async for request in requests:
            yield request
            open_secs = time.monotonic() - opened_at
            if open_secs >= self._rotate_secs and (self._is_quiet or open_secs >= self._rotate_secs + LAST_SECS):
                self._is_rotating, self._is_quiet = True, False
                return

    async def _process_responses(self, streaming_recognize: Any) -> None:
        # Pipecat leaves a call open where it stops reading; its writer would take audio from the next one.
        try:
            await super()._process_responses(self._noted(streaming_recognize))
        finally:
            streaming_recognize.cancel()

    async def _noted(self, responses: Any) -> AsyncGenerator[Any, None]:
        async for response in responses:
            self._has_answered = True
            yield response

    def _is_usual_end(self, exception: Exception) -> bool:
        is_reason_lost = isinstance(exception, InternalServerError) and exception.message == REASON_LOST
        open_secs = time.time() - self._stream_start_time / 1000
        return isinstance(exception, Aborted) or (is_reason_lost and open_secs >= self._long_open_secs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return super()._classify_error(exception) or category_of(exception)
