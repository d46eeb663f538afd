import numpy as np

from evals.caller.recording import Playout, Recording

FRAME = 960
VOICE = np.full(FRAME, 1_000, np.int16)
SILENCE = np.zeros(FRAME, np.int16)


def play(frames):
    playout = Playout()
    return [playout.place(arrival=arrival, timestamp=stamp, samples=samples) for arrival, stamp, samples in frames]


def test_speech_starts_when_its_first_frame_arrives():
    assert play([(5_000, 0, VOICE)]) == [5_000]


def test_silence_is_not_placed():
    assert play([(5_000, 0, SILENCE)]) == [None]


def test_jitter_within_the_reserve_leaves_no_gap():
    assert play([(5_000, 0, VOICE), (7_000, 960, VOICE), (7_100, 1_920, VOICE)]) == [5_000, 5_960, 6_920]


def test_a_frame_later_than_the_reserve_leaves_a_gap():
    assert play([(5_000, 0, VOICE), (20_000, 960, VOICE), (20_960, 1_920, VOICE)]) == [5_000, 20_000, 20_960]


def test_a_burst_after_a_stall_is_played_in_order():
    assert play([(5_000, 0, VOICE), (20_000, 960, VOICE), (20_000, 1_920, VOICE)]) == [5_000, 20_000, 20_960]


def test_a_lost_frame_leaves_its_place_empty():
    assert play([(5_000, 0, VOICE), (6_920, 1_920, VOICE)]) == [5_000, 6_920]


def test_silence_lets_the_playout_catch_up():
    frames = [(20_000, 0, VOICE), (20_000, 960, VOICE), (21_000, 1_920, SILENCE), (22_100, 2_880, VOICE)]
    assert play(frames) == [20_000, 20_960, None, 22_100]


def test_speech_after_silence_does_not_overlap_speech_still_being_played():
    frames = [(20_000, 0, VOICE), (20_000, 960, VOICE), (20_000, 1_920, SILENCE), (20_500, 2_880, VOICE)]
    assert play(frames) == [20_000, 20_960, None, 21_920]


def test_what_was_not_written_is_silence():
    recording = Recording()
    recording.write_bot(3, np.array([7, 8], np.int16))
    assert recording.bot.tolist() == [0, 0, 0, 7, 8]


def test_samples_from_before_media_connected_are_cut_off():
    recording = Recording()
    recording.write_caller(-2, np.array([1, 2, 3], np.int16))
    assert recording.caller.tolist() == [3]


def test_a_frame_that_lies_wholly_before_the_connection_leaves_nothing():
    recording = Recording()
    recording.write_caller(-5, np.array([1, 2, 3], np.int16))
    assert recording.caller.size == 0


def test_a_long_call_is_kept_whole():
    recording = Recording()
    recording.write_bot(0, VOICE)
    recording.write_bot(48_000 * 300, VOICE)
    assert recording.bot.size == 48_000 * 300 + FRAME
    assert recording.bot[0] == recording.bot[-1] == 1_000
