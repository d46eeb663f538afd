"""No caller waits for the silence that a voice begins with."""

from collections.abc import Sequence

import numpy as np
import pytest
from pipecat.frames.frames import Frame, TTSAudioRawFrame, TTSStartedFrame, TTSStoppedFrame, TTSTextFrame

from processors.onset import Onset
from tests.patient import run_test

RATE_HZ = 24_000
NS = 1_000_000_000


def silence(secs: float) -> np.ndarray:
    return np.tile(np.array([40, -40], np.int16), round(secs * RATE_HZ / 2))


def voice(secs: float) -> np.ndarray:
    return np.full(round(secs * RATE_HZ), 3000, np.int16)


def sound(*parts: np.ndarray) -> TTSAudioRawFrame:
    return TTSAudioRawFrame(np.concatenate(parts).tobytes(), RATE_HZ, 1)


def word(at_secs: float) -> TTSTextFrame:
    frame = TTSTextFrame("Six", text_type="word")
    frame.pts = round(at_secs * NS)
    return frame


async def passed(*frames: Frame) -> Sequence[Frame]:
    down, _ = await run_test(Onset(), frames_to_send=frames)
    return down


def secs(frames: Sequence[Frame]) -> float:
    return sum(frame.num_frames for frame in frames if isinstance(frame, TTSAudioRawFrame)) / RATE_HZ


@pytest.mark.parametrize(
    "sounds",
    [[sound(silence(0.2), voice(0.3))], [sound(silence(0.12)), sound(silence(0.08)), sound(voice(0.3))]],
    ids=["in one frame", "over frames"],
)
async def test_a_text_begins_just_before_its_first_sound(sounds: list[TTSAudioRawFrame]):
    # What the frames are is changed on their way.
    frames = [sound(np.frombuffer(each.audio, np.int16)) for each in sounds]
    assert secs(await passed(TTSStartedFrame(), *frames)) == pytest.approx(0.31, abs=0.011)


async def test_silence_inside_a_text_stays():
    heard = await passed(TTSStartedFrame(), sound(voice(0.1)), sound(silence(0.5)), sound(voice(0.1)))
    assert secs(heard) == pytest.approx(0.7)


async def test_words_come_as_much_sooner_as_the_sound():
    heard = await passed(TTSStartedFrame(), sound(silence(0.21), voice(0.3)), word(5.21))
    assert [frame.pts for frame in heard if isinstance(frame, TTSTextFrame)] == [pytest.approx(5.01 * NS, abs=1000)]


async def test_the_next_text_is_measured_by_itself():
    heard = await passed(
        TTSStartedFrame(), sound(silence(0.21), voice(0.3)), TTSStoppedFrame(),
        TTSStartedFrame(), sound(voice(0.3)), word(9),
    )  # fmt: skip
    assert [frame.pts for frame in heard if isinstance(frame, TTSTextFrame)] == [9 * NS]
    assert secs(heard) == pytest.approx(0.61, abs=0.001)


async def test_a_voice_that_is_silent_for_long_means_it():
    assert secs(await passed(TTSStartedFrame(), *(sound(silence(0.4)) for _ in range(3)))) == pytest.approx(0.6)
