"""The bot is as loud as it is asked to be, and never crackles."""

from typing import Any

import numpy as np
import pytest
from pipecat.frames.frames import Frame, InputAudioRawFrame, TTSAudioRawFrame

from processors.frames import VolumeFrame
from processors.volume import VolumeProcessor, scaled
from tests.patient import run_test

RATE_HZ = 24000


def pcm(*samples: int) -> bytes:
    return np.array(samples, "<i2").tobytes()


def samples(sound: bytes) -> list[int]:
    return np.frombuffer(sound, "<i2").tolist()


@pytest.mark.parametrize(("volume", "then"), [(2.0, [2000, -4000]), (0.5, [500, -1000])])
def test_quiet_sound_is_so_many_times_as_loud(volume: float, then: list[int]):
    assert samples(scaled(pcm(1000, -2000), volume)) == pytest.approx(then, abs=1)


def test_peaks_stay_in_their_order_below_full_scale():
    loud = samples(scaled(pcm(-32768, 15000, 25000, 32767), 2.5))
    assert -32767 <= loud[0] < -22000
    assert 22000 < loud[1] < loud[2] < loud[3] <= 32767


def test_softer_sound_keeps_its_shape():
    assert samples(scaled(pcm(32767, -32768), 0.9)) == pytest.approx([29490, -29490], abs=2)


async def out(*frames: Frame) -> list[Any]:
    down, _ = await run_test(VolumeProcessor(), frames_to_send=[*frames])
    return [*down]


async def test_speech_is_louder_from_the_change_on():
    quiet = [TTSAudioRawFrame(pcm(1000), RATE_HZ, 1) for _ in range(2)]
    before, after = await out(quiet[0], VolumeFrame(2.0), quiet[1])
    assert [samples(before.audio), samples(after.audio)] == [[1000], pytest.approx([2000], abs=1)]


async def test_a_recording_of_it_stays_as_it_was():
    recorded = TTSAudioRawFrame(pcm(1000), RATE_HZ, 1)
    await out(VolumeFrame(2.0), recorded)
    assert samples(recorded.audio) == [1000]


async def test_what_is_no_speech_of_the_bots_stays_as_it_is():
    (heard,) = await out(VolumeFrame(2.0), InputAudioRawFrame(pcm(1000), RATE_HZ, 1))
    assert samples(heard.audio) == [1000]
