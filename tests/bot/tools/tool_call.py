"""A call's worth of pipeline around tools: a language model's double, and all that its results come by."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMMessagesAppendFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.workers.runner import WorkerRunner
from pydantic import SecretStr

from bot.providers.openai import OpenAILLM
from bot.tools.settings import HttpTool
from bot.tools.toolbox import Toolbox
from knowledge.types import Passage, SearchResult, Verdict
from processors.citations import Citation, CitationProcessor
from processors.failover.llm import KeptLLM, Member
from processors.failover.providers import Providers
from processors.filler import FillerProcessor
from processors.retrieval import RetrievalProcessor
from processors.second_look import ResultsUp, SecondLook, TurnPassages
from tests.bot.providers.similarity import NoSimilarity
from tests.processors.failover.scripted_llm import Ends
from tests.vendors.openai_chat import KEY, Messages, OpenAIChat, ToolCall

# Long enough for a busy machine.
SOON_SECS = 30.0


class Search:
    """Finds by the question's words."""

    def __init__(self, **found: Passage) -> None:
        self._found = found

    async def search(self, question: str, **_: Any) -> SearchResult:
        passages = tuple(passage for word, passage in self._found.items() if word in question.lower())
        return SearchResult(Verdict.FOUND, passages)


@dataclass
class ToolCallRun:
    """From `async with` on it runs; `answers` are what the model's double gives, one a request."""

    answers: list[str | ToolCall]
    tools: Sequence[HttpTool] = ()
    search: Search = field(default_factory=Search)
    told: list[dict[str, Any]] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    cited: list[Citation] = field(default_factory=list)

    async def __aenter__(self) -> "ToolCallRun":
        given = iter(self.answers)
        self.chat = OpenAIChat(answer=self._next(given))
        self._serving = self.chat.serving()
        url = await self._serving.__aenter__()
        passages = TurnPassages()
        self.toolbox = Toolbox(
            self.tools, finder=self.search, passages=passages, limit=3, report=self.told.append, goodbye="Goodbye.",
            takes_messages=True,
        )  # fmt: skip
        self.context = LLMContext(tools=[*self.toolbox.schemas])
        pair = LLMContextAggregatorPair(self.context)
        service = OpenAILLM(api_key=SecretStr(KEY), base_url=url).build(
            instruction="Be brief.", similarity=NoSimilarity()
        )
        loop = asyncio.get_running_loop()
        providers = Providers("llm", ["openai"], clock=loop.time, report=lambda _: None)
        citations, self.ends = CitationProcessor(), Ends()

        @citations.event_handler("on_unanswered")
        async def on_unanswered(_processor: object, question: str, _passages: object) -> None:
            self.unanswered.append(question)

        @citations.event_handler("on_citation")
        async def on_citation(_processor: object, citation: Citation) -> None:
            self.cited.append(citation)

        self._worker = PipelineWorker(
            Pipeline(
                [
                    pair.user(),
                    RetrievalProcessor(search=self.search),
                    SecondLook(passages, given_up="Sorry."),
                    KeptLLM([Member("openai", service)], providers=providers),
                    ResultsUp(),
                    citations,
                    FillerProcessor(fillers=("Let me see.",), wait_secs=0),
                    self.ends,
                    pair.assistant(),
                ]
            ),
            params=PipelineParams(), enable_rtvi=False, enable_turn_tracking=False, idle_timeout_secs=None,
        )  # fmt: skip
        started = asyncio.Event()

        @self._worker.event_handler("on_pipeline_started")
        async def on_pipeline_started(_worker: object, _frame: object) -> None:
            started.set()

        self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
        await self._runner.add_workers(self._worker)
        self._run = asyncio.create_task(self._runner.run())
        await started.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cancel("done")
        await self._run
        await self.toolbox.aclose()
        await self._serving.__aexit__(None, None, None)

    @staticmethod
    def _next(given: Any) -> Any:
        def answer(messages: Messages) -> str | ToolCall:
            answer = next(given)
            return answer if isinstance(answer, str) else replace(answer, id=f"call_{len(messages)}")

        return answer

    async def says(self, text: str, *, then: str) -> None:
        """The caller says that; returns when the bot's words end so."""
        await self.begins(text)
        await self.until(lambda: self.spoken.endswith(then))

    async def begins(self, text: str) -> None:
        """The caller says that."""
        await self._worker.queue_frame(LLMMessagesAppendFrame([{"role": "user", "content": text}], run_llm=True))

    async def interrupts(self) -> None:
        """The caller speaks up."""
        await self._worker.queue_frame(InterruptionFrame())

    async def says_nothing_more(self) -> None:
        """Returns when the last answer is over."""
        await self.until(lambda: isinstance(self.ends.frames[-1], LLMFullResponseEndFrame))

    async def until(self, holds: Any) -> None:
        """Returns when that holds."""
        async with asyncio.timeout(SOON_SECS):
            while not holds():
                self.ends.changed.clear()
                await self.ends.changed.wait()

    def came(self, kind: type[Frame]) -> list[Any]:
        """The frames of a kind that came to the voice."""
        return [frame for frame in self.ends.frames if isinstance(frame, kind)]

    @property
    def spoken(self) -> str:
        """All that the voice was given."""
        return "".join(f.text for f in self.ends.frames if isinstance(f, LLMTextFrame | TTSSpeakFrame))

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        """What was reported of tools."""
        return [(each["tool"], each["outcome"]) for each in self.told if each["type"] == "tool"]

    def asked(self, number: int) -> list[dict[str, Any]]:
        """The messages of a request to the model."""
        return self.chat.asked[number]["messages"]
