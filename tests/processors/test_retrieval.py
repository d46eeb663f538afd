"""A turn's passages reach the LLM in a copy of the context, and what went wrong is said."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from pipecat.frames.frames import ErrorFrame, Frame, LLMContextFrame, TextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.tests.utils import run_test

from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage, Turn
from processors.frames import PassagesFrame
from processors.passages import passages_message, read_passages
from processors.retrieval import RetrievalProcessor

GONE = KnowledgeUnavailableError("gone")
USER: Any = {"role": "user", "content": "How long may I keep it?"}


class ScriptedSearch:
    """Gives its answers in order, and remembers what it was asked."""

    def __init__(self, *answers: list[Passage] | KnowledgeUnavailableError):
        self._answers = list(answers)
        self.asked: list[tuple[str, Sequence[Turn], int]] = []

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> list[Passage]:
        assert self._answers, "A search came that no answer was scripted for."
        self.asked.append((question, list(history), limit))
        answer = self._answers.pop(0)
        if isinstance(answer, KnowledgeUnavailableError):
            raise answer
        return answer


def passage(text: str = "Thirty days.", similarity: float = 0.6) -> Passage:
    return Passage(
        document_id=UUID(int=1), source="/docs/returns.md", title="Returns", heading_path=(), text=text,
        start=0, end=len(text), score=1.0, similarity=similarity,
    )  # fmt: skip


def turn(*messages: Any) -> LLMContextFrame:
    return LLMContextFrame(context=LLMContext(messages=[*(messages or (USER,))]))


async def retrieved(
    search: ScriptedSearch, *frames: Frame, min_similarity: float = 0.2
) -> tuple[Sequence[Frame], Sequence[Frame]]:
    processor = RetrievalProcessor(search=search, limit=3, min_similarity=min_similarity)
    return await run_test(processor, frames_to_send=frames)


def messages_of(frames: Sequence[Frame]) -> list[list[Any]]:
    return [frame.context.get_messages() for frame in frames if isinstance(frame, LLMContextFrame)]


async def test_the_passages_travel_just_ahead_of_the_context_that_holds_them():
    down, _ = await retrieved(ScriptedSearch([passage()]), turn())
    assert [type(frame) for frame in down] == [PassagesFrame, LLMContextFrame]


async def test_what_may_be_cited_is_what_the_llm_reads():
    down, _ = await retrieved(ScriptedSearch([passage("First."), passage("Second.")]), turn())
    cited = next(frame.passages for frame in down if isinstance(frame, PassagesFrame))
    read = read_passages(messages_of(down)[0][-2])
    assert [p.text for p in cited] == [p.text for p in read or ()] == ["First.", "Second."]


async def test_the_callers_words_stay_the_last_message():
    down, _ = await retrieved(ScriptedSearch([passage()]), turn())
    assert messages_of(down)[0][-1] == USER


async def test_the_shared_context_is_left_as_it_was():
    frame = turn()
    await retrieved(ScriptedSearch([passage()]), frame)
    assert frame.context.get_messages() == [USER]


async def test_passages_of_an_earlier_turn_are_replaced():
    old = passages_message([passage("Old.")], tag="passages-00000000")
    down, _ = await retrieved(ScriptedSearch([passage("New.")]), turn(old, USER))
    (messages,) = messages_of(down)
    assert old not in messages
    assert len(messages) == 2


async def test_the_fence_has_a_new_name_each_turn():
    down, _ = await retrieved(ScriptedSearch([passage()], [passage()]), turn(), turn())
    first, second = messages_of(down)
    assert first[0]["content"] != second[0]["content"]


async def test_the_question_is_searched_with_what_was_said_before():
    search = ScriptedSearch([passage()])
    before = [{"role": "user", "content": " Hello. "}, {"role": "assistant", "content": "Hello there."}]
    await retrieved(search, turn({"role": "developer", "content": "A note."}, *before, USER))
    assert search.asked == [(USER["content"], [Turn("user", "Hello."), Turn("assistant", "Hello there.")], 3)]


async def test_passages_that_are_all_off_topic_count_as_nothing_found():
    down, _ = await retrieved(ScriptedSearch([passage(similarity=0.1)]), turn())
    assert read_passages(messages_of(down)[0][0]) == ()
    assert next(frame.passages for frame in down if isinstance(frame, PassagesFrame)) == ()


async def test_one_passage_on_topic_lets_the_others_stay():
    down, _ = await retrieved(ScriptedSearch([passage(similarity=0.1), passage(similarity=0.3)]), turn())
    assert len(read_passages(messages_of(down)[0][0]) or ()) == 2


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
    down, _ = await retrieved(ScriptedSearch(GONE, [passage()], GONE), turn(), turn(), turn())
    assert notices(down) == 2


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
    down, _ = await retrieved(ScriptedSearch([passage()]), frame)
    assert [f.speculation for f in down if isinstance(f, LLMContextFrame)] == [True]


async def test_any_other_frame_passes_through():
    frame = TextFrame("x")
    down, _ = await retrieved(ScriptedSearch(), frame)
    assert down == [frame]
