import json
import re
from pathlib import Path
from typing import Any

import pytest
import soundfile

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "evals" / "sample"
SPEECH = ROOT / "tests" / "fixtures" / "speech"

# For each question without an answer: what a sentence that answers it would have to speak of, a word of every group.
WOULD_ANSWER = {
    "u01": [r"scooter|skate"],
    "u02": [r"pressure", r"\btires?\b"],
    "u03": [r"\bdogs?\b|basket", r"rent"],
    "u04": [r"insur", r"theft|stolen"],
    "u05": [r"adult|grown", r"learn|lesson|class|teach"],
    "u06": [r"month", r"\brent(s|al|als|ing)?\b", r"dollars|price"],
    "u07": [r"weighs?\b|pounds|lightest"],
    "u08": [r"nurse|firefighter"],
    "u09": [r"shower"],
    "u10": [r"\bsold\b|\bsales\b", r"last year|bicycles a year|each year"],
    "u11": [r"accountant"],
    "u12": [r"stroller"],
}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]


def sentences(document: Path) -> list[str]:
    """Return the document's sentences in lower case, a list item's marker removed; headings and tables have none."""
    lines = [line for line in document.read_text(encoding="utf-8").splitlines() if not line.startswith(("#", "|"))]
    prose = [re.sub(r"^(- |\d+\. )", "", line) for line in lines if line]
    return [part.lower() for line in prose for part in re.split(r"(?<=[.!?])\s+", line)]


HANDBOOK = {path.name: sentences(path) for path in sorted((SAMPLE / "handbook").glob("*.md"))}
QUESTIONS = rows("questions.jsonl")
UNANSWERABLE = rows("unanswerable.jsonl")
FOLLOWUPS = rows("followups.jsonl")
SMALLTALK = rows("smalltalk.jsonl")
ANSWERABLE = [pytest.param(row, id=row["id"]) for row in QUESTIONS + FOLLOWUPS]
RECORDED = [("slt", row["id"]) for row in QUESTIONS + UNANSWERABLE + SMALLTALK] + [
    ("rms", row["id"]) for row in QUESTIONS
]


def documents_saying(facts: list[str]) -> list[str]:
    """Return the documents in which one sentence holds all the facts."""
    return [name for name, said in HANDBOOK.items() if any(all(fact in line for fact in facts) for line in said)]


@pytest.mark.parametrize("name", HANDBOOK)
def test_a_document_has_one_short_title_that_can_be_spoken(name: str) -> None:
    text = (SAMPLE / "handbook" / name).read_text(encoding="utf-8")

    titles = re.findall(r"^# (.+)$", text, flags=re.MULTILINE)

    assert len(titles) == 1
    assert re.fullmatch(r"[A-Z][A-Za-z' -]{3,30}", titles[0])


def test_every_document_is_asked_about() -> None:
    assert {row["document"] for row in QUESTIONS} == set(HANDBOOK)


@pytest.mark.parametrize("row", ANSWERABLE)
def test_one_sentence_of_the_right_document_alone_holds_the_facts(row: dict[str, Any]) -> None:
    assert documents_saying(row["must_contain"]) == [row["document"]]


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["id"])
def test_the_answer_stands_in_the_document_word_for_word(row: dict[str, Any]) -> None:
    assert any(row["answer"].lower() in line for line in HANDBOOK[row["document"]])


@pytest.mark.parametrize("row", QUESTIONS + UNANSWERABLE, ids=lambda row: row["id"])
def test_a_question_is_as_a_caller_would_say_it(row: dict[str, Any]) -> None:
    assert 5 <= len(row["question"].split()) <= 14
    assert not re.search(r"\d", row["question"])


@pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["id"])
def test_a_question_does_not_repeat_the_words_of_its_answer(row: dict[str, Any]) -> None:
    asked, answered = (re.findall(r"[a-z']+", row[key].lower()) for key in ("question", "answer"))

    assert not {tuple(asked[i : i + 4]) for i in range(len(asked) - 3)} & {
        tuple(answered[i : i + 4]) for i in range(len(answered) - 3)
    }


def test_every_unanswerable_question_has_its_words_listed() -> None:
    assert {row["id"] for row in UNANSWERABLE} == set(WOULD_ANSWER)


@pytest.mark.parametrize("question", WOULD_ANSWER)
def test_no_sentence_answers_an_unanswerable_question(question: str) -> None:
    groups = WOULD_ANSWER[question]

    assert [
        line for said in HANDBOOK.values() for line in said if all(re.search(group, line) for group in groups)
    ] == []


def test_ids_are_unique() -> None:
    ids = [row["id"] for row in QUESTIONS + UNANSWERABLE + FOLLOWUPS + SMALLTALK]

    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("voice", "name"), RECORDED)
def test_an_utterance_is_recorded_as_16_khz_mono(voice: str, name: str) -> None:
    recording = soundfile.info(SPEECH / voice / f"{name}.flac")

    assert (recording.samplerate, recording.channels, recording.subtype) == (16_000, 1, "PCM_16")


def test_recordings_stay_small() -> None:
    assert sum(path.stat().st_size for path in SPEECH.rglob("*") if path.is_file()) < 6_000_000
