import pytest

from bot.speech.spoken_form import spoken_sentences, spoken_words


@pytest.mark.parametrize(
    ("written", "spoken"),
    [
        ("Open 9am–5 p.m.", "Open nine a.m. to five p.m."),
        ("from 3:00 pm to 9:30 PM", "from three p.m. to nine thirty p.m."),
        ("at 10:05", "at ten oh five"),
        ("$25.50 per night", "twenty five dollars fifty per night"),
        ("£1", "one pound"),
        ("5% extra", "five percent extra"),
        ("3.5 hours", "three point five hours"),
        ("1,200 guests", "twelve hundred guests"),
        ("12000 steps", "twelve thousand steps"),
        ("Room 101", "Room one hundred one"),
        ("the 1st of May", "the first of May"),
        ("call 555-0123", "call five five five zero one two three"),
        ("a 15-minute walk", "a fifteen minute walk"),
        ("write to help@acme.com", "write to help at acme dot com"),
        ("v2.1 on Python3", "v two point one on Python three"),
        ("children, e.g. twins", "children for example twins"),
        ("don’t", "don't"),
    ],
)
def test_a_text_is_written_as_it_is_said(written, spoken):
    assert " ".join(spoken_sentences(written)[0]) == spoken


def test_a_text_is_split_into_sentences():
    text = "Check-in is at 3. Call us!\n| Bike | 19 dollars |"
    assert [" ".join(words) for words in spoken_sentences(text)] == [
        "Check in is at three",
        "Call us",
        "Bike",
        "nineteen dollars",
    ]


def test_signs_without_a_sound_say_nothing():
    assert spoken_words("— … | *") == []
