"""Pipecat's service for Anthropic, as a call needs it: limits of time, and errors that say what failed.

Pipecat's own waits ten minutes for an answer, asks three times, and says nothing of an answer that stops halfway.
"""

from collections.abc import AsyncIterator
from json import JSONDecodeError
from typing import Any

from anthropic import APIConnectionError, APIError, APIStatusError, APITimeoutError, AsyncAnthropic, Timeout
from httpx2 import TimeoutException, TransportError
from pipecat.adapters.llm.services.anthropic_adapter import AnthropicLLMInvocationParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.services.anthropic.llm import AnthropicLLMService
from pipecat.utils.errors import ErrorCategory

from processors.frames import CallingFrame

CONNECT_SECS = 3.0
NOBODY_SPOKE = "."

# An error within an answer has the status of the answer, 200; only its type says what it is.
TYPES = {
    "authentication_error": ErrorCategory.AUTHENTICATION,
    "billing_error": ErrorCategory.QUOTA,
    "permission_error": ErrorCategory.AUTHORIZATION,
    "rate_limit_error": ErrorCategory.RATE_LIMIT,
}


def category_of(error: Exception) -> ErrorCategory | None:
    """Why a request failed; None where its HTTP status says it."""
    match error:
        case APIConnectionError() | TransportError():
            return ErrorCategory.CONNECTIVITY
        case APIStatusError(status_code=200, body={"error": {"type": str(kind)}}):
            return TYPES.get(kind, ErrorCategory.SERVER)
        case APIStatusError():
            return None
        case APIError() | JSONDecodeError():
            return ErrorCategory.SERVER
    return None


class AnthropicMessagesService(AnthropicLLMService):
    """Answers by messages."""

    def __init__(self, *, api_key: str, base_url: str | None, stalled_secs: float, **kwargs: Any) -> None:
        """An answer that stands still for `stalled_secs` is given up; the rest goes to AnthropicLLMService."""
        timeout = Timeout(stalled_secs, connect=min(stalled_secs, CONNECT_SECS))
        client = AsyncAnthropic(api_key=api_key, base_url=base_url, timeout=timeout, max_retries=0)
        super().__init__(api_key=api_key, client=client, **kwargs)

    def _classify_error(self, exception: Exception) -> ErrorCategory | None:
        return category_of(exception)

    async def _get_llm_invocation_params(self, context: LLMContext) -> AnthropicLLMInvocationParams:
        params = await super()._get_llm_invocation_params(context)
        # A call begins with our greeting, and some that speak this interface refuse a dialogue that the model begins.
        if params["messages"] and params["messages"][0]["role"] == "assistant":
            params["messages"].insert(0, {"role": "user", "content": NOBODY_SPOKE})
        return params

    async def _create_message_stream(self, api_call: Any, params: dict[str, Any]) -> AsyncIterator[Any]:
        return self._lively(_timely(await super()._create_message_stream(api_call, params)))

    async def _lively(self, events: AsyncIterator[Any]) -> AsyncIterator[Any]:
        """The events, with a sign of life for each piece of a tool's arguments."""
        async for event in events:
            if event.type == "content_block_delta" and event.delta.type == "input_json_delta":
                await self.push_frame(CallingFrame())
            yield event


async def _timely(stream: Any) -> AsyncIterator[Any]:
    """The events; one that is late raises what Pipecat reports, as it passes over timeouts of the transport."""
    async with stream:
        try:
            async for event in stream:
                yield event
        except TimeoutException as error:
            raise APITimeoutError(request=stream.response.request) from error
