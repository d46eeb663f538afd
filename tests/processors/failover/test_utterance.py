"""An utterance is kept from a little before its speech on, and replayed with the VAD's marks."""

import pytest
from pipecat.frames.frames import InputAudioRawFrame, VADUserStartedSpeakingFrame, VADUserStoppedSpeakingFrame
from pipecat.processors.frame_processor import FrameDirection

from processors.failover.utterance import Utterance

DOWN, UP = FrameDirection.DOWNSTREAM, FrameDirection.UPSTREAM


def heard(*secs: int) -> Utterance:
    utterance = Utterance(pre_roll_secs=1.0, kept_secs=3.0)
    for count in secs:
        for _ in range(count * 10):
            utterance.hear(InputAudioRawFrame(bytes(3200), 16000, 1), DOWN)
        if not utterance.begun:
            utterance.start(VADUserStartedSpeakingFrame(), UP)
    return utterance


@pytest.mark.parametrize(("secs", "kept_secs"), [((5,), 1.0), ((5, 1), 2.0), ((5, 9), 3.0)])
def test_no_more_is_kept_than_may_be(secs, kept_secs):
    assert heard(*secs).secs == pytest.approx(kept_secs, abs=0.11)


@pytest.mark.parametrize("secs", [1, 9])
def test_the_replay_holds_the_beginning_of_speech_even_where_its_audio_is_gone(secs):
    replayed = [frame for frame, _ in heard(2, secs).replay()]
    assert sum(isinstance(frame, VADUserStartedSpeakingFrame) for frame in replayed) == 1


def test_what_was_told_before_is_cut_from_what_is_told_again():
    utterance = heard(1, 1)
    utterance.final("please tell me")
    list(utterance.replay())
    assert utterance.final("please tell me how long") == "how long"


def test_words_are_owed_until_a_final_transcript():
    utterance = heard(1, 1)
    utterance.stop(VADUserStoppedSpeakingFrame(), UP, much_secs=0.4)
    before = utterance.owed
    utterance.final("please")
    assert (before, utterance.owed) == (True, False)
