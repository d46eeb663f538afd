"""The server in OpenAI's place, asked for chat completions by OpenAI's own client."""

import json

import pytest
from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletionChunk

from tests.vendors.faults import Fault, Faults
from tests.vendors.openai_chat import KEY, OpenAIChat, ToolCall

QUESTION = [{"role": "user", "content": "When do you open?"}]


def client(url: str, *, api_key: str = KEY, timeout: float = 5.0) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=api_key, base_url=url, max_retries=0, timeout=timeout)


async def stream(openai: AsyncOpenAI) -> AsyncStream[ChatCompletionChunk]:
    return await openai.chat.completions.create(
        model="m", messages=QUESTION, stream=True, stream_options={"include_usage": True}  # type: ignore[arg-type]
    )  # fmt: skip


async def text_of(openai: AsyncOpenAI) -> str:
    chunks = [each async for each in await stream(openai)]
    return "".join(each.choices[0].delta.content or "" for each in chunks if each.choices)


async def test_an_answer_is_a_function_of_the_messages() -> None:
    chat = OpenAIChat(answer=lambda messages: f"You asked: {messages[-1]['content']}")
    async with chat.serving() as url, client(url) as openai:
        assert await text_of(openai) == "You asked: When do you open?"


async def test_the_last_chunk_says_what_was_used() -> None:
    async with OpenAIChat().serving() as url, client(url) as openai:
        last = [each async for each in await stream(openai)][-1]
    assert last.usage is not None
    assert (last.choices, last.usage.prompt_tokens, last.usage.completion_tokens) == ([], 4, 4)


async def test_a_tool_is_called_in_pieces() -> None:
    chat = OpenAIChat(answer=lambda messages: ToolCall("book", {"day": "Monday"}))
    async with chat.serving() as url, client(url) as openai:
        chunks = [each async for each in await stream(openai)]
    deltas = [each.choices[0].delta for each in chunks if each.choices]
    calls = [delta.tool_calls[0].function for delta in deltas if delta.tool_calls]
    assert [call.name for call in calls if call and call.name] == ["book"]
    assert json.loads("".join(call.arguments or "" for call in calls if call)) == {"day": "Monday"}


async def test_an_answer_comes_in_one_piece_where_no_stream_was_asked() -> None:
    async with OpenAIChat().serving() as url, client(url) as openai:
        answer = await openai.chat.completions.create(model="m", messages=QUESTION)  # type: ignore[arg-type]
    assert answer.choices[0].message.content == "We open at nine."


@pytest.mark.parametrize(
    ("fault", "api_key", "status"),
    [(None, "sk-other", 401), ("unauthorized", KEY, 401), ("rate_limited", KEY, 429), ("server_error", KEY, 500)],
)
async def test_it_refuses_as_told(fault: Fault | None, api_key: str, status: int) -> None:
    async with OpenAIChat(faults=Faults(fault)).serving() as url, client(url, api_key=api_key) as openai:
        with pytest.raises(APIStatusError) as refusal:
            await text_of(openai)
    assert refusal.value.status_code == status


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("refuse", APIConnectionError),
        ("stall", APITimeoutError),
        ("half_open", APITimeoutError),
        ("stall_midway", APITimeoutError),
        ("drop", APIConnectionError),
    ],
)
async def test_it_fails_as_told(fault: Fault, error: type[Exception]) -> None:
    async with OpenAIChat(faults=Faults(fault)).serving() as url, client(url, timeout=0.3) as openai:
        with pytest.raises(error):
            await text_of(openai)


@pytest.mark.parametrize("fault", ["garbage", "empty"])
async def test_nothing_comes_of_garbage_or_of_an_empty_answer(fault: Fault) -> None:
    async with OpenAIChat(faults=Faults(fault)).serving() as url, client(url) as openai:
        assert await text_of(openai) == ""


async def test_what_fails_once_is_served_then() -> None:
    async with OpenAIChat(faults=Faults("refuse", times=1)).serving() as url, client(url) as openai:
        with pytest.raises(APIConnectionError):
            await text_of(openai)
        assert await text_of(openai) == "We open at nine."
