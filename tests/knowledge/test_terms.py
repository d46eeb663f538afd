import pytest

from knowledge.terms import letters, sounds, stems, telling_words, words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("When does the Pool open?", ["when", "does", "the", "pool", "open"]),
        ("snake_case, half-price", ["snake", "case", "half", "price"]),
        ("Grüße 🏨 24h", ["grüße", "24h"]),
        ("東京タワー", ["東京タワー"]),
        ("🎉 … !", []),
        ("", []),
    ],
)
def test_a_word_is_letters_and_digits_in_lower_case(text: str, found: list[str]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("when does the pool open", ["pool", "open"]),
        ("who are you", ["who", "are", "you"]),
        ("", []),
    ],
)
def test_fillers_count_only_where_there_is_nothing_else(text: str, found: list[str]) -> None:
    assert telling_words(text) == found


def test_forms_of_a_word_have_one_stem() -> None:
    assert len(set(stems(["return", "returns", "returned", "returning"]))) == 1


@pytest.mark.parametrize(
    ("word", "groups"),
    [("a", ["^a$"]), ("it", ["^it$"]), ("pool", ["^poo", "pool", "ool$"]), ("東京", ["^東京$"])],
)
def test_letters_are_groups_of_four_with_the_ends_marked(word: str, groups: list[str]) -> None:
    assert letters([word]) == groups


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("gandhi", "gandy"),
        ("larkspur", "lark spur"),
        ("tchaikovsky", "chai kofski"),
        ("knight", "night"),
        ("pulaski", "pull aski"),
    ],
)
def test_a_word_that_was_heard_as_others_sounds_alike(written: str, heard: str) -> None:
    assert set(sounds(words(written))) <= set(sounds(words(heard)))


def test_words_of_one_or_two_letters_have_no_sound() -> None:
    assert sounds(["a", "of", "42"]) == []


@pytest.mark.parametrize("of_words", [[], ["東京"], ["123"]])
def test_what_cannot_be_pronounced_has_no_sound(of_words: list[str]) -> None:
    assert sounds(of_words) == []
