"""Speech as it is asked for."""

import io

import av
import numpy as np
import pytest

from bot.desk.encoding import Encoder
from bot.desk.requests import SPEECH_HZ, Encoding


def tone(secs: float) -> bytes:
    at = np.arange(round(secs * SPEECH_HZ)) / SPEECH_HZ
    return (8000 * np.sin(2 * np.pi * 440 * at)).astype(np.int16).tobytes()


def encoded(encoding: Encoding, pcm: bytes, *, piece: int = 4096) -> list[bytes]:
    """What each piece of PCM adds, and the end."""
    encoder = Encoder(encoding, rate_hz=SPEECH_HZ)
    parts = [encoder.feed(pcm[at : at + piece]) for at in range(0, len(pcm), piece)]
    return [*parts, encoder.end()]


def test_pcm_stays_as_it_is():
    assert b"".join(encoded("pcm", tone(0.5))) == tone(0.5)


@pytest.mark.parametrize("encoding", ["mp3", "opus"])
def test_what_is_encoded_has_the_length_and_the_pitch_of_what_was_said(encoding: Encoding):
    with av.open(io.BytesIO(b"".join(encoded(encoding, tone(2.0)))), "r") as container:
        frames = list(container.decode(audio=0))
    samples = np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames]).astype(np.float64)
    rate = frames[0].sample_rate
    assert len(samples) / rate == pytest.approx(2.0, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples))
    assert np.argmax(spectrum) * rate / len(samples) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("encoding", ["mp3", "opus"])
def test_half_a_second_of_speech_is_enough_for_the_first_bytes(encoding: Encoding):
    parts = encoded(encoding, tone(2.0))
    first = next(number for number, part in enumerate(parts) if part)
    assert sum(len(part) for part in parts[:6]) > 500
    assert first < 6


@pytest.mark.parametrize("encoding", ["pcm", "mp3", "opus"])
def test_pieces_of_any_size_give_the_same(encoding: Encoding):
    small, large = (b"".join(encoded(encoding, tone(0.5), piece=size)) for size in (482, 9600))
    assert abs(len(small) - len(large)) <= 64
