"""What a call's answers rest on."""

from collections.abc import Sequence
from typing import Any, cast
from uuid import UUID

from loguru import logger
from pipecat.frames.frames import LLMFullResponseEndFrame, LLMFullResponseStartFrame, LLMTextFrame
from pipecat.tests.utils import SleepFrame

from bot.grounds import tell_grounds
from knowledge.client import KnowledgeClient
from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage
from processors.citations import CitationProcessor
from processors.frames import PassagesFrame
from tests.patient import run_test


class GapKeeper:
    """In place of the knowledge: keeps gaps, or fails with `error`."""

    def __init__(self, error: KnowledgeUnavailableError | None = None):
        self.kept: list[tuple[str, int, str | None]] = []
        self._error = error

    async def record_gap(self, question: str, passages: Sequence[Passage], *, call_id: str | None) -> None:
        if self._error is not None:
            raise self._error
        self.kept.append((question, len(passages), call_id))


async def unanswered(question: str, keeper: GapKeeper, *, keeps: bool = True) -> list[dict[str, Any]]:
    """What is told of a turn in which that question was looked up and nothing answered it."""
    citations, told = CitationProcessor(), list[dict[str, Any]]()
    tell_grounds(citations, cast(KnowledgeClient, keeper), report=told.append, call_id="6f1c", keeps=keeps)
    passage = Passage(UUID(int=1), "a.md", "A", (), "text", 0, 4, 0.5, 0.5)
    frames = [
        PassagesFrame(passages=(passage,), question=question),
        LLMFullResponseStartFrame(),
        LLMTextFrame("I couldn't find that."),
        LLMFullResponseEndFrame(),
        SleepFrame(),
    ]
    await run_test(citations, frames_to_send=frames)
    return told


async def test_a_question_that_was_not_answered_is_reported_and_kept():
    keeper = GapKeeper()
    assert await unanswered("Is there a zeppelin?", keeper) == [{"type": "gap"}]
    assert keeper.kept == [("Is there a zeppelin?", 1, "6f1c")]


async def test_where_nothing_is_kept_of_calls_the_question_is_only_counted():
    keeper = GapKeeper()
    assert await unanswered("Is there a zeppelin?", keeper, keeps=False) == [{"type": "gap"}]
    assert keeper.kept == []


async def test_small_talk_is_no_question_that_a_document_could_answer():
    keeper = GapKeeper()
    assert await unanswered("Thanks, goodbye!", keeper) == []
    assert keeper.kept == []


async def test_a_gap_that_cannot_be_kept_harms_no_call_and_tells_no_log_what_was_asked():
    said: list[str] = []
    sink = logger.add(lambda message: said.append(str(message)), level="INFO")
    told = await unanswered("Is there a zeppelin?", GapKeeper(KnowledgeUnavailableError("zeppelin")))
    logger.remove(sink)
    assert told == [{"type": "gap"}]
    assert any("a gap was not kept: KnowledgeUnavailableError" in line for line in said)
    assert not any("zeppelin" in line for line in said)
