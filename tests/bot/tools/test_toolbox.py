"""What a language model calls is done, told, and goes on: with Pipecat's own function calling, over loopback."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval
from bot.tools.settings import HttpTool, Parameter
from bot.tools.toolbox import tools_of
from knowledge.types import Passage
from processors.frames import FillerFrame, GoodbyeFrame
from tests.bot.tools.tool_call import Search, ToolCallRun
from tests.vendors.openai_chat import ToolCall

BOOK = ToolCall("book", {"day": "Monday"})


def passage(number: int, title: str, text: str) -> Passage:
    return Passage(
        document_id=UUID(int=number), source=f"/docs/{title}.md", title=title, heading_path=(), text=text,
        start=0, end=len(text), score=1.0, similarity=0.6,
    )  # fmt: skip


FEES = passage(1, "Fees", "Parking costs two dollars.")
BIKES = passage(2, "Bikes", "A bicycle is let for nine dollars.")


@asynccontextmanager
async def service(**tool: Any) -> AsyncIterator[tuple[HttpTool, list[Any]]]:
    """A service of the operator's, its tool and what it was asked."""
    asked: list[Any] = []

    async def take(request: web.Request) -> web.Response:
        asked.append((request.method, request.path_qs, await request.text()))
        return web.json_response({"state": "shipped on Friday"})

    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", take)
    async with TestServer(app, host="127.0.0.1") as server:
        fields = {"name": "book", "description": "Books.", "parameters": {"day": Parameter(description="the day")}}
        yield HttpTool(**{**fields, "url": str(server.make_url("/book")), **tool}), asked


async def test_a_result_is_what_the_answer_is_made_of():
    async with service() as (tool, asked), ToolCallRun([BOOK, "It is shipped."], tools=[tool]) as call:
        await call.says("Where is it?", then="It is shipped.")
        assert asked == [("GET", "/book?day=Monday", "")]
        (result,) = [m["content"] for m in call.asked(1) if m["role"] == "tool"]
        assert "shipped on Friday" in result
        assert call.outcomes == [("book", "done")]


async def test_the_filler_is_said_before_the_answer_and_is_none_of_it():
    async with service(filler="One moment, I look.") as (tool, _), ToolCallRun([BOOK, "Done."], tools=[tool]) as call:
        await call.says("Where is it?", then="Done.")
        assert call.spoken == "One moment, I look.Done."
        assert [frame.append_to_context for frame in call.came(FillerFrame)] == [False]


async def test_nothing_is_changed_before_the_caller_said_yes():
    answers = [BOOK, "Monday, is that right?", "Well?"]
    async with service(method="POST") as (tool, asked), ToolCallRun(answers, tools=[tool]) as call:
        await call.says("Book it for Monday.", then="right?")
        assert (asked, call.outcomes) == ([], [("book", "asked")])


async def test_what_the_caller_agreed_to_is_done_once():
    answers = [BOOK, "Monday, is that right?", BOOK, "Booked.", BOOK, "Again?"]
    async with service(method="POST") as (tool, asked), ToolCallRun(answers, tools=[tool]) as call:
        await call.says("Book it for Monday.", then="right?")
        await call.says("Yes, please.", then="Booked.")
        await call.says("Thanks.", then="Again?")
        assert asked == [("POST", "/book", '{"day": "Monday"}')]
        assert [outcome for _, outcome in call.outcomes] == ["asked", "done", "asked"]


async def test_what_the_caller_did_not_agree_to_is_not_done():
    answers = [BOOK, "Monday, is that right?", ToolCall("book", {"day": "Friday"}), "Friday, is that right?"]
    async with service(method="POST") as (tool, asked), ToolCallRun(answers, tools=[tool]) as call:
        await call.says("Book it for Monday.", then="Monday, is that right?")
        await call.says("Yes.", then="Friday, is that right?")
        assert asked == []


async def test_arguments_that_the_tool_does_not_take_are_told_to_the_model_alone():
    answers = [ToolCall("book", {"day": 5}), "Which day?"]
    async with service() as (tool, asked), ToolCallRun(answers, tools=[tool]) as call:
        await call.says("Book it.", then="Which day?")
        assert (asked, call.outcomes) == ([], [("book", "refused")])


async def test_a_service_that_fails_is_told_to_the_model():
    tool = HttpTool(name="book", description="Books.", url="http://127.0.0.1:9/book")
    async with ToolCallRun([ToolCall("book", {}), "That did not work."], tools=[tool]) as call:
        await call.says("Book it.", then="That did not work.")
        assert call.outcomes == [("book", "failed")]


@asynccontextmanager
async def slow_service(**tool: Any) -> AsyncIterator[tuple[HttpTool, asyncio.Event, asyncio.Event]]:
    """A service that answers when it is let go: its tool, whether it was asked, and what lets it go."""
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def take(_request: web.Request) -> web.Response:
        asked.set()
        await go_on.wait()
        return web.json_response({"state": "booked"})

    app = web.Application()
    app.router.add_route("*", "/book", take)
    async with TestServer(app, host="127.0.0.1") as server:
        yield HttpTool(name="book", description="Books.", url=str(server.make_url("/book")), **tool), asked, go_on
        go_on.set()


async def test_a_caller_who_speaks_is_answered_without_what_was_looked_up():
    answers = [ToolCall("book", {}), "Of course."]
    async with slow_service() as (tool, asked, _), ToolCallRun(answers, tools=[tool]) as call:
        await call.begins("Where is it?")
        await asked.wait()
        await call.interrupts()
        await call.says("Never mind.", then="Of course.")
        assert [m["content"] for m in call.asked(1) if m["role"] == "tool"] == ["CANCELLED"]


async def test_what_changes_something_is_not_broken_off_by_a_caller_who_speaks():
    answers = [ToolCall("book", {}), "Right?", ToolCall("book", {}), "Booked."]
    async with slow_service(method="POST") as (tool, asked, go_on), ToolCallRun(answers, tools=[tool]) as call:
        await call.says("Book it.", then="Right?")
        await call.begins("Yes.")
        await asked.wait()
        await call.interrupts()
        go_on.set()
        await call.until(lambda: call.spoken.endswith("Booked."))
        assert call.outcomes[-1] == ("book", "done")


async def test_what_a_second_look_finds_is_cited_like_the_rest():
    answers = [ToolCall("search_knowledge", {"query": "bicycle"}), "Nine dollars [2]."]
    async with ToolCallRun(answers, search=Search(parking=FEES, bicycle=BIKES)) as call:
        await call.says("What is parking with a two-wheeler?", then="That's from the bikes page.")
        assert [each.passage for each in call.cited] == [BIKES]
        (told,) = [m["content"] for m in call.asked(1) if "<passages-" in str(m.get("content"))]
        assert "Parking costs" in told
        assert "A bicycle is let" in told


async def test_an_answer_that_rests_on_a_tool_is_no_gap():
    async with service() as (tool, _), ToolCallRun([BOOK, "It is shipped."], tools=[tool]) as call:
        await call.says("Where is it?", then="It is shipped.")
        await call.says_nothing_more()
        assert call.unanswered == []


async def test_a_second_look_in_vain_is_a_gap():
    answers = [ToolCall("search_knowledge", {"query": "kites"}), "I could not find it."]
    async with ToolCallRun(answers) as call:
        await call.says("Do you sell kites?", then="I could not find it.")
        await call.says_nothing_more()
        assert call.unanswered == ["Do you sell kites?"]


async def test_the_end_of_a_call_is_said_and_no_answer_follows():
    async with ToolCallRun([ToolCall("end_call", {"reason": "caller_said_goodbye"})]) as call:
        await call.says("I have to go now.", then="Goodbye.")
        await call.until(lambda: call.came(GoodbyeFrame))
        assert (len(call.chat.asked), call.outcomes) == (1, [("end_call", "done")])


LEFT = {"name": "Ada", "contact": "555 0187", "message": "Please call me."}


async def test_a_message_is_taken_once_it_was_read_back():
    take = ToolCall("take_message", LEFT)
    async with ToolCallRun([take, "Ada, 555 0187, is that right?", take, "It will be passed on."]) as call:
        await call.says("Can I leave a message?", then="right?")
        assert [each for each in call.told if each["type"] == "message"] == []
        await call.says("Yes, that's right.", then="passed on.")
        (message,) = [each for each in call.told if each["type"] == "message"]
        assert {name: message[name] for name in ("number", "name", "contact", "text")} == {
            "number": 1, "name": "Ada", "contact": "555 0187", "text": "Please call me.",
        }  # fmt: skip


async def test_without_records_no_message_is_taken():
    nowhere = Path("/nowhere")
    settings = BotSettings(
        llm=(OpenAILLM(api_key=SecretStr("k")), ExtractiveLLM()),
        retrieval=Retrieval(socket=nowhere, keep_gaps=False),
        speech_socket=nowhere,
    )
    async with tools_of(settings, finder=Search(), report=lambda _: None) as tools:
        assert [schema.name for schema in tools.schemas] == ["search_knowledge", "end_call"]


@pytest.mark.parametrize(
    ("llm", "names"),
    [
        ((ExtractiveLLM(),), []),
        ((OpenAILLM(api_key=SecretStr("k")), ExtractiveLLM()), ["search_knowledge", "end_call", "take_message"]),
    ],
)
async def test_only_a_language_model_has_tools(llm: tuple[Any, ...], names: list[str]):
    nowhere = Path("/nowhere")
    settings = BotSettings(llm=llm, retrieval=Retrieval(socket=nowhere), speech_socket=nowhere)
    async with tools_of(settings, finder=Search(), report=lambda _: None) as tools:
        assert [schema.name for schema in tools.schemas] == names
