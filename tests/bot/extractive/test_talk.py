"""Small talk is answered at once; a question never is."""

import json
from pathlib import Path

import pytest

from bot.extractive.talk import small_talk
from bot.wording.table import wording

ENGLISH = wording("en")

SAMPLE = Path(__file__).parents[3] / "evals" / "sample"


def lines(name: str, field: str) -> list[str]:
    return [json.loads(line)[field] for line in (SAMPLE / name).read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("utterance", lines("smalltalk.jsonl", "utterance"))
def test_all_small_talk_of_the_sample_gets_a_reply(utterance: str):
    assert small_talk(utterance, ENGLISH) is not None


@pytest.mark.parametrize(
    "question", [*lines("questions.jsonl", "question"), *lines("unanswerable.jsonl", "question")]
)  # fmt: skip
def test_no_question_of_the_sample_is_taken_for_small_talk(question: str):
    assert small_talk(question, ENGLISH) is None


@pytest.mark.parametrize(
    ("utterance", "reply"),
    [
        ("hello", "Hello."),
        ("Hi there, Jarvis!", "Hello."),
        ("HELLO? Hello?", "Hello."),
        ("Hello, how are you?", "I'm well"),
        ("thank you very much that’s all goodbye", "Goodbye"),
        ("Okay, bye now.", "Goodbye"),
        ("Are you a robot?", "I'm a voice assistant."),
        ("What's your name?", "I'm a voice assistant."),
        ("Do you hear me now?", "Yes, I can hear you."),
        ("Is anybody there?", "Yes, I can hear you."),
        ("just a second", "Of course."),
        ("hold on a moment please", "Of course."),
        ("Good to talk to you", "Nice to meet you"),
        ("all right then", "All right."),
        ("Yes, I'm still here.", "All right."),
    ],
)
def test_each_kind_of_small_talk_has_its_reply(utterance: str, reply: str):
    assert (small_talk(utterance, ENGLISH) or "").startswith(reply)


@pytest.mark.parametrize(
    "utterance",
    [
        "Hello, when do you open?",
        "Thanks, and what does it cost?",
        "How are you paid?",
        "Can you hear the bell of a bike?",
        "Who are you hiring?",
        "Can you help me find a bike?",
        "Is anybody there on Sundays?",
        "What can you do about a flat tire?",
        "Yes, on Monday.",
        "How long is a moment?",
        "",
    ],
)
def test_a_question_behind_small_talk_is_a_question(utterance: str):
    assert small_talk(utterance, ENGLISH) is None
