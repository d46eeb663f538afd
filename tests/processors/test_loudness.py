"""Levels tell the caller from the room and from the bot's own voice."""

import numpy as np
import pytest

from processors.loudness import QUIETEST_DBFS, Loudness, level_dbfs


@pytest.mark.parametrize(("peak", "dbfs"), [(32_767, -3.0), (3_277, -23.0), (0, QUIETEST_DBFS)])
def test_a_tone_is_as_loud_as_its_root_mean_square(peak: int, dbfs: float):
    tone = (peak * np.sin(np.arange(320) * 2 * np.pi / 32)).astype(np.int16)
    assert level_dbfs(tone.tobytes()) == pytest.approx(dbfs, abs=0.1)


def test_no_sound_at_all_is_silence():
    assert level_dbfs(b"") == QUIETEST_DBFS


def heard(*levels: float) -> Loudness:
    loudness = Loudness()
    for level in levels:
        loudness.hear(level, secs=0.02)
    return loudness


@pytest.mark.parametrize(
    ("levels", "stirring"),
    [
        ((-70, -70, -30, -30), True),
        ((-70, -70, -30), False),
        ((-70, -30, -70, -30), False),
        ((-70, -70, -50, -50), False),
        ((-40, -30, -30), False),
    ],
)
def test_somebody_begins_to_speak_where_sound_stands_out_of_the_noise_for_two_frames(
    levels: tuple[float, ...], stirring: bool
):
    assert heard(*levels).stirring is stirring


def test_noise_that_stays_becomes_the_noise():
    loudness = heard(-70, *[-40.0] * 500)
    assert not loudness.stirring
