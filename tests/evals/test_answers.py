import io
import json
from uuid import UUID

import numpy as np
import pytest
import soundfile
from rich.console import Console

from bot.speech.fake import FakeSpeech
from bot.speech.recognition import Recognition
from evals.answers import (
    AnswersResult,
    AskedQuestion,
    Outcome,
    Question,
    Quote,
    answering,
    ask_recorded,
    ask_typed,
    judge,
    quotes,
    read_questions,
    tables,
)
from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage

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
        return _next(self._similarities)


def _next(script):
    answer = script.pop(0)
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def question():
    return Question(id="q1", question="How long?", document="returns-policy.md", must_contain=("30 days", "UNUSED"))


def no_progress():
    pass


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ((Quote("Unused items can be returned within 30 days.", passage(RETURNS)),), Outcome.RIGHT),
        ((Quote("Unused items.", passage(RETURNS)), Quote("30 days.", passage(RETURNS))), Outcome.RIGHT),
        ((Quote("We pay the postage.", passage(RETURNS)),), Outcome.OTHER_SENTENCE),
        ((Quote("Unused items, 30 days.", passage(RETURNS, "hours.md")),), Outcome.WRONG_DOCUMENT),
        ((Quote("Unused items, 30 days.", None),), Outcome.WRONG_DOCUMENT),
        ((), Outcome.REFUSED),
    ],
)
def test_an_answer_is_judged_by_its_document_and_its_words(question, answer, outcome):
    assert judge(question, answer) is outcome


def test_a_question_without_a_document_has_no_right_answer():
    assert judge(Question(id="u1", question="Scooters?"), (Quote(HOURS, passage(HOURS)),)) is Outcome.WRONG_DOCUMENT


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
    assert quotes("We open at 9.30 a.m. [1] We pay. [2] And [5]", [first, second]) == (
        Quote("We open at 9.30 a.m.", first),
        Quote("We pay.", second),
        Quote("And", None),
    )


def test_what_carries_no_marker_is_no_quote():
    assert quotes("I couldn't find that in our documents.", [passage(HOURS)]) == ()


def test_questions_are_read_with_and_without_an_answer(tmp_path, question):
    path = tmp_path / "questions.jsonl"
    path.write_text(json.dumps(question.model_dump() | {"answer": "30 days"}) + '\n{"id": "u1", "question": "Why?"}\n')
    assert read_questions(path) == [question, Question(id="u1", question="Why?")]


async def test_a_question_is_answered_from_the_passages_of_its_search_alone(question):
    knowledge = ScriptedKnowledge(
        searches=[[passage(RETURNS)], [passage(HOURS, similarity=0.1)]], similarities=[[0.9, 0.2], []]
    )
    async with answering(search=knowledge, similarity=knowledge, limit=3, min_similarity=0.2) as ask:
        result = await ask_typed([question, Question(id="u1", question="Scooters?")], ask=ask, on_asked=no_progress)
    assert [a.outcome for a in result.asked] == [Outcome.RIGHT, Outcome.REFUSED]
    assert [quote.text for quote in result.quotes] == ["Unused items can be returned within 30 days."]
    assert knowledge.asked == [("How long?", (), 3), ("Scooters?", (), 3)]


@pytest.mark.parametrize(
    "knowledge",
    [
        ScriptedKnowledge(searches=[KnowledgeUnavailableError("late")]),
        ScriptedKnowledge(searches=[[passage(HOURS)]], similarities=[KnowledgeUnavailableError("late")]),
    ],
    ids=["search", "similarity"],
)
async def test_knowledge_that_does_not_answer_is_no_refusal(knowledge):
    async with answering(search=knowledge, similarity=knowledge, limit=4, min_similarity=0.2) as ask:
        with pytest.raises(KnowledgeUnavailableError, match="did not answer"):
            await ask("When do you open?")


async def test_a_recording_is_asked_as_it_was_heard_and_not_at_all_when_it_was_not_understood(tmp_path, question):
    asked = []

    async def ask(text):
        asked.append(text)
        return (Quote("Unused items: 30 days.", passage(RETURNS)),)

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
    right = (Quote("Unused items can be returned within 30 days.", passage(RETURNS)),)
    invented = (Quote("We sell scooters.", passage(HOURS)),)
    unanswerable = Question(id="u1", question="Scooters?")
    return AnswersResult(
        "typed",
        (
            AskedQuestion(question, Outcome.RIGHT, right),
            AskedQuestion(unanswerable, Outcome.WRONG_DOCUMENT, invented),
            AskedQuestion(unanswerable.model_copy(update={"id": "u2"}), Outcome.REFUSED, ()),
        ),
    )


def test_questions_with_and_without_an_answer_are_counted_apart(result):
    data = result.to_json()
    assert {name: count for name, count in data["answerable"].items() if count} == {"right": 1}
    assert {name: count for name, count in data["unanswerable"].items() if count} == {
        "wrong document": 1,
        "nothing found": 1,
    }
    assert (data["spoken_sentences"], data["verbatim_sentences"]) == (2, 1)
    assert data["outcomes"] == {"q1": "right", "u1": "wrong document", "u2": "nothing found"}


def test_the_tables_hold_the_counts_on_a_narrow_terminal(result):
    console = Console(width=80, record=True, file=io.StringIO())
    for table in tables([result]):
        console.print(table)
    rows = [line.replace(" ", "") for line in console.export_text().splitlines() if "typed" in line]
    assert rows == ["│typed│1│1│0│0│0│0│", "│typed│2│1│0│1│", "│typed│2│1│"]
