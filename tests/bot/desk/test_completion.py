"""A conversation in, an answer out, with a retrieval process that answers by script."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from pydantic import SecretStr

from bot.desk.completion import Completion
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.requests import CompletionRequest
from bot.failover import Failover
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval
from bot.wording.table import wording

ENGLISH = wording("en")

PASSAGE = {
    "document_id": str(UUID(int=7)),
    "title": "Returns policy",
    "source": "/docs/returns-policy.md",
    "heading_path": ["Time limit"],
    "page": None,
    "start": 10,
    "end": 66,
    "text": "Unused items can be sent back within thirty days of purchase.",
    "score": 0.9,
    "similarity": 0.8,
    "effective_date": None,
    "legs": None,
}
QUESTION = {"role": "user", "content": "Within how many days can unused items be sent back?"}


def chunk(**fields: Any) -> bytes:
    """A piece of a completion, as OpenAI sends it."""
    told = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", **fields}
    return f"data: {json.dumps(told)}\n\n".encode()


class ScriptedVendor:
    """A retrieval process and an OpenAI at one address, which answer the same to everyone."""

    def __init__(self) -> None:
        self.searches: list[dict[str, Any]] = []
        self.chats: list[dict[str, Any]] = []
        self.search_status = 200
        self.chat_status = 200
        self.tokens = ["Within thirty ", "days [", "1]."]
        self.breaks = False
        self.url = ""

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_post("/search", self._search)
        app.router.add_post("/similarity", self._similarity)
        app.router.add_post("/v1/chat/completions", self._chat)
        return app

    async def _search(self, request: web.Request) -> web.Response:
        self.searches.append(await request.json())
        if self.search_status == 404:
            return web.json_response({"collection": "no", "there": ["default"]}, status=404)
        if self.search_status != 200:
            return web.json_response({"error": "down"}, status=self.search_status)
        return web.json_response({"verdict": "found", "passages": [PASSAGE]})

    async def _similarity(self, request: web.Request) -> web.Response:
        asked = await request.json()
        return web.json_response({"similarities": [0.8 for _ in asked["sentences"]]})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        self.chats.append(await request.json())
        if self.chat_status != 200:
            return web.json_response({"error": {"message": "no"}}, status=self.chat_status)
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for token in self.tokens:
            await response.write(chunk(choices=[{"index": 0, "delta": {"content": token}}]))
        if self.breaks and request.transport is not None:
            request.transport.abort()
            return response
        usage = {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59}
        await response.write(chunk(choices=[], usage=usage) + b"data: [DONE]\n\n")
        return response


@pytest.fixture
async def vendor(tmp_path: Path) -> AsyncIterator[ScriptedVendor]:
    vendor = ScriptedVendor()
    runner = web.AppRunner(vendor.app())
    await runner.setup()
    await web.UnixSite(runner, str(tmp_path / "k")).start()
    listener = socket.create_server(("127.0.0.1", 0))
    await web.SockSite(runner, listener).start()
    vendor.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    yield vendor
    await runner.cleanup()


@asynccontextmanager
async def asking(settings: BotSettings, request: CompletionRequest) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    completion = Completion(settings, request, failover=Failover(settings, report=lambda _event: None))
    line = completion.line()
    await line.start()
    try:
        yield completion.answer(line)
    finally:
        await line.end()
        await completion.aclose()


async def answered(settings: BotSettings, **request: Any) -> list[dict[str, Any]]:
    wanted = CompletionRequest(**{"messages": [QUESTION], **request})
    async with asking(settings, wanted) as events:
        return [event async for event in events]


@pytest.fixture
def embedded(vendor: ScriptedVendor, tmp_path: Path) -> BotSettings:
    return BotSettings(retrieval=Retrieval(socket=tmp_path / "k"), speech_socket=tmp_path / "s")


@pytest.fixture
def openai(embedded: BotSettings, vendor: ScriptedVendor) -> BotSettings:
    return embedded.model_copy(update={"llm": (OpenAILLM(api_key=SecretStr("k"), base_url=vendor.url, model="m"),)})


def text_of(events: list[dict[str, Any]]) -> str:
    return "".join(event["text"] for event in events if event["type"] == "text")


async def test_the_embedded_answerer_quotes_and_cites_the_collection_that_was_named(
    embedded: BotSettings, vendor: ScriptedVendor
):
    events = await answered(embedded, collection="shop")
    citation = next(event for event in events if event["type"] == "citation")
    assert (citation["quote"], citation["source"]) == (PASSAGE["text"], "returns-policy.md")
    assert text_of(events).startswith(PASSAGE["text"])
    assert "[1]" not in text_of(events)
    assert events[-1] == {"type": "end", "finish_reason": "stop", "usage": None}
    assert [search["collection"] for search in vendor.searches] == ["shop"]


async def test_without_a_collection_nothing_is_looked_up(embedded: BotSettings, vendor: ScriptedVendor):
    assert text_of(await answered(embedded)) == ENGLISH.nothing_asked
    assert vendor.searches == []


async def test_a_model_gets_the_calls_instruction_the_conversation_and_the_passages(
    openai: BotSettings, vendor: ScriptedVendor
):
    events = await answered(openai, collection="default", temperature=0.2, max_tokens=300)
    (asked,) = vendor.chats
    assert (asked["temperature"], asked["max_tokens"]) == (0.2, 300)
    assert asked["messages"][0]["content"].startswith("You are Jarvis")
    assert PASSAGE["text"] in asked["messages"][1]["content"]
    assert asked["messages"][-1] == QUESTION
    assert text_of(events) == "Within thirty days. That's from the returns policy."
    assert events[-1]["usage"] == {"prompt_tokens": 50, "completion_tokens": 9, "total_tokens": 59}


async def test_a_model_without_documents_keeps_its_brackets(openai: BotSettings):
    assert text_of(await answered(openai)) == "Within thirty days [1]."


async def test_an_answer_as_long_as_it_may_be_says_so(openai: BotSettings):
    assert (await answered(openai, max_tokens=9))[-1]["finish_reason"] == "length"


async def test_a_collection_that_does_not_exist_is_a_wrong_request(embedded: BotSettings, vendor: ScriptedVendor):
    vendor.search_status = 404
    with pytest.raises(DeskRequestError, match="There is no collection 'no'") as refused:
        await answered(embedded, collection="no")
    assert refused.value.status == 404


async def test_documents_out_of_reach_are_no_reason_to_answer_without_them(
    embedded: BotSettings, vendor: ScriptedVendor
):
    vendor.search_status = 503
    with pytest.raises(DeskUnavailableError, match="can't be searched"):
        await answered(embedded, collection="default")


@pytest.mark.parametrize(("status", "error"), [(500, DeskUnavailableError), (400, DeskRequestError)])
async def test_a_model_that_fails_is_told(
    openai: BotSettings, vendor: ScriptedVendor, status: int, error: type[Exception]
):
    vendor.chat_status = status
    with pytest.raises(error):
        await answered(openai)


async def test_where_the_model_fails_the_next_one_answers(openai: BotSettings, vendor: ScriptedVendor):
    vendor.chat_status = 401
    both = openai.model_copy(update={"llm": (*openai.llm, ExtractiveLLM())})
    assert text_of(await answered(both, collection="shop")).startswith(PASSAGE["text"])


async def test_where_the_stream_breaks_within_a_marker_the_next_one_answers_behind_it(
    openai: BotSettings, vendor: ScriptedVendor
):
    vendor.tokens, vendor.breaks = ["Within thirty ", "days ["], True
    both = openai.model_copy(update={"llm": (*openai.llm, ExtractiveLLM())})
    assert text_of(await answered(both, collection="shop")).startswith(f"Within thirty days. {PASSAGE['text']}")


async def test_a_model_that_says_nothing_is_told(openai: BotSettings, vendor: ScriptedVendor):
    vendor.tokens = []
    with pytest.raises(DeskUnavailableError, match="no answer"):
        await answered(openai)
