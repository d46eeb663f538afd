"""What a test of a call learns of it."""

from typing import Any
from uuid import UUID

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    FunctionCallFromLLM,
    FunctionCallsStartedFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from bot.witness import Witness
from knowledge.types import Passage, SearchResult, Verdict
from processors.frames import PassagesFrame, RepeatFrame
from processors.retrieval import RetrievalProcessor
from processors.writing import InWriting

MS = 1_000_000
PASSAGE = Passage(
    document_id=UUID(int=1), source="/srv/handbook/returns.md", title="Returns policy", heading_path=("Returns", "How"),
    text="Within thirty days.", start=100, end=119, score=0.9, similarity=0.7,
)  # fmt: skip


class Searching:
    async def search(self, question: str, **_: Any) -> SearchResult:
        return SearchResult(Verdict.FOUND)


RETRIEVAL, BEFORE_VOICE, ELSE = (
    RetrievalProcessor(search=Searching()),
    InWriting(silent=lambda: False),
    IdentityFilter(),
)


class Heard:
    """What a witness tells of the frames that it sees."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.witness = Witness(before_voice=BEFORE_VOICE, tell=lambda each: self.told.append(each.model_dump()))

    async def sees(
        self, frame: Frame, *, of: FrameProcessor, to: FrameProcessor = ELSE, ns: int = 0, first: bool = True
    ) -> None:
        pushed = FramePushed(of, to, frame, FrameDirection.DOWNSTREAM, timestamp=ns, first_push=first)
        await self.witness.on_push_frame(pushed)

    async def search(self, *passages: Passage, question: str | None, at_ms: int = 0, ms: int = 4) -> Any:
        """A turn is looked up; the last message."""
        context = LLMContext()
        await self.sees(LLMContextFrame(context=context), of=ELSE, to=RETRIEVAL, ns=at_ms * MS)
        await self.sees(PassagesFrame(passages=passages, question=question), of=RETRIEVAL, ns=(at_ms + ms) * MS)
        await self.sees(LLMContextFrame(context=context), of=RETRIEVAL, ns=(at_ms + ms) * MS)
        return self.told[-1]["data"]


async def test_the_passages_of_a_turn_are_told_in_the_order_of_their_markers_and_with_their_words():
    told = await Heard().search(PASSAGE, PASSAGE, question="How long?")
    assert (told["type"], told["question"]) == ("passages", "How long?")
    assert [each["rank"] for each in told["passages"]] == [1, 2]
    assert told["passages"][0] == {
        "rank": 1, "document_id": str(UUID(int=1)), "source": "returns.md", "title": "Returns policy",
        "heading_path": ["Returns", "How"], "text": "Within thirty days.", "start": 100, "end": 119, "page": None,
        "effective_date": None, "score": 0.9, "similarity": 0.7,
    }  # fmt: skip


async def test_each_search_is_timed_by_itself():
    heard = Heard()
    assert (await heard.search(PASSAGE, question="How long?", at_ms=1_000, ms=7))["ms"] == 7.0
    assert (await heard.search(PASSAGE, question="And then?", at_ms=9_000, ms=12))["ms"] == 12.0


async def test_a_turn_that_is_not_looked_up_is_told_as_such():
    told = await Heard().search(question=None)
    assert (told["question"], told["passages"]) == (None, [])


async def test_an_answer_is_told_once_as_it_is_given_to_the_voice():
    heard = Heard()
    for frame in (LLMFullResponseStartFrame(), LLMTextFrame("At nine."), LLMFullResponseEndFrame()):
        await heard.sees(frame, of=ELSE)
        await heard.sees(frame, of=BEFORE_VOICE, first=False)
        await heard.sees(frame, of=ELSE, first=False)
    assert [each["type"] for each in heard.told] == ["bot-llm-started", "bot-llm-text", "bot-llm-stopped"]
    assert heard.told[1]["data"]["text"] == "At nine."


@pytest.mark.parametrize("frame", [TTSSpeakFrame("Hello."), RepeatFrame("Hello.")])
async def test_a_text_that_is_spoken_by_itself_is_told_as_an_answer(frame: Frame):
    heard = Heard()
    await heard.sees(frame, of=BEFORE_VOICE, first=False)
    assert [each["type"] for each in heard.told] == ["bot-llm-started", "bot-llm-text", "bot-llm-stopped"]


@pytest.mark.parametrize("frame", [LLMTextFrame("Yes [1]."), TTSSpeakFrame("Hello.")])
async def test_what_is_on_its_way_to_the_voice_is_not_told(frame: Frame):
    heard = Heard()
    await heard.sees(frame, of=ELSE, to=BEFORE_VOICE)
    assert heard.told == []


@pytest.mark.parametrize(("silent", "spoke"), [(True, True), (False, False)])
async def test_an_answer_in_writing_is_said_as_it_ends(silent: bool, spoke: bool):
    heard, end = Heard(), LLMFullResponseEndFrame()
    end.skip_tts = silent
    await heard.sees(end, of=BEFORE_VOICE)
    assert heard.witness.spoke.is_set() is spoke


async def test_an_answer_aloud_is_said_as_it_begins_to_sound():
    heard = Heard()
    await heard.sees(BotStartedSpeakingFrame(), of=ELSE)
    assert heard.witness.spoke.is_set()


async def test_a_call_of_a_tool_without_a_word_is_no_answer():
    heard = Heard()
    call = FunctionCallFromLLM(function_name="t", tool_call_id="1", arguments={}, context=LLMContext())
    await heard.sees(LLMFullResponseStartFrame(), of=BEFORE_VOICE)
    await heard.sees(FunctionCallsStartedFrame([call]), of=ELSE)
    await heard.sees(LLMFullResponseEndFrame(), of=BEFORE_VOICE)
    assert [each["type"] for each in heard.told] == ["bot-llm-started"]
