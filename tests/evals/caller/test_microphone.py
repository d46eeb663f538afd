import numpy as np
import pytest

from evals.caller.audio import Run
from evals.caller.microphone import FRAME_SAMPLES, Microphone, slot_to_send
from evals.degraded.packets import Fate


@pytest.mark.parametrize(
    ("elapsed_secs", "slot"),
    [(0.95, 50), (1.0, 50), (1.03, 50), (1.3, 65)],
    ids=["early: it waits", "on time", "a little late: the clock is kept", "long past: frames are skipped, not burst"],
)
def test_a_frame_keeps_its_place_on_the_clock_unless_it_is_long_past(elapsed_secs, slot):
    assert slot_to_send(50, elapsed_secs) == slot


def microphone():
    frames = []

    def record(_sent_at_secs, samples):
        frames.append(samples)
        return Run((len(frames) - 1) * FRAME_SAMPLES, len(frames) * FRAME_SAMPLES)

    return Microphone(on_frame=record), frames


async def test_without_speech_it_sends_silence():
    track, _ = microphone()
    frame = await track.recv()
    assert (frame.sample_rate, frame.samples, frame.pts) == (48_000, FRAME_SAMPLES, 0)
    assert not frame.to_ndarray().any()


async def test_speech_is_sent_from_the_next_frame_on_and_padded_to_whole_frames():
    track, frames = microphone()
    await track.recv()
    track.say(np.full(FRAME_SAMPLES + 1, 5, np.int16))
    await track.recv()
    await track.recv()
    assert [int(np.count_nonzero(frame)) for frame in frames] == [0, FRAME_SAMPLES, 1]


async def test_speech_is_spoken_when_its_last_frame_is_sent():
    track, _ = microphone()
    track.say(np.full(2 * FRAME_SAMPLES, 5, np.int16))
    await track.recv()
    assert track.spoken is None
    await track.recv()
    assert track.spoken == Run(0, 2 * FRAME_SAMPLES)


async def test_speaking_while_speaking_fails():
    track, _ = microphone()
    track.say(np.full(2 * FRAME_SAMPLES, 5, np.int16))
    with pytest.raises(RuntimeError, match="still speaking"):
        track.say(np.full(FRAME_SAMPLES, 5, np.int16))


async def test_a_room_is_heard_while_nothing_is_said_and_begins_again():
    frames = []
    room = np.repeat(np.array([1, 2], np.int16), FRAME_SAMPLES)
    track = Microphone(on_frame=lambda _secs, samples: frames.append(int(samples[0])), room=room)
    for _ in range(3):
        await track.recv()
    assert frames == [1, 2, 1]


async def test_each_frame_of_speech_has_its_fate_and_silence_has_none():
    track, _ = microphone()
    track.say(np.full(2 * FRAME_SAMPLES, 5, np.int16), [Fate(lost=True), Fate(late_ms=9.0)])
    met = []
    for _ in range(3):
        await track.recv()
        met.append(track.fate)
    assert met == [Fate(lost=True), Fate(late_ms=9.0), Fate()]
