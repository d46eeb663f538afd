"""The network itself, on recordings: it loads in a third of a second."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from bot.speech.moonshine import LONGEST_SECS, SAMPLE_RATE_HZ, Moonshine, Part, cut, is_speech, utterance_confidence

RECORDING = Path(__file__).parents[2] / "fixtures" / "speech" / "rms" / "q02.flac"
QUESTION = "I took my new bike for a ride, can I still bring it back?"


@pytest.fixture(scope="module")
def moonshine() -> Moonshine:
    return Moonshine()


def recorded() -> np.ndarray:
    samples, _ = soundfile.read(RECORDING, dtype="int16")
    return samples


@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_it_writes_what_was_asked_and_is_sure_of_it(moonshine: Moonshine, rate: int):
    pcm = soxr.resample(recorded(), SAMPLE_RATE_HZ, rate).tobytes()
    recognition = moonshine.recognise(pcm, sample_rate=rate)
    assert recognition.text == QUESTION
    assert recognition.confidence > 0.9


def test_it_tells_no_times(moonshine: Moonshine):
    assert moonshine.recognise(recorded()[:SAMPLE_RATE_HZ].tobytes(), sample_rate=SAMPLE_RATE_HZ).words is None


@pytest.mark.parametrize("backwards", [True, False])
def test_it_is_unsure_of_what_nobody_can_understand(moonshine: Moonshine, backwards: bool):
    noise = np.random.default_rng(1).normal(0, 2_000, SAMPLE_RATE_HZ).astype(np.int16)
    heard = recorded()[::-1] if backwards else noise
    assert moonshine.recognise(heard.tobytes(), sample_rate=SAMPLE_RATE_HZ).confidence < 0.25


def test_silence_has_no_words(moonshine: Moonshine):
    recognition = moonshine.recognise(bytes(32_000), sample_rate=SAMPLE_RATE_HZ)
    assert (recognition.text, recognition.confidence) == ("", 0.0)


@pytest.mark.parametrize("samples", [1, 1_599, 1_600])
def test_a_breath_is_recognised_without_an_error(moonshine: Moonshine, samples: int):
    breath = recorded()[20_000 : 20_000 + samples]
    assert moonshine.recognise(breath.tobytes(), sample_rate=SAMPLE_RATE_HZ).confidence < 0.25


def test_what_it_is_not_sure_of_has_a_lower_confidence():
    confidences = [utterance_confidence(Part("Hello.", (each,) * 3, ended=True)) for each in (0.5, 0.77, 0.99)]
    assert confidences == sorted(confidences)
    assert confidences[0] < 0.05
    assert confidences[-1] > 0.95


def test_a_loop_is_not_understood():
    assert utterance_confidence(Part("again and again", (0.99,) * 40, ended=False)) == 0.0


@pytest.mark.parametrize(
    ("text", "speech"),
    [
        ("Yes.", True),
        ("You", False),
        ("Thank you for watching!", False),
        ("Thank you.", True),
        ("♪♪♪", False),
        ("", False),
    ],
)
def test_what_is_made_of_noise_is_no_speech(text: str, speech: bool):
    assert is_speech(text) is speech


def test_a_short_utterance_is_left_whole():
    (part,) = cut(recorded())
    assert len(part) == len(recorded())


def test_a_long_one_is_cut_where_it_is_quiet_and_nothing_is_lost():
    samples = np.full(LONGEST_SECS * SAMPLE_RATE_HZ * 2, 3_000, np.int16)
    pause = 25 * SAMPLE_RATE_HZ
    samples[pause : pause + SAMPLE_RATE_HZ // 5] = 0
    parts = cut(samples)
    assert pause <= len(parts[0]) <= pause + SAMPLE_RATE_HZ // 5
    assert all(0 < len(part) <= LONGEST_SECS * SAMPLE_RATE_HZ for part in parts)
    assert np.array_equal(np.concatenate(parts), samples)


def test_nothing_has_no_parts():
    assert cut(np.zeros(0, np.int16)) == []
