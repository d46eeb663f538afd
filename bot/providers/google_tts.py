"""Pipecat's streaming service for Google's Text-to-Speech, at any endpoint, with an end to waiting."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from google.api_core.client_options import ClientOptions
from google.cloud.texttospeech_v1 import StreamingSynthesizeConfig, TextToSpeechAsyncClient
from google.oauth2.service_account import Credentials
from pipecat.frames.frames import Frame
from pipecat.services.google.tts import GoogleTTSService
from pipecat.utils.errors import ErrorCategory

from bot.providers.google_errors import category_of
from processors.tts_cache import CachedVoice


class GoogleStreamingTTSService(CachedVoice, GoogleTTSService):
    """Chirp 3 HD over gRPC with TLS; `endpoint` is `host:port`, None for Google's own.

    Where no audio comes for `silent_secs`, the text is given up with an error: Pipecat waits without end.
    """

    def __init__(self, *, credentials_path: Path, endpoint: str | None, silent_secs: float, **service: Any):
        self._endpoint = endpoint
        self._silent_secs = silent_secs
        super().__init__(credentials_path=str(credentials_path), **service)

    async def cleanup(self) -> None:
        """Closes the connection, too, which Pipecat leaves to the garbage collector."""
        await super().cleanup()
        assert isinstance(self._client, TextToSpeechAsyncClient)
        await self._client.transport.close()

    def _create_client(self, credentials: str | None, credentials_path: str | None) -> TextToSpeechAsyncClient:
        if self._endpoint is None:
            return super()._create_client(credentials, credentials_path)
        return TextToSpeechAsyncClient(
            credentials=Credentials.from_service_account_file(credentials_path),
            client_options=ClientOptions(api_endpoint=self._endpoint),
        )

    async def _stream_tts(
        self, streaming_config: StreamingSynthesizeConfig, text: str, context_id: str, prompt: str | None = None
    ) -> AsyncGenerator[Frame, None]:
        frames = super()._stream_tts(streaming_config, text, context_id, prompt)
        while (frame := await asyncio.wait_for(anext(frames, None), self._silent_secs)) is not None:
            yield frame

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return super()._classify_error(exception) or category_of(exception)
