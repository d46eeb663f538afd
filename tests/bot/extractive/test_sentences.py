"""A passage's sentences, as they can be read aloud."""

import pytest

from bot.extractive.sentences import sentences


def read(text: str) -> list[str]:
    return [sentence.text for sentence in sentences(text, number=1)]


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("No stop at the end", ["No stop at the end."]),
        ("Dr. Brown opens at 7 a.m. on Mondays. Then tea.", ["Dr. Brown opens at 7 a.m. on Mondays.", "Then tea."]),
        ("It costs $4.50 in all. Cash only.", ["It costs $4.50 in all.", "Cash only."]),
        ("The pool at the end of the long road behind the old town hall\nopens at seven.",
         ["The pool at the end of the long road behind the old town hall opens at seven."]),
        ("Two paragraphs\n\nstay two", ["Two paragraphs.", "stay two."]),
        ("- Helmets\n- Lights. Two of them\n  in a box\n1. Locks",
         ["Helmets.", "Lights.", "Two of them in a box.", "Locks."]),
        ("Helmets\nLights\nLocks", ["Helmets.", "Lights.", "Locks."]),
        ("Bike: City, Day: 40 dollars\nBike: Electric, Day: 70 dollars",
         ["Bike: City, Day: 40 dollars.", "Bike: Electric, Day: 70 dollars."]),
        ("| Bike | Day |\n|------|----:|\n| City | 40 |", ["Bike, Day.", "City, 40."]),
        ("# Returns\nWithin **thirty** days, see [our _page_](https://x.test).",
         ["Within thirty days, see our _page_."]),
        ("***", []),
        (" \n ", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_what_can_be_said_by_itself(text: str, spoken: list[str]):
    assert read(text) == spoken


def test_sentences_know_their_passage_and_their_place_in_it():
    assert [(s.number, s.position) for s in sentences("One. Two.", number=3)] == [(3, 0), (3, 1)]
