"""A word is released once the audio holds it, and waiting follows what a voice is used to."""

from collections import deque

import pytest
from pipecat.frames.frames import TTSTextFrame

from processors.failover.take import Take, first_audio_limit_secs, least_secs, most_secs, written


@pytest.mark.parametrize(
    ("samples", "limit_secs"), [([], 1.7), ([0.1] * 4, 1.7), ([0.1] * 20, 0.8), ([1.0] * 20, 1.5), ([9.0] * 20, 2.5)]
)
def test_the_first_audio_is_waited_for_by_the_p95_of_the_last(samples, limit_secs):
    assert first_audio_limit_secs(deque(samples), unknown_secs=1.7) == pytest.approx(limit_secs)


def test_a_text_of_digits_may_take_longer_than_one_of_letters():
    assert most_secs("1234") > most_secs("abcd") > least_secs("abcd") == least_secs("1234")


@pytest.mark.parametrize(("audio_secs", "released"), [(0.9, 0), (1.05, 0), (1.3, 1)])
def test_a_word_is_held_until_the_audio_holds_it(audio_secs, released):
    take = Take(None, asked_at=0.0)
    word = TTSTextFrame("drill", text_type="word")
    word.pts = 1_000_000_000 + 7
    take.held.append(word)
    take.sound(audio_secs, base_ns=7)
    assert len(take.release()) == released


@pytest.mark.parametrize(
    ("raw_text", "append", "kind", "stands_for"),
    [
        ("$18", True, "word", "$18"),
        (None, False, "word", ""),
        (None, True, "word", "eighteen"),
        (None, False, "sentence", "eighteen"),
    ],
)
def test_a_word_stands_for_what_is_written_once_all_of_that_was_said(raw_text, append, kind, stands_for):
    word = TTSTextFrame("eighteen", text_type=kind, raw_text=raw_text)
    word.append_to_context = append
    assert written(word) == stands_for
