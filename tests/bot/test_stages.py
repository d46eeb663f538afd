"""Where the seconds of an answer went."""

import pytest

from bot.reports import Stage
from bot.stages import Stages

WHOLE: list[tuple[Stage, float]] = [
    ("transcript", 10.5),
    ("turn_end", 10.6),
    ("retrieval", 10.65),
    ("llm", 10.85),
    ("tts", 10.9),
]


def secs(*passed: tuple[Stage, float]) -> dict[Stage, float]:
    """The stages of an answer to a caller who fell silent at 10 s."""
    stages = Stages(silent_at=10.0)
    for stage, now in passed:
        stages.passed(stage, now)
    return stages.secs()


def test_each_stage_begins_where_the_one_before_it_ended():
    assert secs(*WHOLE) == {"transcript": 0.5, "turn_end": 0.1, "retrieval": 0.05, "llm": 0.2, "tts": 0.05}


def test_together_they_are_the_wait_until_the_first_sound():
    assert sum(secs(*WHOLE).values()) == pytest.approx(0.9)


def test_the_time_of_a_stage_that_was_not_passed_through_is_the_next_ones():
    assert secs(("transcript", 10.5), ("turn_end", 10.6), ("llm", 10.9)) == {
        "transcript": 0.5,
        "turn_end": 0.1,
        "llm": 0.3,
    }


def test_the_last_transcript_before_the_turns_end_counts():
    found = secs(("transcript", 10.2), ("transcript", 10.5), ("turn_end", 10.6), ("transcript", 10.8))
    assert found == {"transcript": 0.5, "turn_end": 0.1}


def test_of_an_answer_its_first_text_and_its_first_sound_count():
    assert secs(*WHOLE, ("llm", 11.0), ("tts", 11.5)) == secs(*WHOLE)


def test_what_was_still_said_before_the_turn_ended_is_of_no_stage_of_it():
    assert secs(("llm", 10.1), ("tts", 10.1), ("turn_end", 10.4)) == {"turn_end": 0.4}


def test_a_transcript_that_came_ahead_of_time_took_none():
    assert secs(("transcript", 9.9), ("turn_end", 10.4)) == {"transcript": 0.0, "turn_end": 0.4}
