import numpy as np
import pytest

from evals.caller.audio import RATE_HZ, Samples
from evals.degraded.packets import Fate
from evals.degraded.sound import PACKET_SAMPLES, Degraded, level, over_telephone, with_losses
from evals.scenarios.keys import Audio


def tone(hz: float = 440, secs: float = 1.0) -> Samples:
    return (8000 * np.sin(2 * np.pi * hz * np.arange(round(secs * RATE_HZ)) / RATE_HZ)).astype(np.int16)


def degraded(**audio: object) -> Degraded:
    return Degraded(Audio.model_validate(audio), said=[tone()])


def test_a_telephone_lets_a_voice_through_and_nothing_above_it():
    assert level(over_telephone(tone(440))) == pytest.approx(level(tone()), rel=0.02)
    assert np.abs(over_telephone(tone(6000))[1000:-1000].astype(float)).max() < 300
    assert over_telephone(tone()).size == tone().size


def test_what_comes_off_a_telephone_is_neither_late_nor_the_same():
    heard, said = over_telephone(tone()).astype(float), tone().astype(float)
    shifts = [float(np.dot(heard[100:-100], np.roll(said, at)[100:-100])) for at in range(-20, 21)]
    assert int(np.argmax(shifts)) == 20
    assert 0 < np.sqrt(np.mean(np.square(heard - said))) < 300


def test_noise_lies_so_far_below_the_speech():
    line = degraded(noise={"kind": "white", "snr_db": 10})
    behind = line.speech(tone()).astype(float) - tone()
    assert 20 * np.log10(level(tone()) / np.sqrt(np.mean(np.square(behind)))) == pytest.approx(10, abs=0.1)


def test_the_same_words_come_out_as_the_same_samples():
    line, again = (degraded(noise={"kind": "street", "snr_db": 5}, codec="g711", loss="5%") for _ in range(2))
    assert np.array_equal(line.speech(tone()), again.speech(tone()))
    assert line.packets(tone()) == again.packets(tone())
    assert line.packets(tone()) != line.packets(tone(441))


def test_a_quiet_caller_is_as_far_above_the_noise():
    loud, quiet = (degraded(gain_db=gain, noise={"kind": "white", "snr_db": 10}) for gain in (0, -20))
    room, quiet_room = loud.room(), quiet.room()
    assert room is not None
    assert quiet_room is not None
    assert np.std(room) / np.std(quiet_room) == pytest.approx(10, rel=0.01)


def test_without_noise_there_is_silence_in_between():
    assert degraded(codec="g711").room() is None


def test_a_lost_packet_is_silence():
    heard = with_losses(tone(), [Fate(), Fate(lost=True), Fate()])
    assert not heard[PACKET_SAMPLES : 2 * PACKET_SAMPLES].any()
    assert np.array_equal(heard[2 * PACKET_SAMPLES :], tone()[2 * PACKET_SAMPLES :])
