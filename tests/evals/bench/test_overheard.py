"""The sounds that a bot is tried with."""

import asyncio
from collections import Counter

import numpy as np
import pytest

from evals.bench.overheard import HEARD_HZ, Overheard, line, overheard
from evals.caller.audio import Pcm
from evals.caller.speaker import read_recording
from evals.program import RECORDINGS


class Recorded:
    """Says the same whatever it is to say."""

    async def speak(self, text: str) -> Pcm:
        del text
        return read_recording(RECORDINGS / "slt" / "s01.flac")


@pytest.fixture(scope="module")
def sounds() -> list[Overheard]:
    return asyncio.run(overheard(Recorded()))


def test_forty_are_no_reason_to_stop(sounds: list[Overheard]):
    kinds = Counter(each.kind for each in sounds if not each.wants_the_word)
    assert kinds == {"backchannel": 14, "cough": 8, "laughter": 4, "other talk": 10, "echo": 4}


def test_the_others_want_the_word(sounds: list[Overheard]):
    assert Counter(each.kind for each in sounds if each.wants_the_word) == {"question": 60, "command": 16}


def test_each_lies_where_it_says(sounds: list[Overheard]):
    assert all(0 <= each.begins_secs < each.ends_secs <= each.samples.size / HEARD_HZ + 0.01 for each in sounds)


def test_a_line_is_the_same_each_time_and_never_quite_silent():
    silence = np.zeros(HEARD_HZ, np.int16)
    one, two = (line([silence], "street", seed=3) for _ in range(2))
    assert np.array_equal(one, two)
    assert np.std(one.astype(float)) > 1
