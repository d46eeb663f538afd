"""A conversation in, an answer out: the LLM that calls use, with passages and sources where they are asked for."""

from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    LLMUpdateSettingsFrame,
    MetricsFrame,
)
from pipecat.metrics.metrics import LLMUsageMetricsData
from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.services.settings import LLMSettings
from pipecat.utils.errors import ErrorCategory

from bot.desk.errors import DeskError, DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import CompletionRequest
from bot.failover import Failover, answerer
from bot.settings import BotSettings
from knowledge.client import KnowledgeClient
from knowledge.errors import NoSuchCollectionError
from processors.citations import CitationProcessor
from processors.retrieval import RetrievalProcessor

# Nobody speaks meanwhile, so a search has longer than in a call.
SEARCH_SECS = 3.0
# A first token, and each next one, comes by then.
TOKEN_SECS = 30.0


class Completion:
    """One answer."""

    def __init__(self, settings: BotSettings, request: CompletionRequest, *, failover: Failover) -> None:
        self._request = request
        self._knowledge = KnowledgeClient(
            settings.retrieval.socket,
            timeout_secs=SEARCH_SECS,
            collection=request.collection or settings.retrieval.collection,
            access=settings.retrieval.access,
        )
        self._retrieval = RetrievalProcessor(search=self._knowledge, limit=settings.retrieval.passages)
        self._llm = answerer(settings, failover, similarity=self._knowledge, spoken=False)

    def line(self) -> Line:
        """The pipeline that makes the answer: as in a call from the caller's words on to what would be spoken."""
        processors: Sequence[FrameProcessor] = [self._llm]
        if self._request.collection is not None:
            processors = [self._retrieval, self._llm, CitationProcessor()]
        takes = (LLMTextFrame, RTVIServerMessageFrame, MetricsFrame, LLMFullResponseEndFrame)
        return Line(processors, takes=takes)

    async def answer(self, line: Line) -> AsyncGenerator[dict[str, Any]]:
        """Yields `text` and `citation` as they come, then `end`; raises `DeskError`."""
        request = self._request
        wanted = LLMSettings()
        if request.max_tokens is not None:
            wanted.max_tokens = request.max_tokens
        if request.temperature is not None:
            wanted.temperature = request.temperature
        if wanted.given_fields():
            await line.put(LLMUpdateSettingsFrame(delta=wanted, reach_inactive_services=True))
        messages = [message.model_dump() for message in request.messages]
        await line.put(LLMContextFrame(context=LLMContext(cast(list[LLMContextMessage], messages))))
        usage: dict[str, int] | None = None
        said = False
        async for frame in self._frames(line):
            match frame:
                case LLMTextFrame() if frame.text:
                    said = True
                    yield {"type": "text", "text": frame.text}
                case RTVIServerMessageFrame() if frame.data.get("type") == "citation":
                    yield frame.data
                case MetricsFrame():
                    usage = _usage(frame) or usage
                case ErrorFrame():
                    self._judge(frame)
        if not said:
            raise DeskUnavailableError("The LLM gave no answer; send the request again.")
        cut = request.max_tokens is not None and usage is not None and usage["completion_tokens"] >= request.max_tokens
        yield {"type": "end", "finish_reason": "length" if cut else "stop", "usage": usage}

    async def aclose(self) -> None:
        """Give up the connections to the knowledge."""
        await self._knowledge.aclose()

    async def _frames(self, line: Line) -> AsyncGenerator[Any]:
        """Up to the end of the answer, and what is told only then."""
        while True:
            try:
                frame = await line.next(timeout_secs=TOKEN_SECS)
            except TimeoutError as error:
                raise DeskUnavailableError("The LLM did not answer in time; send the request again.") from error
            if isinstance(frame, LLMFullResponseEndFrame):
                break
            yield frame
        for frame in await line.rest():
            yield frame

    def _judge(self, frame: ErrorFrame) -> None:
        """Raise what an error comes to; what a call copes with is none."""
        if frame.processor is self._retrieval:
            raise _not_searched(frame.exception)
        if frame.category is ErrorCategory.APPLICATION:
            return
        logger.warning("a completion failed: {}", frame.category)
        if frame.category is ErrorCategory.INVALID_REQUEST:
            raise DeskRequestError(
                "The LLM refuses the request", "It may be too long, or ask for what the model does not take."
            )
        raise DeskUnavailableError("The LLM failed; send the request again.")


def _not_searched(error: BaseException | None) -> DeskError:
    if isinstance(error, NoSuchCollectionError):
        return DeskRequestError("There is no such collection", str(error), status=404)
    return DeskUnavailableError("The knowledge can't be searched; send the request again, or without `knowledge`.")


def _usage(frame: MetricsFrame) -> dict[str, int] | None:
    for data in frame.data:
        if isinstance(data, LLMUsageMetricsData):
            tokens = data.value
            return {
                "prompt_tokens": tokens.prompt_tokens,
                "completion_tokens": tokens.completion_tokens,
                "total_tokens": tokens.total_tokens,
            }
    return None
