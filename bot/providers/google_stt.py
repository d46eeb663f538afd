"""Pipecat's service for Google's Speech-to-Text, at any endpoint, and aloud where it would go deaf."""

import asyncio
import time
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Aborted, InternalServerError
from google.cloud.speech_v2 import SpeechAsyncClient
from google.oauth2.service_account import Credentials
from pipecat.services.google.stt import GoogleSTTService
from pipecat.utils.errors import ErrorCategory

from bot.providers.google_errors import category_of

REOPEN_SECS = 1.0
# What gRPC says for the status of a stream that ended while it was written to.
REASON_LOST = "Internal error from Core"


class GoogleSpeechSTTService(GoogleSTTService):
    """Speech v2 over gRPC with TLS; `endpoint` is `host:port`, None for Google's own of the location.

    Google aborts a stream after five minutes, and after ten seconds without audio; the next one opens by itself. gRPC
    loses the reason where audio is being written at that moment, so that a stream that ends without one after
    `long_open_secs` is no error either.
    """

    def __init__(self, *, credentials_path: Path, endpoint: str | None, long_open_secs: float = 9.0, **service: Any):
        super().__init__(credentials_path=str(credentials_path), **service)
        self._long_open_secs = long_open_secs
        self._reported: Exception | None = None
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

    async def cleanup(self) -> None:
        """Closes the connection, too, which Pipecat leaves to the garbage collector."""
        await super().cleanup()
        await self._client.transport.close()

    async def _stream_audio(self) -> None:
        # Pipecat's task ends when the server ends a stream in peace, and the caller would not be heard any more.
        while True:
            await super()._stream_audio()
            await self.push_error("the stream ended", category=ErrorCategory.CONNECTIVITY)
            await asyncio.sleep(REOPEN_SECS)
            self._stream_start_time = int(time.time() * 1000)

    async def _process_responses(self, streaming_recognize: Any) -> None:
        # Pipecat leaves a call open where it stops reading; its writer would take audio from the next one.
        try:
            await super()._process_responses(streaming_recognize)
        finally:
            streaming_recognize.cancel()

    def _is_usual_end(self, exception: Exception) -> bool:
        is_reason_lost = isinstance(exception, InternalServerError) and exception.message == REASON_LOST
        open_secs = time.time() - self._stream_start_time / 1000
        return isinstance(exception, Aborted) or (is_reason_lost and open_secs >= self._long_open_secs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return super()._classify_error(exception) or category_of(exception)
