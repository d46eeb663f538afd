import io
import json
from uuid import UUID

import numpy as np
import pytest
import soundfile
from rich.console import Console

from bot.speech.fake import FakeSpeech
from bot.speech.recognition import Recognition
from bot.wording.table import wording
from evals.answers import (
    MOST_PASSAGES,
    Answer,
    AnswersResult,
    AskedQuestion,
    Outcome,
    Question,
    Quote,
    WithoutGold,
    answering,
    ask_recorded,
    ask_typed,
    judge,
    questions_of,
    read_answer,
    read_questions,
    tables,
)
from evals.retrieval import DataSet, Query
from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage, SearchResult, Turn, Verdict

ENGLISH = wording("en")

RETURNS = "Unused items can be returned within 30 days. We pay the\npostage"
HOURS = "We open at nine."


def passage(text: str, name: str = "returns-policy.md", similarity: float = 0.8) -> Passage:
    return Passage(UUID(int=1), f"/handbook/{name}", "Returns policy", (), text, 0, len(text), 0.9, similarity)


class ScriptedKnowledge:
    """Answers each search and comparison with what it was given, once."""

    def __init__(self, searches=(), similarities=()):
        self.asked = []
        self._searches, self._similarities = list(searches), list(similarities)

    async def search(self, question, *, history=(), limit=4):
        self.asked.append((question, tuple(history), limit))
        return _next(self._searches)

    async def similarity(self, question, sentences):
        near = {question: 1.0} | _next(self._similarities)
        return [next((near[end] for end in near if sentence.endswith(end)), 0.1) for sentence in sentences]


def _next(script):
    answer = script.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def question():
    return Question(
        id="q1", question="How long?", documents=frozenset({"returns-policy.md"}), must_contain=("30 days", "UNUSED")
    )


def no_progress():
    pass


@pytest.fixture
def any_of():
    """A question to which several documents and several words are right."""
    return Question(
        id="q1", question="How long?", documents=frozenset({"returns-policy.md", "faq.md"}), any_of=("30", "thirty")
    )


def unsure(*quoted: Quote) -> Answer:
    return Answer(quoted, is_sure=False)


def sure(*quoted: Quote) -> Answer:
    return Answer(quoted)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (sure(Quote("Unused items can be returned within 30 days.", passage(RETURNS))), Outcome.RIGHT),
        (sure(Quote("Unused items.", passage(RETURNS)), Quote("30 days.", passage(RETURNS))), Outcome.RIGHT),
        (sure(Quote("We pay the postage.", passage(RETURNS))), Outcome.OTHER_SENTENCE),
        (sure(Quote("Unused items, 30 days.", passage(RETURNS, "hours.md"))), Outcome.WRONG_DOCUMENT),
        (sure(Quote("Unused items, 30 days.", None)), Outcome.WRONG_DOCUMENT),
        (unsure(Quote("Unused items: 30 days.", passage(RETURNS))), Outcome.NEAREST_RIGHT),
        (unsure(Quote("We pay the postage.", passage(RETURNS))), Outcome.NEAREST_OTHER),
        (unsure(Quote("Unused items: 30 days.", passage(RETURNS, "hours.md"))), Outcome.NEAREST_OTHER),
        (sure(), Outcome.REFUSED),
        (unsure(), Outcome.REFUSED),
    ],
)
def test_an_answer_is_judged_by_its_document_and_its_words(question, answer, outcome):
    assert judge(question, answer) is outcome


@pytest.mark.parametrize(
    ("quote", "outcome"),
    [
        (Quote("Within thirty days.", passage("", "faq.md")), Outcome.RIGHT),
        (Quote("Within 30 days.", passage("")), Outcome.RIGHT),
        (Quote("Within a month.", passage("")), Outcome.OTHER_SENTENCE),
        (Quote("Within 30 days.", passage("", "hours.md")), Outcome.WRONG_DOCUMENT),
    ],
)
def test_any_of_several_documents_and_words_may_be_right(any_of, quote, outcome):
    assert judge(any_of, sure(quote)) is outcome


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (sure(Quote(HOURS, passage(HOURS))), Outcome.WRONG_DOCUMENT),
        (unsure(Quote(HOURS, passage(HOURS))), Outcome.NEAREST_OTHER),
        (sure(), Outcome.REFUSED),
    ],
)
def test_a_question_without_a_document_has_no_right_answer(answer, outcome):
    assert judge(Question(id="u1", question="Scooters?"), answer) is outcome


@pytest.mark.parametrize(
    ("quote", "verbatim"),
    [
        (Quote("Unused items can be returned within 30 days.", passage(RETURNS)), True),
        (Quote("We pay the postage.", passage(RETURNS)), True),
        (Quote("We pay the postage twice.", passage(RETURNS)), False),
        (Quote("Unused items can be returned within 60 days.", passage(RETURNS)), False),
        (Quote("We open at nine.", None), False),
    ],
)
def test_a_quote_stands_in_its_passage_word_for_word(quote, verbatim):
    assert quote.is_verbatim is verbatim


def test_an_answer_is_read_by_its_markers():
    first, second = passage(HOURS), passage(RETURNS)
    assert read_answer("We open at 9.30 a.m. [1] We pay. [2] And [5]", [first, second]) == sure(
        Quote("We open at 9.30 a.m.", first),
        Quote("We pay.", second),
        Quote("And", None),
    )


def test_what_carries_no_marker_is_no_quote():
    assert read_answer("I couldn't find that in our documents.", [passage(HOURS)]) == sure()


def test_an_answer_that_is_only_the_nearest_says_so():
    first = passage(HOURS)
    assert read_answer(f"{ENGLISH.nearest} {HOURS} [1]", [first]) == unsure(Quote(HOURS, first))


def test_one_document_may_stand_by_itself():
    question = Question.model_validate({"id": "q1", "question": "How long?", "document": "a.md"})
    assert question.documents == {"a.md"}


def test_questions_are_read_with_and_without_an_answer(tmp_path, question):
    path = tmp_path / "questions.jsonl"
    path.write_text(
        json.dumps(question.model_dump(mode="json") | {"answer": "30 days"}) + '\n{"id": "u1", "question": "Why?"}\n'
    )
    assert read_questions(path) == [question, Question(id="u1", question="Why?")]


def found(*passages: Passage) -> SearchResult:
    return SearchResult(Verdict.FOUND, passages)


async def test_a_question_is_answered_from_the_passages_of_its_search_alone(question):
    asked = [
        question.model_copy(update={"question": "How long can unused items be returned?"}),
        Question(id="u1", question="Do you rent scooters?"),
        Question(id="u2", question="Lovely weather today."),
    ]
    knowledge = ScriptedKnowledge(
        searches=[found(passage(RETURNS)), SearchResult(Verdict.OFF_TOPIC), SearchResult(Verdict.SMALL_TALK)],
        similarities=[{"Unused items can be returned within 30 days.": 0.9}],
    )
    async with answering(search=knowledge, similarity=knowledge, limit=3) as ask:
        result = await ask_typed(asked, ask=ask, on_asked=no_progress)
    assert [a.outcome for a in result.asked] == [Outcome.RIGHT, Outcome.REFUSED, Outcome.REFUSED]
    assert [quote.text for quote in result.quotes] == ["Unused items can be returned within 30 days."]
    assert knowledge.asked == [(each.question, (), 3) for each in asked]


@pytest.mark.parametrize(
    "knowledge",
    [
        ScriptedKnowledge(searches=[KnowledgeUnavailableError("late")]),
        ScriptedKnowledge(searches=[found(passage(HOURS))], similarities=[KnowledgeUnavailableError("late")]),
    ],
    ids=["search", "similarity"],
)
async def test_knowledge_that_does_not_answer_is_no_refusal(knowledge):
    async with answering(search=knowledge, similarity=knowledge, limit=4) as ask:
        with pytest.raises(KnowledgeUnavailableError, match="did not answer"):
            await ask("When do you open?")


OTHERS = [passage(HOURS, f"{number}.md") for number in range(6)]


@pytest.mark.parametrize(
    ("result", "left"),
    [
        (found(passage(RETURNS), *OTHERS), found(*OTHERS[:3])),
        (found(passage(RETURNS), passage(RETURNS)), SearchResult(Verdict.OFF_TOPIC)),
        (SearchResult(Verdict.OFF_TOPIC), SearchResult(Verdict.OFF_TOPIC)),
        (SearchResult(Verdict.SMALL_TALK), SearchResult(Verdict.SMALL_TALK)),
    ],
    ids=["others", "only-gold", "off-topic", "small-talk"],
)
async def test_without_the_right_document_the_nearest_others_are_found(result, left):
    knowledge = ScriptedKnowledge(searches=[result])
    search = WithoutGold(knowledge, gold={"How long?": frozenset({"/handbook/returns-policy.md"})})
    assert await search.search("How long?", limit=3) == left
    assert knowledge.asked == [("How long?", (), MOST_PASSAGES)]


def test_of_a_data_set_what_begins_a_conversation_is_asked_with_and_without_an_answer():
    queries = (
        Query(id="q1", text="How long?", answers=["30 days"]),
        Query(id="q2", text="And then?", history=[Turn("user", "How long?")]),
        Query(id="q3", text="Unjudged?"),
    )
    gold = {"q1": frozenset({"a"}), "q2": frozenset({"a"})}
    answerable, unanswerable = questions_of(DataSet("set", (), queries, gold))
    assert answerable == [Question(id="q1", question="How long?", documents=frozenset({"a"}), any_of=("30 days",))]
    assert unanswerable == [Question(id="q1", question="How long?")]


async def test_a_recording_is_asked_as_it_was_heard_and_not_at_all_when_it_was_not_understood(tmp_path, question):
    asked = []

    async def ask(text):
        asked.append(text)
        return sure(Quote("Unused items: 30 days.", passage(RETURNS)))

    folder = tmp_path / "slt"
    folder.mkdir()
    spoken = [question, question.model_copy(update={"id": "q2"}), question.model_copy(update={"id": "q3"})]
    for each in spoken:
        soundfile.write(folder / f"{each.id}.flac", np.zeros(160, np.int16), 16_000)
    heard = [Recognition("how long", 0.9, ()), Recognition("how wrong", 0.1, ()), Recognition("", 0.9, ())]
    result = await ask_recorded(
        spoken, ask=ask, speech=FakeSpeech(recognitions=heard), recordings=folder, on_asked=no_progress
    )
    assert asked == ["how long"]
    assert result.asked_by == "slt"
    assert [a.outcome for a in result.asked] == [Outcome.RIGHT, Outcome.NOT_UNDERSTOOD, Outcome.NOT_UNDERSTOOD]


@pytest.fixture
def result(question):
    right = sure(Quote("Unused items can be returned within 30 days.", passage(RETURNS)))
    invented = Quote("We sell scooters.", passage(HOURS))
    unanswerable = Question(id="u1", question="Scooters?")
    return AnswersResult(
        "typed",
        (
            AskedQuestion(question, Outcome.RIGHT, right),
            AskedQuestion(unanswerable, Outcome.WRONG_DOCUMENT, sure(invented)),
            AskedQuestion(unanswerable.model_copy(update={"id": "u2"}), Outcome.REFUSED, sure()),
            AskedQuestion(unanswerable.model_copy(update={"id": "u3"}), Outcome.NEAREST_OTHER, unsure(invented)),
        ),
    )


def test_questions_with_and_without_an_answer_are_counted_apart(result):
    data = result.to_json()
    assert {name: count for name, count in data["answerable"].items() if count} == {"right": 1}
    assert {name: count for name, count in data["unanswerable"].items() if count} == {
        "wrong document": 1,
        "nothing found": 1,
        "other as nearest": 1,
    }
    assert (data["spoken_sentences"], data["verbatim_sentences"]) == (3, 1)
    assert data["outcomes"] == {
        "q1": "right",
        "u1": "wrong document",
        "u2": "nothing found",
        "u3": "other as nearest",
    }


def test_the_results_of_two_rounds_are_one(result):
    both = result + result
    assert (both.asked_by, len(both.asked)) == ("typed", 8)


def test_the_tables_hold_the_counts_on_a_narrow_terminal(result):
    console = Console(width=80, record=True, file=io.StringIO())
    for table in tables([result]):
        console.print(table)
    rows = [line.replace(" ", "") for line in console.export_text().splitlines() if "typed" in line]
    assert rows == ["│typed│1│1│0│0│0│0│0│0│", "│typed│3│2│1│0│1│", "│typed│3│1│"]
