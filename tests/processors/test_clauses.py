"""A voice begins with the first clause, and nothing is torn that belongs together."""

import pytest

from processors.clauses import ClauseAggregator, is_clause


async def pieces(text: str, aggregator: ClauseAggregator | None = None) -> list[str]:
    aggregator = aggregator or ClauseAggregator()
    found = [piece.text for token in text.split(" ") async for piece in aggregator.aggregate(f"{token} ")]
    rest = await aggregator.flush()
    return found if rest is None else [*found, rest.text]


@pytest.mark.parametrize(
    ("answer", "spoken"),
    [
        ("We close at six on weekdays, and at four on Saturdays.",
         ["We close at six on weekdays,", "and at four on Saturdays."]),
        ("We close at six. On Saturdays, as you know, at four.",
         ["We close at six.", "On Saturdays, as you know, at four."]),
        ("Yes, of course we do that.", ["Yes, of course we do that."]),
        ("It was made on March 5, and it is good.", ["It was made on March 5, and it is good."]),
        ("It costs all in all 1,000 pounds.", ["It costs all in all 1,000 pounds."]),
        ("Bring it back within 30 days; we pay.", ["Bring it back within 30 days;", "we pay."]),
        ("Bikes, e.g., tandems and others, are there.", ["Bikes, e.g., tandems and others,", "are there."]),
    ],
)  # fmt: skip
async def test_the_first_clause_is_spoken_by_itself(answer: str, spoken: list[str]):
    assert await pieces(answer) == spoken


async def test_a_clause_is_there_with_the_first_letter_behind_it():
    aggregator = ClauseAggregator()
    assert [piece.text async for piece in aggregator.aggregate("We close at six, b")] == ["We close at six,"]


async def test_the_next_answer_begins_anew():
    aggregator = ClauseAggregator()
    await pieces("We close at six.", aggregator)
    assert (await pieces("We open at nine, mostly.", aggregator))[0] == "We open at nine,"


async def test_nothing_of_an_answer_that_was_cut_off_is_in_the_next():
    aggregator = ClauseAggregator()
    [piece async for piece in aggregator.aggregate("We close at six, but not")]
    await aggregator.handle_interruption()
    assert await pieces("At nine.", aggregator) == ["At nine."]


async def test_a_clause_that_is_given_out_by_itself_is_spoken_at_once():
    aggregator = ClauseAggregator()
    assert [piece.text async for piece in aggregator.aggregate("We close at six, ")] == ["We close at six,"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("For a flat tire, ", True), ("For a flat tire", False), ("Well, ", False), ("It costs all in all 1,", False)],
)
def test_a_clause_has_three_words_and_ends_behind_a_letter(text: str, is_one: bool):
    assert is_clause(text) == is_one
