"""No markup reaches the voice, in whatever pieces it comes."""

import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.tests.utils import SleepFrame

from processors.markup import CODE_LEFT_OUT, NOTHING_TO_SAY, MarkupReader, PlainText, plain
from tests.patient import run_test

ID = "3f2b8c1e-1111-4222-8333-123456789abc"
ANSWERS = [
    # emphasis and code
    ("**Bold**, *it*, __b__, _i_ and `code`.", "Bold, it, b, i and code."),
    ("**Two words** of it.", "Two words of it."),
    ("3*4, 3 * 4, snake_case. Press * then #.", "3*4, 3 * 4, snake_case. Press * then #."),
    ("Not \\*bold\\*.", "Not *bold*."),
    ("It was ~~$25~~ $20.", "It was $20."),
    ("Run this:\n```bash\nrm -rf /\n```\nThen wait.", f"Run this: {CODE_LEFT_OUT} Then wait."),
    # lists and headings
    ("# Prices\nWe have two.\n\n- Small: $9\n* **Large**: $21\n  - inside\n\nThat's all.",
     "Prices. We have two. Small: $9. Large: $21. inside. That's all."),
    ("1. Open the app\n2) Press *Start*\n\nDone.", "1: Open the app. 2: Press Start. Done."),
    ("Bring:\n- [ ] an ID\n- [x] a key\n---\nBye.", "Bring: an ID. a key. Bye."),
    ("> A quote\n> goes on\n\nYes.", "A quote. goes on. Yes."),
    ("**Hours:** 9-5\n**Phone:** 555-0133\n", "Hours: 9-5. Phone: 555-0133."),
    ("A line that is long enough to have been broken by whoever wrote\nit.",
     "A line that is long enough to have been broken by whoever wrote it."),
    # tables
    ("| Locker | Price a month | Size |\n|---|---:|---|\n| Small | $9 | 30 cm |\n| **Large** | $21 | |\nAsk us.",
     "Small: price a month $9, size 30 cm. Large: price a month $21. Ask us."),
    ("We have:\n| Small | $9 |\n| Large | $21 |", "We have: Small: $9. Large: $21."),
    ("Locker | Price\n--- | ---\nSmall | $9\n", "Locker, Price. Small, $9."),
    # links and addresses
    ("See [our page](https://larkspur.example/a_(b)?x=1#y \"t\").", "See our page."),
    ("![A map](map.png) is here.", "A map is here."),
    ("See https://www.larkspur.example/lockers?x=1.", "See larkspur.example."),
    ("See <https://larkspur.example/b> or www.larkspur.example.", "See larkspur.example or larkspur.example."),
    ("Write to mailto:help@larkspur.example!", "Write to help@larkspur.example!"),
    (f"See https://larkspur.example/{'x' * 900}?y=1 now.", "See larkspur.example now."),
    # notes and ids
    ("It is there[1], and there [2, 3], too[^4].", "It is there, and there, too."),
    ("[Note] this.", "Note this."),
    (f"Order {ID} is ready ({ID}), too (report no: {ID}).", "Order is ready, too."),
    ("It is far (by bike), and (on the whole) long.", "It is far (by bike), and (on the whole) long."),
    (f"The id is {ID}. Commit deadbeef0123456789.", "The id is a long code. Commit."),
    ("Order ORD-48213 of 2026-03-01.", "Order ORD-48213 of 2026-03-01."),
    # HTML
    ("Tom &amp; Jerry&nbsp;cost &lt; &#8364;5. <b>Bold</b><br>next <!-- no --> yes.",
     "Tom & Jerry cost < €5. Bold, next yes."),
    ("If a < b and c > d, yes.", "If a < b and c > d, yes."),
    # emoji
    ("Great 👍🏽! Yes 😀. It is ✅ done :smile: now.", "Great! Yes. It is done now."),
    # nothing of it
    ("It's fine! \"Quoted,\" she said; ok… (Yes.)", "It's fine! \"Quoted,\" she said; ok… (Yes.)"),
    ("18 dollars at 9:30. -5 degrees.", "18 dollars at 9:30. -5 degrees."),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "said"), ANSWERS)
def test_an_answer_is_given_to_the_voice_without_markup(written: str, said: str):
    assert plain(written) == said


@pytest.mark.parametrize(("written", "said"), ANSWERS)
def test_it_makes_no_difference_in_which_pieces_it_comes(written: str, said: str):
    for seed in range(20):
        pieces, at, out, reader = random.Random(seed), 0, "", MarkupReader()
        while at < len(written):
            size = pieces.randint(1, 6) if seed else 1
            out += reader.feed(written[at : at + size])
            at += size
        assert out + reader.end() == said


@pytest.mark.parametrize("text", [text for _, text in ANSWERS])
def test_what_is_plain_stays_as_it_is(text: str):
    if not text.startswith(("1: ", "Not *")):
        assert plain(text) == text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("We open", "We open"),
        ("We open. N", "We open. N"),
        ("See **", "See"),
        ("At 9", "At"),
        ("See ht", "See"),
        ("[a b", ""),
        ("\u4e94\u70b9\u3002", "\u4e94\u70b9\u3002"),
    ],
)
def test_words_are_passed_on_as_soon_as_they_are_certain(given: str, said: str):
    assert MarkupReader().feed(given) == said


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab1 *_`~|[]()<>&;:#-!\\\n.@/x👍", max_size=80))
def test_no_text_is_an_error_nor_depends_on_its_pieces(text: str):
    reader = MarkupReader()
    assert isinstance("".join(reader.feed(each) for each in text) + reader.end(), str)
    assert "`" not in plain(text)


def test_a_long_answer_costs_little():
    reader, began = MarkupReader(), time.process_time()
    for word in "We have **two** lockers [1] at https://larkspur.example/x for $9 a month. ".split(" ") * 200:
        reader.feed(f"{word} ")
    assert time.process_time() - began < 1.0


@pytest.mark.parametrize(
    "text", ["[" * 5000, "<a" * 5000, "~~" * 5000, "| " * 5000, "*" * 5000, " " * 5000, "&" * 5000]
)
def test_what_no_model_writes_is_read_in_a_moment(text: str):
    began = time.process_time()
    plain(text)
    assert time.process_time() - began < 2


async def given_to_voice(*frames: Frame) -> list[str]:
    """The texts that come out where these frames go in."""
    down, _ = await run_test(PlainText(), frames_to_send=frames)
    return [frame.text for frame in down if isinstance(frame, LLMTextFrame | TTSSpeakFrame)]


async def test_an_answer_that_streams_is_cleaned():
    frames = [LLMTextFrame(piece) for piece in ("It is **bo", "ld** and", " dear.")]
    said = await given_to_voice(LLMFullResponseStartFrame(), *frames, LLMFullResponseEndFrame())
    assert "".join(said) == "It is bold and dear."


async def test_what_is_spoken_by_itself_is_cleaned():
    assert await given_to_voice(TTSSpeakFrame("**Hello** 👋 there.")) == ["Hello there."]


async def test_an_answer_of_which_nothing_can_be_said_is_not_met_with_silence():
    said = await given_to_voice(LLMFullResponseStartFrame(), LLMTextFrame("👍"), LLMFullResponseEndFrame())
    assert said == [NOTHING_TO_SAY]


async def test_an_empty_answer_stays_empty():
    assert await given_to_voice(LLMFullResponseStartFrame(), LLMTextFrame(" "), LLMFullResponseEndFrame()) == []


async def test_what_an_interruption_cut_off_is_not_said_with_the_next_answer():
    apart, begins = SleepFrame(sleep=0.01), LLMFullResponseStartFrame()
    cut = (begins, LLMTextFrame("See [the "), apart, InterruptionFrame(), apart)
    said = await given_to_voice(*cut, LLMFullResponseStartFrame(), LLMTextFrame("Yes."), LLMFullResponseEndFrame())
    assert said == ["See", "Yes."]


async def test_a_text_that_is_not_to_be_spoken_stays_so():
    frame = LLMTextFrame("Yes, it is. ")
    frame.skip_tts = True
    down, _ = await run_test(PlainText(), frames_to_send=[LLMFullResponseStartFrame(), frame])
    assert [each.skip_tts for each in down if isinstance(each, LLMTextFrame)] == [True]
