"""What is left of a text is found by its words."""

import pytest

from processors.failover.words import place_after, rest_of, said_again, without_words

TEXT = "You may keep it, for 30 days. Bring it back."


@pytest.mark.parametrize(
    ("spoken", "rest"),
    [
        ("", TEXT), ("You", "may keep it, for 30 days. Bring it back."),
        ("You may keep it,", "for 30 days. Bring it back."),
        ("You may keep it, for 30 days.", "Bring it back."), (TEXT, ""),
        ("nothing of it", "for 30 days. Bring it back."),
    ],
)  # fmt: skip
def test_the_rest_begins_behind_the_last_word_that_was_said(spoken, rest):
    assert rest_of(TEXT, place_after(TEXT, 0, spoken)) == rest


@pytest.mark.parametrize(
    ("said", "again", "count"),
    [
        ("", "a b", 0), ("a b", "a b c", 2), ("a b", "a x c", 2), ("a b c", "a b", 2), ("a b", "a", 1),
    ],
)  # fmt: skip
def test_words_heard_otherwise_are_the_same_words(said, again, count):
    assert said_again(said.split(), again.split()) == count


@pytest.mark.parametrize(("count", "rest"), [(-1, "One, two."), (0, "One, two."), (1, "two."), (2, ""), (9, "")])
def test_words_are_taken_from_the_beginning(count, rest):
    assert without_words("One, two.", count) == rest
