import numpy as np
import pytest

from evals.caller.audio import (
    RATE_HZ,
    Run,
    answer_to,
    longest_gap_samples,
    ms,
    speech_of,
    stereo,
    voiced_runs,
    within,
    yield_samples,
)


def voice(secs, *, peak=8_000):
    times = np.arange(round(secs * RATE_HZ)) / RATE_HZ
    return (peak * np.sin(2 * np.pi * 200 * times)).astype(np.int16)


def silence(secs):
    return np.zeros(round(secs * RATE_HZ), np.int16)


def noise(secs, *, dbfs):
    random = np.random.default_rng(7)
    return (random.normal(0, 32_768 * 10 ** (dbfs / 20), round(secs * RATE_HZ))).astype(np.int16)


def run(start_secs, stop_secs):
    return Run(round(start_secs * RATE_HZ), round(stop_secs * RATE_HZ))


def assert_about(found, expected, *, tolerance_ms):
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert abs(ms(one.start - other.start)) <= tolerance_ms
        assert abs(ms(one.stop - other.stop)) <= tolerance_ms


def test_silence_holds_no_voice():
    assert voiced_runs(silence(1)) == []


def test_nothing_holds_no_voice():
    assert voiced_runs(silence(0)) == []


def test_voice_in_silence_is_found_to_the_millisecond():
    samples = np.concatenate([silence(0.5033), voice(1.0), silence(0.4)])
    assert_about(voiced_runs(samples), [run(0.5033, 1.5033)], tolerance_ms=1)


@pytest.mark.parametrize("dbfs", [-70, -55, -40])
def test_voice_over_steady_noise_is_found(dbfs):
    samples = np.concatenate([silence(0.5), voice(1.0), silence(0.5)]) + noise(2.0, dbfs=dbfs)
    assert_about(voiced_runs(samples), [run(0.5, 1.5)], tolerance_ms=10)


def test_noise_alone_is_no_voice():
    assert voiced_runs(noise(2.0, dbfs=-60)) == []


def test_a_fade_belongs_to_the_voice_down_to_the_quiet_threshold():
    fade = np.linspace(0, 1, round(0.2 * RATE_HZ))
    samples = np.concatenate([silence(0.5), voice(0.2) * fade, voice(1.0), voice(0.2) * fade[::-1], silence(0.5)])
    assert_about(voiced_runs(samples.astype(np.int16)), [run(0.5, 1.9)], tolerance_ms=5)


def test_a_click_is_no_voice():
    samples = silence(1.0)
    samples[20_000:20_100] = 20_000
    assert voiced_runs(samples) == []


def test_a_stop_consonant_does_not_split_a_word():
    samples = np.concatenate([silence(0.2), voice(0.3), silence(0.1), voice(0.02), silence(0.3)])
    assert_about(voiced_runs(samples), [run(0.2, 0.62)], tolerance_ms=2)


def test_full_scale_samples_are_measured():
    assert_about(voiced_runs(np.full(RATE_HZ, -32_768, np.int16)), [run(0, 1)], tolerance_ms=0)


def test_only_a_pause_separates_stretches_of_speech():
    assert speech_of([run(0, 1), run(1.25, 2), run(2.5, 3)]) == [run(0, 2), run(2.5, 3)]


def test_runs_are_taken_by_where_they_begin():
    assert within([run(0, 1), run(2, 3), run(3.5, 4), run(5, 6)], RATE_HZ * 2, RATE_HZ * 5) == run(2, 4)


def test_a_range_without_voice_has_no_run():
    assert within([run(0, 1)], RATE_HZ * 2, RATE_HZ * 5) is None


QUESTION = run(5, 7)


@pytest.mark.parametrize(
    ("bot", "answer"),
    [
        ([run(8, 10)], run(8, 10)),
        ([run(3, 5.4), run(8, 10)], run(8, 10)),
        ([run(3, 7.5), run(8, 10)], run(8, 10)),
        ([run(5.5, 6), run(8, 10)], run(8, 10)),
        ([run(6.5, 9)], run(6.5, 9)),
        ([run(21, 22)], None),
        ([run(1, 4)], None),
    ],
    ids=[
        "after the question",
        "an interrupted answer is passed over",
        "an answer that did not yield is passed over",
        "an answer to half the question is passed over",
        "an answer that came too early",
        "an answer to the next question",
        "no answer",
    ],
)
def test_the_answer_is_the_first_speech_that_outlasts_the_question(bot, answer):
    assert answer_to(QUESTION, bot, until=20 * RATE_HZ) == answer


def test_yielding_lasts_from_the_barge_in_to_the_last_voiced_sample_before_a_pause():
    assert yield_samples(5 * RATE_HZ, [run(3, 5.2), run(5.3, 5.5), run(8, 9)]) == RATE_HZ // 2


def test_a_bot_that_was_silent_has_nothing_to_yield():
    assert yield_samples(5 * RATE_HZ, [run(3, 4), run(6, 7)]) is None


def test_the_longest_gap_lies_between_runs_of_the_range():
    runs = [run(0, 1), run(4, 5), run(5.2, 6), run(6.5, 7)]
    assert longest_gap_samples(runs, start=4 * RATE_HZ, stop=10 * RATE_HZ) == RATE_HZ // 2


def test_one_run_has_no_gap():
    assert longest_gap_samples([run(4, 5)], start=0, stop=10 * RATE_HZ) == 0


def test_the_shorter_channel_is_padded_with_silence():
    mixed = stereo(np.array([1, 2, 3], np.int16), np.array([4], np.int16))
    assert mixed.tolist() == [[1, 4], [2, 0], [3, 0]]
