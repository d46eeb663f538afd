"""The server in Anthropic's place, asked by Anthropic's own client."""

import json
from typing import Any

import pytest
from anthropic import APIConnectionError, APIStatusError, AsyncAnthropic
from httpx2 import TransportError

from tests.vendors.anthropic_messages import KEY, AnthropicMessages
from tests.vendors.faults import Fault, Faults
from tests.vendors.openai_chat import ToolCall


def client(url: str, *, api_key: str = KEY, timeout: float = 5.0) -> AsyncAnthropic:
    return AsyncAnthropic(api_key=api_key, base_url=url, max_retries=0, timeout=timeout)


async def events(anthropic: AsyncAnthropic) -> list[Any]:
    stream = await anthropic.messages.create(
        model="m", max_tokens=100, stream=True, messages=[{"role": "user", "content": "When do you open?"}]
    )
    return [event async for event in stream]


async def test_an_answer_comes_in_the_documented_order() -> None:
    async with AnthropicMessages(answer=lambda messages: "At nine.").serving() as url, client(url) as anthropic:
        kinds = [event.type for event in await events(anthropic)]
    assert kinds == [
        "message_start", "content_block_start", "content_block_delta", "content_block_delta", "content_block_stop",
        "message_delta", "message_stop",
    ]  # fmt: skip


async def test_an_answer_is_a_function_of_the_messages() -> None:
    double = AnthropicMessages(answer=lambda messages: f"You asked: {messages[-1]['content']}")
    async with double.serving() as url, client(url) as anthropic:
        said = [event.delta.text for event in await events(anthropic) if event.type == "content_block_delta"]
    assert "".join(said) == "You asked: When do you open?"


async def test_a_tool_is_used_in_pieces() -> None:
    double = AnthropicMessages(answer=lambda messages: ToolCall("book", {"day": "Monday"}))
    async with double.serving() as url, client(url) as anthropic:
        came = await events(anthropic)
    parts = [event.delta.partial_json for event in came if event.type == "content_block_delta"]
    assert json.loads("".join(parts)) == {"day": "Monday"}
    assert [event.content_block.name for event in came if event.type == "content_block_start"] == ["book"]
    assert [event.delta.stop_reason for event in came if event.type == "message_delta"] == ["tool_use"]


async def test_an_answer_comes_in_one_piece_where_no_stream_was_asked() -> None:
    async with AnthropicMessages().serving() as url, client(url) as anthropic:
        answer = await anthropic.messages.create(
            model="m", max_tokens=100, messages=[{"role": "user", "content": "When?"}]
        )
    assert [block.text for block in answer.content if block.type == "text"] == ["We open at nine."]


@pytest.mark.parametrize(
    ("double", "api_key", "status", "kind"),
    [
        (AnthropicMessages(), "sk-other", 401, "authentication_error"),
        (AnthropicMessages(faults=Faults("unauthorized")), KEY, 401, "authentication_error"),
        (AnthropicMessages(faults=Faults("rate_limited")), KEY, 429, "rate_limit_error"),
        (AnthropicMessages(faults=Faults("server_error")), KEY, 500, "api_error"),
        (AnthropicMessages(is_overloaded=True), KEY, 529, "overloaded_error"),
        (AnthropicMessages(is_overloaded_midway=True), KEY, 200, "overloaded_error"),
    ],
)
async def test_it_refuses_as_told(double: AnthropicMessages, api_key: str, status: int, kind: str) -> None:
    async with double.serving() as url, client(url, api_key=api_key) as anthropic:
        with pytest.raises(APIStatusError) as refusal:
            await events(anthropic)
    assert isinstance(refusal.value.body, dict)
    assert (refusal.value.status_code, refusal.value.body["error"]["type"]) == (status, kind)


@pytest.mark.parametrize("fault", ["refuse", "stall", "half_open", "stall_midway", "drop"])
async def test_it_fails_as_told(fault: Fault) -> None:
    double = AnthropicMessages(faults=Faults(fault))
    async with double.serving() as url, client(url, timeout=0.3) as anthropic:
        with pytest.raises((APIConnectionError, TransportError)):
            await events(anthropic)


@pytest.mark.parametrize(
    ("fault", "kinds"), [("garbage", []), ("empty", ["message_start", "message_delta", "message_stop"])]
)
async def test_nothing_is_said_in_garbage_or_in_an_empty_answer(fault: Fault, kinds: list[str]) -> None:
    async with AnthropicMessages(faults=Faults(fault)).serving() as url, client(url) as anthropic:
        assert [event.type for event in await events(anthropic)] == kinds


@pytest.mark.parametrize(
    "messages",
    [
        [],
        [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "When?"}],
        [{"role": "user", "content": "When?"}, {"role": "assistant", "content": "At"}],
    ],
)
async def test_what_is_no_dialogue_ended_by_the_user_is_refused(messages: Any) -> None:
    async with AnthropicMessages().serving() as url, client(url) as anthropic:
        with pytest.raises(APIStatusError) as refusal:
            await anthropic.messages.create(model="m", max_tokens=100, messages=messages)
    assert refusal.value.status_code == 400
