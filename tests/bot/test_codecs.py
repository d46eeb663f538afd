"""Sound in binary messages, both ways."""

import numpy as np
import pytest

from bot.codecs import sound_codec
from bot.wire import SampleRate, WireError

TONE_HZ = 300


def tone(rate_hz: int, secs: float) -> bytes:
    return (8000 * np.sin(2 * np.pi * TONE_HZ * np.arange(round(rate_hz * secs)) / rate_hz)).astype("<i2").tobytes()


def loudest_hz(pcm: bytes, rate_hz: int) -> float:
    samples = np.frombuffer(pcm, "<i2")
    return float(np.argmax(np.abs(np.fft.rfft(samples))) * rate_hz / samples.size)


@pytest.mark.parametrize("rate", SampleRate)
def test_pcm_is_what_it_is(rate: SampleRate):
    codec = sound_codec("pcm", rate)
    assert codec.heard_hz == rate
    assert codec.decode(b"\x01\x02") == codec.encode(b"\x01\x02") == b"\x01\x02"


@pytest.mark.parametrize("message", [b"\x01", b"\x01\x02\x03", b"\x00" * 65_535])
def test_pcm_that_ends_within_a_sample_is_refused(message: bytes):
    with pytest.raises(WireError) as refusal:
        sound_codec("pcm", SampleRate.WIDEBAND).decode(message)
    assert refusal.value.fault == "odd_length"


@pytest.mark.parametrize("rate", SampleRate)
def test_what_the_bot_says_in_opus_is_heard_again(rate: SampleRate):
    bot, caller = sound_codec("opus", rate), sound_codec("opus", rate)
    spoken, size = tone(rate, 1), rate // 50 * 2
    packets = [bot.encode(spoken[start : start + size]) for start in range(0, len(spoken), size)]
    heard = b"".join(caller.decode(packet) for packet in packets)
    assert sum(map(len, packets)) < 8_000
    assert len(heard) == 48_000 * 2
    assert loudest_hz(heard, caller.heard_hz) == pytest.approx(TONE_HZ, abs=3)


@pytest.mark.parametrize("message", [b"garbage that is not opus", b"\xff" * 300])
def test_what_is_no_opus_packet_is_refused(message: bytes):
    with pytest.raises(WireError) as refusal:
        sound_codec("opus", SampleRate.FULLBAND).decode(message)
    assert refusal.value.fault == "undecodable"


def test_a_packet_after_garbage_is_heard():
    codec = sound_codec("opus", SampleRate.FULLBAND)
    with pytest.raises(WireError):
        codec.decode(b"garbage that is not opus")
    assert len(codec.decode(codec.encode(tone(48_000, 0.02)))) == 960 * 2
