"""Pipecat's service for Gemini, whose errors say what they mean."""

import aiohttp
import httpx
from google.genai.errors import APIError, UnknownApiResponseError
from pipecat.services.google.llm import GoogleLLMService
from pipecat.utils.errors import ErrorCategory


class GeminiLLMService(GoogleLLMService):
    """Gemini with a key; a key that Google does not know and a server that is not reached are told apart."""

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        # Google answers 400 to a wrong key.
        if isinstance(exception, APIError) and "API_KEY_INVALID" in str(exception.details):
            return ErrorCategory.AUTHENTICATION
        # The SDK speaks through one of the two; neither's errors are a ConnectionError.
        if isinstance(exception, aiohttp.ClientError | httpx.TransportError):
            return ErrorCategory.CONNECTIVITY
        if isinstance(exception, UnknownApiResponseError):
            return ErrorCategory.SERVER
        return super()._classify_error(exception)
