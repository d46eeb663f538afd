"""Whether a sentence stands in the passages that it cites."""

import re
from pathlib import Path

import pytest

from bot.extractive.sentences import sentences
from bot.reading.aloud import Aloud
from knowledge.chunking import chunk
from knowledge.loaders import load
from processors.claims import Evidence, claims_of, faults, lacking, unsupported

HANDBOOK = Path(__file__).parents[2] / "evals" / "sample" / "handbook"
PASSAGE = (
    "Workshop. Repairing a flat tire costs 18 dollars, and a wheel costs $24.50. The workshop is closed on Sundays. "
    "Open Monday to Friday from 9 in the morning until half past 6. Founded in 1998 by Anna Brooks, call 555-0142-77. "
    "Helmets cannot be returned once they were worn. Rentals end after 1 day. 2,400 riders, and 1.5 percent interest."
)
NOTHING = Evidence("")


def found(sentence: str, *, passage: str = PASSAGE, known: str = "") -> set[str]:
    return set(faults(sentence, [Evidence(passage)], known=Evidence(known)))


@pytest.mark.parametrize(
    "sentence",
    [
        "It costs 18 dollars.",
        "It's $18 for a flat.",
        "That's eighteen dollars.",
        "A wheel is twenty-four dollars and fifty cents.",
        "A wheel is twenty-four fifty.",
        "It has been there since nineteen ninety-eight.",
        "We are open until six thirty.",
        "We are open until 6:30 p.m. and from nine.",
        "Come on Wednesday, if you like.",
        "You can call five five five zero one four two seven seven.",
        "You can call 555 0142 77 at any time, 24/7.",
        "There are two ways to do it.",
        "You have it for 24 hours.",
        "Interest is one point five percent.",
        "We have two thousand four hundred riders.",
        "1. Ask for Anna Brooks.",
        "We are there for you, Mon to Fri.",
        'They say "Bring it in", seven days a week.',
        "You pay on the 1st of each month in the U.S.",
        "She said: Bring it in.",
        "Die Reparatur kostet 18 Dollar im Laden.",
        "No, the workshop isn't open on Sundays.",
        "Helmets can't be returned once they were worn.",
        "Worn helmets can be sold.",
    ],
)
def test_what_stands_in_the_passage_in_any_form_has_no_fault(sentence: str):
    assert found(sentence) == set()


@pytest.mark.parametrize(
    ("sentence", "fault"),
    [
        ("It costs 25 dollars.", "number"),
        ("It costs eighty dollars.", "number"),
        ("It costs 18 euros.", "number"),
        ("A wheel is twenty-four sixty.", "number"),
        ("It has been there since nineteen eighty-nine.", "number"),
        ("We are open from 9 in the evening.", "number"),
        ("Call us at 555-0143-77.", "number"),
        ("It was founded by Anna Hale.", "name"),
        ("The workshop opens for you on Saturday.", "name"),
        ("The workshop is open on Sundays.", "negation"),
        ("Helmets can be returned once they were worn.", "negation"),
    ],
)
def test_what_the_passage_says_otherwise_is_a_fault(sentence: str, fault: str):
    assert found(sentence) == {fault}


@pytest.mark.parametrize(
    ("sentence", "known", "fault"),
    [
        ("The Brompton costs 18 dollars.", "I have a Brompton", set()),
        ("It's not 25 dollars.", "Is it 25 dollars?", set()),
        ("After 20 days you still pay 18 dollars.", "I bought it 20 days ago.", set()),
        ("Yes, it's 25 dollars.", "Is it 25 dollars?", {"number"}),
    ],
    ids=["a name", "a number that is denied", "a number beside the passage's", "a number that is only repeated"],
)
def test_what_the_caller_said_may_be_named_but_its_numbers_are_not_confirmed(
    sentence: str, known: str, fault: set[str]
):
    assert found(sentence, known=known) == fault


def test_what_is_cited_together_may_say_it_together():
    one, other = Evidence("Repairs cost 18 dollars."), Evidence("Lessons take 90 minutes.")
    sentence = "Repairs cost 18 dollars and take 90 minutes."
    assert faults(sentence, [one, other], known=NOTHING) == set()
    assert [claim.words for claim in lacking(sentence, [one])] == ["90 minutes"]


def test_of_several_passages_the_one_that_lacks_least_is_told():
    assert unsupported(["It costs 18 dollars in 1999."], ["Nothing.", PASSAGE]) == [
        ("It costs 18 dollars in 1999.", ["in 1999"])
    ]


def test_a_number_that_is_told_digit_by_digit_is_one_claim():
    assert [claim.digits for claim in claims_of("Call five five five oh one four two.")] == ["5550142"]


@pytest.mark.parametrize("is_read_aloud", [False, True], ids=["as written", "in words"])
def test_every_sentence_of_the_handbook_stands_in_its_own_passage(is_read_aloud: bool):
    aloud, wrong = Aloud(), []
    for file in sorted(HANDBOOK.glob("*.md")):
        document = load(file.name, file.read_bytes())
        for each in chunk(document, token_spans=lambda text: [m.span() for m in re.finditer(r"\w+", text)]):
            passage = Evidence("\n".join([document.title, *each.heading_path, each.text]))
            for sentence in sentences(each.text, number=1):
                said = aloud.said(sentence.text) if is_read_aloud else sentence.text
                wrong += [said] if faults(said, [passage], known=NOTHING) else []
    # Nobody can tell where one of two ends that are said one behind the other.
    assert [each for each in wrong if "nine hundred and two thousand" not in each] == []
