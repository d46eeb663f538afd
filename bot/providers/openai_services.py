"""Pipecat's services for OpenAI's interface, as a call needs them: limits of time, and errors that say what failed.

Pipecat's own wait ten minutes for an answer, ask three times, and know an error's category only by an HTTP status.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from json import JSONDecodeError
from typing import Any

from httpx2 import TransportError
from openai import (
    APIConnectionError,
    APIError,
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    OpenAIError,
    RateLimitError,
    Timeout,
)
from openai.types.chat import ChatCompletionChunk
from pipecat.frames.frames import ErrorFrame, Frame, TranscriptionFrame, TTSAudioRawFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.stt import OpenAISTTService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.time import time_now_iso8601
from pipecat.utils.tracing.service_decorators import traced_tts

from bot.speech.stt import NOT_UNDERSTOOD
from processors.frames import CallingFrame
from processors.tts_cache import CachedVoice

CONNECT_SECS = 3.0
PIECE_SECS = 0.1
BYTES_PER_SAMPLE = 2

# What comes of an answer that is not in OpenAI's language: no JSON, or a text where an object was expected.
NOT_ITS_LANGUAGE = (JSONDecodeError, AttributeError)


def category_of(error: Exception) -> ErrorCategory | None:
    """Why a request failed; None where its HTTP status says it."""
    match error:
        case APIConnectionError() | TransportError():
            return ErrorCategory.CONNECTIVITY
        case RateLimitError(code="insufficient_quota"):
            return ErrorCategory.QUOTA
        case APIStatusError():
            return None
        case APIError() | JSONDecodeError() | AttributeError():
            return ErrorCategory.SERVER
    return None


def limited(client: AsyncOpenAI, *, stalled_secs: float) -> AsyncOpenAI:
    """The client, asking once, and waiting no longer than this for the next byte."""
    return client.with_options(timeout=Timeout(stalled_secs, connect=min(stalled_secs, CONNECT_SECS)), max_retries=0)


class OpenAIChatService(OpenAILLMService):
    """Answers by chat completions."""

    def __init__(self, *, stalled_secs: float, **kwargs: Any) -> None:
        """An answer that stands still for `stalled_secs` is given up; the rest goes to OpenAILLMService."""
        self._stalled_secs = stalled_secs
        super().__init__(**kwargs)

    def create_client(self, *args: Any, **kwargs: Any) -> AsyncOpenAI:
        """Pipecat's client, with limits."""
        return limited(super().create_client(*args, **kwargs), stalled_secs=self._stalled_secs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return category_of(exception)

    async def get_chat_completions(self, context: LLMContext) -> Any:
        """Pipecat's stream, with a sign of life for each piece of a tool's arguments."""
        return self._lively(await super().get_chat_completions(context))

    async def _lively(self, stream: AsyncStream[ChatCompletionChunk]) -> AsyncIterator[ChatCompletionChunk]:
        async with stream:
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta and chunk.choices[0].delta.tool_calls:
                    await self.push_frame(CallingFrame())
                yield chunk


class OpenAITranscriptionService(OpenAISTTService):
    """Hears by transcriptions; what was not understood, or could not be, is a blank transcript, which ends the turn."""

    def __init__(self, *, stalled_secs: float, **kwargs: Any) -> None:
        """An answer that stands still for `stalled_secs` is given up; the rest goes to OpenAISTTService."""
        super().__init__(**kwargs)
        self._client = limited(self._client, stalled_secs=stalled_secs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return category_of(exception)

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame, None]:
        """Yield the transcript of one stretch of speech, a WAV file."""
        await self.start_processing_metrics()
        text, answer = "", None
        try:
            answer = await self._transcribe(audio)
            text = answer.text.strip()
        except (OpenAIError, TransportError, *NOT_ITS_LANGUAGE) as error:
            await self.push_error("The utterance could not be recognised.", exception=error)
        await self.stop_processing_metrics()
        if text:
            await self._handle_transcription(text, True)
        yield TranscriptionFrame(text or NOT_UNDERSTOOD, self._user_id, time_now_iso8601(), result=answer)


class OpenAISpeechService(CachedVoice, OpenAITTSService):
    """Speaks in any voice that the server has; Pipecat's own knows only those of OpenAI."""

    def __init__(self, *, stalled_secs: float, **kwargs: Any) -> None:
        """Speech that stands still for `stalled_secs` is given up; the rest goes to OpenAITTSService."""
        super().__init__(**kwargs)
        self._client = limited(self._client, stalled_secs=stalled_secs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return category_of(exception)

    async def tts_process_generator(self, context_id: str, generator: AsyncGenerator[Frame | None, None]) -> None:
        """Let a context end with its texts, also where none of them came to sound: Pipecat would wait three seconds."""
        await super().tts_process_generator(context_id, generator)
        self._is_yielding_frames_synchronously = True

    @traced_tts
    async def run_tts(self, text: str, context_id: str) -> AsyncGenerator[Frame, None]:
        """Yield the audio of a text as it comes."""
        await self.start_tts_usage_metrics(text)
        piece = int(self.sample_rate * PIECE_SECS) * BYTES_PER_SAMPLE
        has_audio = False
        try:
            async with self._client.audio.speech.with_streaming_response.create(**self._wanted(text)) as answer:
                if answer.headers.get("Content-Type", "").startswith(("text/", "application/json")):
                    yield ErrorFrame("What came in place of speech is no audio.", category=ErrorCategory.SERVER)
                    return
                async for pcm in answer.iter_bytes(piece):
                    has_audio = True
                    await self.stop_ttfb_metrics()
                    whole = pcm[: len(pcm) // BYTES_PER_SAMPLE * BYTES_PER_SAMPLE]
                    yield TTSAudioRawFrame(whole, self.sample_rate, 1, context_id=context_id)
        except (OpenAIError, TransportError) as error:
            yield ErrorFrame("The text could not be spoken.", exception=error)
            return
        if not has_audio:
            yield ErrorFrame("No speech came for the text.", category=ErrorCategory.SERVER)

    def _wanted(self, text: str) -> dict[str, Any]:
        settings = self._settings
        speed = {"speed": settings.speed} if settings.speed else {}
        return {"input": text, "model": settings.model, "voice": settings.voice, "response_format": "pcm"} | speed
