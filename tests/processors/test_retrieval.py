"""A turn's passages reach the LLM in a copy of the context, and what went wrong is said."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest
from pipecat.frames.frames import ErrorFrame, Frame, LLMContextFrame, TextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.errors import KnowledgeError, KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.types import Passage, SearchResult, Turn, Verdict
from processors.frames import PassagesFrame
from processors.passages import passages_message, read_passages
from processors.retrieval import RetrievalProcessor
from tests.patient import run_test

GONE = KnowledgeUnavailableError("gone")
SMALL_TALK, OFF_TOPIC = SearchResult(Verdict.SMALL_TALK), SearchResult(Verdict.OFF_TOPIC)
USER: Any = {"role": "user", "content": "How long may I keep it?"}


class ScriptedSearch:
    """Gives its answers in order, and remembers what it was asked."""

    def __init__(self, *answers: SearchResult | KnowledgeError):
        self._answers = list(answers)
        self.asked: list[tuple[str, Sequence[Turn], int]] = []

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        assert self._answers, "A search came that no answer was scripted for."
        self.asked.append((question, list(history), limit))
        answer = self._answers.pop(0)
        if isinstance(answer, KnowledgeError):
            raise answer
        return answer


def passage(text: str = "Thirty days.") -> Passage:
    return Passage(
        document_id=UUID(int=1), source="/docs/returns.md", title="Returns", heading_path=(), text=text,
        start=0, end=len(text), score=1.0, similarity=0.6,
    )  # fmt: skip


def found(*texts: str) -> SearchResult:
    return SearchResult(Verdict.FOUND, tuple(passage(text) for text in texts or ("Thirty days.",)))


def turn(*messages: Any) -> LLMContextFrame:
    return LLMContextFrame(context=LLMContext(messages=[*(messages or (USER,))]))


async def retrieved(search: ScriptedSearch, *frames: Frame) -> tuple[Sequence[Frame], Sequence[Frame]]:
    return await run_test(RetrievalProcessor(search=search, limit=3), frames_to_send=frames)


def messages_of(frames: Sequence[Frame]) -> list[list[Any]]:
    return [frame.context.get_messages() for frame in frames if isinstance(frame, LLMContextFrame)]


async def test_the_passages_travel_just_ahead_of_the_context_that_holds_them():
    down, _ = await retrieved(ScriptedSearch(found()), turn())
    assert [type(frame) for frame in down] == [PassagesFrame, LLMContextFrame]


async def test_what_may_be_cited_is_what_the_llm_reads():
    down, _ = await retrieved(ScriptedSearch(found("First.", "Second.")), turn())
    cited = next(frame.passages for frame in down if isinstance(frame, PassagesFrame))
    read = read_passages(messages_of(down)[0][-2])
    assert [p.text for p in cited] == [p.text for p in read or ()] == ["First.", "Second."]


async def test_the_callers_words_stay_the_last_message():
    down, _ = await retrieved(ScriptedSearch(found()), turn())
    assert messages_of(down)[0][-1] == USER


async def test_the_shared_context_is_left_as_it_was():
    frame = turn()
    await retrieved(ScriptedSearch(found()), frame)
    assert frame.context.get_messages() == [USER]


async def test_passages_of_an_earlier_turn_are_replaced():
    old = passages_message([passage("Old.")], tag="passages-00000000")
    down, _ = await retrieved(ScriptedSearch(found("New.")), turn(old, USER))
    (messages,) = messages_of(down)
    assert old not in messages
    assert len(messages) == 2


async def test_the_fence_has_a_new_name_each_turn():
    down, _ = await retrieved(ScriptedSearch(found(), found()), turn(), turn())
    first, second = messages_of(down)
    assert first[0]["content"] != second[0]["content"]


async def test_the_question_is_searched_with_what_was_said_before():
    search = ScriptedSearch(found())
    before = [{"role": "user", "content": " Hello. "}, {"role": "assistant", "content": "Hello there."}]
    await retrieved(search, turn({"role": "developer", "content": "A note."}, *before, USER))
    assert search.asked == [(USER["content"], [Turn("user", "Hello."), Turn("assistant", "Hello there.")], 3)]


async def test_what_is_off_topic_tells_the_llm_that_nothing_was_found():
    down, _ = await retrieved(ScriptedSearch(OFF_TOPIC), turn())
    assert read_passages(messages_of(down)[0][0]) == ()


async def test_small_talk_leaves_the_context_alone():
    frame = turn()
    down, _ = await retrieved(ScriptedSearch(SMALL_TALK), frame)
    assert [f for f in down if isinstance(f, LLMContextFrame)] == [frame]
    assert frame.context.get_messages() == [USER]


def passages_frames(frames: Sequence[Frame]) -> list[tuple[tuple[str, ...], str | None]]:
    return [(tuple(p.text for p in f.passages), f.question) for f in frames if isinstance(f, PassagesFrame)]


@pytest.mark.parametrize(
    ("answer", "texts", "question"),
    [
        (found(), ("Thirty days.",), USER["content"]),
        (OFF_TOPIC, (), USER["content"]),
        (SMALL_TALK, (), None),
        (GONE, (), None),
    ],
    ids=["found", "off-topic", "small-talk", "gone"],
)
async def test_what_was_looked_up_travels_with_what_may_be_cited(
    answer: SearchResult | KnowledgeError, texts: tuple[str, ...], question: str | None
):
    down, _ = await retrieved(ScriptedSearch(answer), turn())
    assert passages_frames(down) == [(texts, question)]


async def test_small_talk_may_cite_nothing_of_the_turn_before():
    down, _ = await retrieved(ScriptedSearch(found(), SMALL_TALK), turn(), turn())
    assert passages_frames(down)[-1] == ((), None)


async def test_a_search_that_fails_is_told_to_the_llm():
    down, _ = await retrieved(ScriptedSearch(GONE), turn())
    assert read_passages(messages_of(down)[0][0]) is None


async def test_a_search_that_fails_is_an_error_that_ends_nothing():
    _, up = await retrieved(ScriptedSearch(GONE), turn())
    assert [frame.fatal for frame in up if isinstance(frame, ErrorFrame)] == [False]


def notices(frames: Sequence[Frame]) -> int:
    return sum(isinstance(f, RTVIServerMessageFrame) and f.data["type"] == "notice" for f in frames)


async def test_the_page_is_told_once_while_the_documents_are_away():
    down, _ = await retrieved(ScriptedSearch(GONE, GONE, GONE), turn(), turn(), turn())
    assert notices(down) == 1


async def test_the_page_is_told_again_when_the_documents_are_away_again():
    down, _ = await retrieved(ScriptedSearch(GONE, found(), GONE), turn(), turn(), turn())
    assert notices(down) == 2


async def test_small_talk_shows_that_the_documents_are_back():
    down, _ = await retrieved(ScriptedSearch(GONE, SMALL_TALK, GONE), turn(), turn(), turn())
    assert notices(down) == 2


async def test_a_collection_that_is_not_there_is_told_like_one_that_is_away():
    down, up = await retrieved(ScriptedSearch(NoSuchCollectionError("manuals", [])), turn())
    assert (read_passages(messages_of(down)[0][0]), notices(down)) == (None, 1)
    assert len([frame for frame in up if isinstance(frame, ErrorFrame)]) == 1


async def test_a_note_to_the_llm_passes_through_unsearched():
    frame = turn(USER, {"role": "developer", "content": "Ask again."})
    down, _ = await retrieved(ScriptedSearch(), frame)
    assert down == [frame]


async def test_the_callers_silence_is_not_searched():
    frame = turn({"role": "user", "content": "  "})
    down, _ = await retrieved(ScriptedSearch(), frame)
    assert down == [frame]


async def test_a_speculative_turn_stays_one():
    frame = turn()
    frame.speculation = True
    down, _ = await retrieved(ScriptedSearch(found()), frame)
    assert [f.speculation for f in down if isinstance(f, LLMContextFrame)] == [True]


async def test_any_other_frame_passes_through():
    frame = TextFrame("x")
    down, _ = await retrieved(ScriptedSearch(), frame)
    assert down == [frame]
