"""Who pauses in a sentence is told from who has ended one, without a call."""

import numpy as np
import pytest

from bot.settings import Turns
from evals.bench.hesitations import RATE_HZ, SOON_SECS, Said, begun, recorded, share_cut, voiced

TURNS = Turns(max_pause_secs=1.5, vad_stop_secs=0.2)
SECOND = np.full(RATE_HZ, 0.2, np.float32)


def ends(words: str, *, complete: bool, with_words: bool = True) -> float:
    return Said(SECOND, words).ends_after_secs(lambda _: complete, turns=TURNS, words=with_words)


@pytest.mark.parametrize(
    ("words", "complete", "with_words", "secs"),
    [
        ("When do you close", True, True, SOON_SECS),
        ("When do you close", False, True, 1.7),
        ("I wanted to", True, True, 1.7),
        ("I wanted to", True, False, SOON_SECS),
    ],
)
def test_a_turn_ends_when_both_the_model_and_the_words_have_it_over(
    words: str, complete: bool, with_words: bool, secs: float
):
    assert ends(words, complete=complete, with_words=with_words) == pytest.approx(secs)


def test_smart_turn_hears_the_silence_that_the_vad_waits_for():
    heard: list[int] = []
    Said(SECOND, "When?").ends_after_secs(lambda audio: not heard.append(len(audio)), turns=TURNS, words=False)
    assert heard == [round(1.2 * RATE_HZ)]


def test_a_sentence_is_torn_where_it_is_quietest():
    audio = np.concatenate([SECOND, np.zeros(1600, np.float32), SECOND])
    part = begun(audio, "one two three four")
    assert len(part.audio) == pytest.approx(RATE_HZ, abs=1600)
    assert part.words == "one two"


def test_a_turn_that_ends_before_the_caller_goes_on_is_cut():
    assert share_cut([0.3, 1.7], [0.2, 1.0]) == 0.25


def test_silence_around_a_recording_is_no_part_of_the_sentence():
    assert len(voiced(np.concatenate([np.zeros(500, np.float32), SECOND, np.zeros(9, np.float32)]))) == RATE_HZ


def test_there_are_recordings_to_tear():
    assert len(recorded()) >= 60
