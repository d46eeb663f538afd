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
        ("Please bring: a passport.", ["Please bring: a passport."]),
        ("Please bring:\na passport\ntwo photos", ["Please bring:", "a passport.", "two photos."]),
        ("***", []),
        (" \n ", []),
        ("", []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_what_can_be_said_by_itself(text: str, spoken: list[str]):
    assert read(text) == spoken


def test_sentences_know_their_passage_and_their_place_in_it():
    assert [(s.number, s.position) for s in sentences("One. Two.", number=3)] == [(3, 0), (3, 1)]


@pytest.mark.parametrize(
    ("text", "lead_ins"),
    [
        ("Please bring:\n\n- a passport\n- two photos. Of you", [None, 0, 0, 0]),
        ("Welcome. Please bring:\n\nA passport\nTwo photos\n\nThen wait.", [None, None, 1, 1, None]),
        ("1. First go.\n2. Then stop.", [None, None]),
        ("Bring:\n- a passport\n\nPay:\n- cash", [None, 0, None, 2]),
    ],
    ids=["marked", "unmarked", "without", "two lists"],
)
def test_the_items_of_a_list_know_the_sentence_that_introduces_them(text: str, lead_ins: list[int | None]):
    assert [s.lead_in for s in sentences(text, number=1)] == lead_ins


@pytest.mark.parametrize(
    "code",
    [
        'result = vo.embed(texts, model="voyage-2", input_type="document")',
        'data: {"type": "content_block_delta", "index": 0}',
        "```python",
        "<div class='note'>",
        "for (int i = 0; i < n; i++) {",
    ],
)
def test_lines_of_a_program_are_not_read_aloud(code: str):
    assert [s.text for s in sentences(f"Do it like this.\n\n{code}\n\nIt is fast.", number=1)] == [
        "Do it like this.",
        "It is fast.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "A helmet (if you have one) costs nothing.",
        "It is 5 dollars; it was 4.",
        "Write to us at shop@example.com.",
        "Half #1.",
    ],
)
def test_signs_in_prose_make_no_program_of_it(text: str):
    assert [s.text for s in sentences(text, number=1)] == [text]
