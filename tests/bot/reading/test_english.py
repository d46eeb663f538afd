"""What is read of real lines, and what is left alone."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipecat.utils.context.word_completion_tracker import WordCompletionTracker

from bot.reading.english import read

LINES = [
    # names and addresses
    ("Call +1 (415) 555-0133.", "Call plus one, four one five, five five five, zero one three three."),
    ("Call 555-0133 ext. 12.", "Call five five five, zero one three three, extension one two."),
    ("Or 1-800-555-0199.", "Or one, eight zero zero, five five five, zero one nine nine."),
    ("In London +44 20 7946 0958.", "In London plus four four, two zero, seven nine four six, zero nine five eight."),
    ("Write to help@larkspur-bikes.example.", "Write to help at larkspur dash bikes dot example."),
    ("See larkspur.example/lockers, please.", "See larkspur dot example, please."),
    ("See https://www.larkspur.example/a?b=1#c.", "See larkspur dot example."),
    # codes
    ("It is v2.1.", "It is version two point one."),
    ("Version v2.1.3 of it.", "Version two point one point three of it."),
    ("We have ISO 9001.", "We have ISO nine thousand one."),
    ("Ticket #1234.", "Ticket number one two three four."),
    ("Bay #3.", "Bay number three."),
    ("Print it on A4.", "Print it on A4."),
    ("Order ORD-48213.", "Order ORD four eight two one three."),
    ("Code X7K9Q2, A7A9.", "Code X seven K nine Q two, A-seven A-nine."),
    ("A 7-day trial of MP3.", "A seven-day trial of MP3."),
    ("Zip 94107, room 007.", "Zip nine four one zero seven, room zero zero seven."),
    ("Host 192.0.2.1.", "Host one hundred ninety-two dot zero dot two dot one."),
    ("Item 12-34-56.", "Item one two, three four, five six."),
    # abbreviations
    ("Dr. Smith is in.", "Doctor Smith is in."),
    ("At 12 Elm Dr. near St. Mary.", "At twelve Elm Drive near Saint Mary."),
    ("It is on Main St.", "It is on Main Street."),
    ("Fruit, e.g. apples, etc.", "Fruit, for example apples, et cetera."),
    ("Apples etc. We have more.", "Apples et cetera. We have more."),
    ("Mr. and Mrs. Lee vs. Prof. Hart.", "Mister and Missus Lee versus Professor Hart."),
    ("Take no. 5, see p. 12, § 3.", "Take number five, see page twelve, section three."),
    ("With w/ milk & w/o sugar.", "With with milk and without sugar."),
    # signs
    ("2 + 2 = 4, about ~5, 5+.", "two plus two equals four, about about five, five plus."),
    ("Press * then #.", "Press star then pound."),
    ("Yes and/or no, his/her, TCP/IP.", "Yes and or no, his or her, TCP IP."),
    ("file_name [x] {y} a|b", "file name x y a b"),
]  # fmt: skip

UNTOUCHED = [
    "It is what it is, and I am here.",
    "I said no. That is all.",
    "The sun sat on a wall; may I march in?",
    "We are open - mostly - from dawn to dusk… aren't we?",
    "He Sat down on Sun.",
    "A man in a high hat is at it, a.k.a. him.",
    "Ms Ellis, of Larkspur Cycles (the shop).",
    "“Quoted,” she said — twice!",
    "St. is short.",
    "",
    "   ",
]


@pytest.mark.parametrize(("written", "said"), LINES)
def test_a_line_is_read_as_it_is_said(written: str, said: str):
    assert read(written) == said


@pytest.mark.parametrize("text", UNTOUCHED)
def test_ordinary_words_are_left_alone(text: str):
    assert read(text) == text


@pytest.mark.parametrize("said", [said for _, said in LINES])
def test_what_is_read_once_is_not_read_again(said: str):
    assert read(said) == said


@pytest.mark.parametrize("written", [written for written, _ in LINES])
def test_pipecat_finds_each_word_that_is_said_in_what_is_written(written: str):
    tracker, kept, done = WordCompletionTracker(read(written), llm_text=written, user_facing_text=written), [], []
    for word in read(written).split():
        done.append(tracker.add_word_and_check_complete(word))
        kept += [] if tracker.suppress_in_context() else [tracker.get_llm_consumed() or ""]
    assert "".join("".join(kept).split()) == "".join(written.split())
    assert done.index(True) == len(done) - 1


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="0123456789.,-–/:$€%#@ +()xvamp'MarchStDrMonº½₂\u0661 \n_*&", max_size=60))
def test_no_text_is_an_error(text: str):
    assert isinstance(read(text), str)


def test_a_sentence_takes_less_than_a_millisecond():
    texts = [*(written for written, _ in LINES), *UNTOUCHED]

    def secs() -> float:
        began = time.process_time()
        for text in texts:
            read(text)
        return (time.process_time() - began) / len(texts)

    assert min(secs() for _ in range(5)) < 0.001


@pytest.mark.parametrize("text", [each * 5000 for each in ("1", "a.", "- ", "1,234", "$", "a-1", "1 ", "/", "+1 ")])
def test_what_no_model_writes_is_read_in_a_moment(text: str):
    began = time.process_time()
    read(text)
    assert time.process_time() - began < 2
