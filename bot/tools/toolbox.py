"""The tools of a call, as Pipecat's language models take them."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from pipecat.adapters.llm.schemas.direct_function import tool_options
from pipecat.adapters.llm.schemas.function_schema import FunctionSchema
from pipecat.frames.frames import FunctionCallResultProperties, TTSSpeakFrame
from pipecat.services.llm_service import FunctionCallParams

from bot.reports import Report
from bot.settings import BotSettings
from bot.tools.consent import Consent
from bot.tools.http import HttpCaller, Result
from bot.tools.settings import HttpTool, Parameter, Tool
from knowledge.errors import KnowledgeError
from knowledge.types import SearchResult
from processors.frames import FillerFrame, GoodbyeFrame
from processors.retrieval import turns_in
from processors.second_look import SEARCH, TurnPassages

# What Pipecat does to a tool that is late; ours end by themselves before.
BACKSTOP_SECS = 2.0
SEARCH_SECS = 2.0

ASK_FIRST = (
    "Not done yet: the caller has to agree first. Say back in one sentence what you are about to do, with these "
    "details, and ask whether that is right. Once they have said yes, call this again with exactly the same values."
)
NUMBERED = "These numbers are among your passages now, and are cited as the others are."
NOTHING = "There is nothing about that. Don't look again for the same."
MESSAGE = Tool(
    name="take_message",
    description="Takes a message for the people of the business. Only where the caller wants to leave one.",
    parameters={
        "name": Parameter(description="the caller's name", max_length=200),
        "contact": Parameter(description="the caller's telephone number or e-mail address", max_length=200),
        "message": Parameter(description="what is to be passed on, in the caller's words", max_length=2_000),
    },
    confirm=True,
)
Handler = Callable[[FunctionCallParams], Awaitable[None]]


class Finder(Protocol):
    """What looks passages up; `knowledge.client.KnowledgeClient` is the real one."""

    async def search(self, question: str, *, limit: int = 4, gated: bool = True) -> SearchResult:
        """The best passages, best first; raises `KnowledgeError`."""
        ...


class Toolbox:
    """The tools of one call; `report` is told of each that was called, by its name and what came of it.

    `{"type": "message", "number", "name", "contact", "text", "left_at"}` is what a caller left: like `said` it has
    words in it, and goes nowhere but into the record. Without records there are no messages (`takes_messages`).

    `goodbye` is what is said before it hangs up. `passages` are those of the turn, to which a second look adds.
    `schemas` are for the call's context: Pipecat registers what they carry with every language model that sees it.
    """

    def __init__(
        self,
        tools: Sequence[HttpTool],
        *,
        finder: Finder,
        passages: TurnPassages,
        limit: int,
        report: Report,
        goodbye: str,
        takes_messages: bool = False,
    ) -> None:
        self._finder = finder
        self._passages = passages
        self._limit = limit
        self._report = report
        self._goodbye = goodbye
        self._http = HttpCaller()
        self._consent = Consent()
        self._messages = 0
        self.schemas = [
            self._search_schema(),
            self._end_schema(),
            *([self._message_schema()] if takes_messages else []),
            *(self._http_schema(tool) for tool in tools),
        ]

    async def aclose(self) -> None:
        """Ends its connections."""
        await self._http.aclose()

    def _search_schema(self) -> FunctionSchema:
        return FunctionSchema(
            SEARCH,
            "Looks in the operator's documents again, in other words than the caller's. Only where the passages that "
            "you have don't answer.",
            {"query": {"type": "string", "description": "what to look for, in the words that a document would use"}},
            ["query"],
            handler=self._handler(self._search, timeout_secs=SEARCH_SECS),
        )

    def _end_schema(self) -> FunctionSchema:
        return FunctionSchema(
            "end_call",
            "Says goodbye to the caller and hangs up. Only where the caller wants that. Say nothing yourself.",
            {"reason": {"type": "string", "enum": ["caller_said_goodbye", "caller_asked_to_hang_up"]}},
            ["reason"],
            handler=self._handler(self._end, timeout_secs=SEARCH_SECS),
        )

    def _message_schema(self) -> FunctionSchema:
        return FunctionSchema(
            MESSAGE.name,
            MESSAGE.description,
            {name: parameter.schema_ for name, parameter in MESSAGE.parameters.items()},
            [*MESSAGE.parameters],
            handler=self._handler(self._take, timeout_secs=SEARCH_SECS, breaks_off=False),
        )

    def _http_schema(self, tool: HttpTool) -> FunctionSchema:
        async def call(params: FunctionCallParams) -> Result:
            return await self._ask(tool, params)

        return FunctionSchema(
            tool.name,
            tool.description,
            {name: parameter.schema_ for name, parameter in tool.parameters.items()},
            [name for name, parameter in tool.parameters.items() if parameter.required],
            # What may have changed something is not broken off by a caller who speaks.
            handler=self._handler(call, timeout_secs=tool.timeout_secs, breaks_off=not tool.asks_first),
        )

    def _handler(
        self,
        call: Callable[[FunctionCallParams], Awaitable[Result]],
        *,
        timeout_secs: float,
        breaks_off: bool = True,
    ) -> Handler:
        @tool_options(cancel_on_interruption=breaks_off, timeout_secs=timeout_secs + BACKSTOP_SECS)
        async def handle(params: FunctionCallParams) -> None:
            try:
                async with asyncio.timeout(timeout_secs + BACKSTOP_SECS / 2):
                    result = await call(params)
            except TimeoutError:
                result = Result("timeout", {"error": "It took too long. Tell the caller that it did not work."})
            self._report({"type": "tool", "tool": params.function_name, "outcome": result.outcome})
            goes_on = FunctionCallResultProperties(run_llm=params.function_name != "end_call")
            await params.result_callback(dict(result.told), properties=goes_on)

        return handle

    async def _search(self, params: FunctionCallParams) -> Result:
        query = params.arguments.get("query")
        if not isinstance(query, str) or not query.strip():
            return Result("refused", {"error": "query is missing."})
        try:
            found = await self._finder.search(query, limit=self._limit, gated=False)
        except KnowledgeError:
            return Result("failed", {"error": "The documents can't be searched right now."})
        numbers = self._passages.add(found.passages)
        return Result("done", {"passages": numbers, "note": NUMBERED if numbers else NOTHING})

    async def _end(self, params: FunctionCallParams) -> Result:
        await params.llm.push_frame(TTSSpeakFrame(self._goodbye))
        await params.llm.push_frame(GoodbyeFrame())
        return Result("done", {"said": self._goodbye})

    async def _take(self, params: FunctionCallParams) -> Result:
        if (result := self._unwanted(MESSAGE, params)) is not None:
            return result
        self._messages += 1
        given = params.arguments
        left = {"name": given["name"], "contact": given["contact"], "text": given["message"], "left_at": time.time()}
        self._report({"type": "message", "number": self._messages, **left})
        return Result("done", {"note": "The message is taken. Tell the caller that it will be passed on."})

    def _unwanted(self, tool: Tool, params: FunctionCallParams) -> Result | None:
        """Why it is not done: wrong arguments, or a caller who has not agreed; None where it is to be done."""
        if (wrong := tool.complaint(params.arguments)) is not None:
            return Result("refused", {"error": wrong})
        if tool.asks_first and not self._consent.given(tool.name, params.arguments, turns_in(params.context)):
            return Result("asked", {"error": ASK_FIRST})
        return None

    async def _ask(self, tool: HttpTool, params: FunctionCallParams) -> Result:
        if (result := self._unwanted(tool, params)) is not None:
            return result
        if tool.filler:
            await params.llm.push_frame(FillerFrame(tool.filler, append_to_context=False))
        return await self._http.call(tool, params.arguments)


@dataclass(frozen=True)
class CallTools:
    """What a call's language model may call, and the turn's passages, to which a second look adds."""

    schemas: Sequence[FunctionSchema] = ()
    passages: TurnPassages = field(default_factory=TurnPassages)


@asynccontextmanager
async def tools_of(settings: BotSettings, *, finder: Finder, report: Report) -> AsyncIterator[CallTools]:
    """The tools of one call, with their connections: none where only what quotes passages answers."""
    passages = TurnPassages()
    if len(settings.llm) == 1:
        yield CallTools(passages=passages)
        return
    limit = settings.retrieval.passages
    toolbox = Toolbox(
        settings.tools,
        finder=finder,
        passages=passages,
        limit=limit,
        report=report,
        goodbye=settings.words.goodbye,
        takes_messages=settings.retrieval.keep_gaps,
    )
    try:
        yield CallTools(toolbox.schemas, passages)
    finally:
        await toolbox.aclose()
