import numpy as np
import pytest

from bot.speech.samples import QUIETEST_SPEECH, samples_of


def tone(rate: int, *, peak: int) -> bytes:
    return (np.sin(np.arange(rate) / rate * 2 * np.pi * 300) * peak).astype(np.int16).tobytes()


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_a_second_is_16000_samples_whatever_the_rate_of_the_line(rate: int):
    assert len(samples_of(tone(rate, peak=5_000), sample_rate=rate)) == 16_000


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_where_nobody_speaks_there_is_nothing(rate: int):
    assert len(samples_of(tone(rate, peak=QUIETEST_SPEECH // 2), sample_rate=rate)) == 0


def test_the_loudest_negative_sample_is_no_silence():
    assert len(samples_of(np.array([-32768], np.int16).tobytes(), sample_rate=16_000)) == 1


def test_no_audio_has_no_samples():
    assert len(samples_of(b"", sample_rate=16_000)) == 0
