"""A request about the talk is understood; a question that only begins like one is none."""

import json
import timeit
from pathlib import Path

import pytest

from bot.talk.requests import Request, request_of

SAMPLE = Path(__file__).parents[3] / "evals" / "sample"

ASKED = {
    Request.REPEAT: (
        "Could you say that again?", "Can you repeat that, please?", "Sorry, what did you say?", "Pardon?", "What?",
        "Would you mind repeating that?", "I didn't catch that.", "i didnt quite get that", "Once more, please.",
        "Sorry, say again?", "Tell me that one more time.",
    ),
    Request.SLOWER: (
        "Slower, please.", "Can you please speak a bit more slowly?", "Please slow down a little.",
        "You're talking way too fast.", "not so fast", "Could you talk slower please thank you",
    ),
    Request.FASTER: ("Faster.", "Speak a little faster, please.", "Can you speed up?", "You speak too slowly."),
    Request.LOUDER: (
        "Louder, please!", "Can you speak up a bit?", "I can't hear you very well.", "I cant hear you",
        "You are very quiet.", "Turn up the volume.",
    ),
    Request.QUIETER: ("A bit quieter, please.", "You're too loud.", "Not so loud!", "Could you turn it down a bit?"),
    Request.SHORTER: ("Shorter, please.", "Can you make that shorter?", "In a nutshell?", "Just the short version."),
    Request.SOURCE: (
        "What was the source?", "Where did you get that?", "Where did you get that from?", "What’s your source?",
        "whats the source", "How do you know that?", "Says who?", "Which document is that from?", "Who says so?",
    ),
    Request.SPELL: (
        "Spell that, please.", "How do you spell that?", "Can you spell the name for me?", "Letter by letter.",
    ),
    Request.WAIT: (
        "One moment.", "Hold on a second please.", "Just a minute", "Wait.", "Hold on, let me get a pen.",
        "Bear with me.", "Let me think.", "Sorry, one moment please.",
    ),
    Request.STOP: ("Stop.", "Stop, stop!", "Please be quiet.", "Never mind."),
    Request.GOODBYE: (
        "Goodbye.", "Okay, bye now.", "No, that's all, thank you. Bye!", "That is all, have a nice day.",
        "thank you very much that’s all goodbye", "See you later, bye.", "I have to go now, bye.", "Bye bye",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("utterance", "request_"), [(text, each) for each, texts in ASKED.items() for text in texts])
def test_a_request_is_understood(utterance: str, request_: Request):
    assert request_of(utterance) is request_


@pytest.mark.parametrize(
    "utterance",
    [
        "Can you repeat the opening hours of the shop on Sunday?",
        "Where did you get that bike?",
        "Where is it?",
        "Where is it from?",
        "Where does it come from?",
        "That's too slow.",
        "That's it.",
        "Is it faster by bus?",
        "What is the source of the river?",
        "How do you spell Larkspur?",
        "Could you send me that again by mail?",
        "How long is a moment?",
        "Wait, what does a puncture cost?",
        "Can I stop the subscription?",
        "Stop my order.",
        "Goodbye, and what about Sunday?",
        "What is a shorter bike for a child?",
        "Do you have a louder bell?",
        "Can you hear me?",
        "Thank you.",
        "Yes.",
        "please",
        "",
    ],
)
def test_a_question_that_only_looks_like_a_request_is_none(utterance: str):
    assert request_of(utterance) is None


@pytest.mark.parametrize("name", ["questions", "unanswerable", "followups"])
def test_no_question_of_the_sample_is_a_request(name: str):
    lines = (SAMPLE / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [text for line in lines for text in json.loads(line).values() if isinstance(text, str)]
    assert [text for text in texts if request_of(text)] == []


def test_the_longest_utterance_takes_less_than_a_millisecond():
    endless = "could you please " * 2 + "speak a little bit more slowly please thank you"
    assert min(timeit.repeat(lambda: request_of(endless), number=10, repeat=5)) / 10 < 0.001
