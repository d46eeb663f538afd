"""What a caller says, the cues for it, and what arrives of it."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from evals.caller.audio import RATE_HZ, Pcm, Samples
from evals.degraded.packets import Fate
from evals.scenarios.plan import Run, as_held
from evals.scenarios.utterances import CUE_HZ, CUE_SAMPLES, Cues, Mouth, Script, Utterance, cued, script
from tests.evals.scenarios.given import scenario

FRAME = RATE_HZ // 25
SILENT = bytes(2 * CUE_SAMPLES)


class PlayedSpeaker:
    """Says everything as the same tone, 50 ms long."""

    async def speak(self, text: str) -> Pcm:
        return Pcm(loud(RATE_HZ // 20), RATE_HZ)


def loud(count: int, value: int = 1000) -> Samples:
    return np.full(count, value, np.int16)


def cue(turn: int) -> bytes:
    return loud(CUE_SAMPLES, turn + 1).tobytes()


async def test_what_is_said_lasts_for_whole_cues(tmp_path: Path):
    said = await script(scenario(tmp_path), PlayedSpeaker())
    assert (said.utterances[0].said.size, said.room) == (2 * FRAME, None)
    assert np.array_equal(said.utterances[0].said, said.utterances[0].sent)


async def test_a_recording_is_said_in_the_place_of_the_words(tmp_path: Path):
    soundfile.write(tmp_path / "asked.wav", loud(RATE_HZ), RATE_HZ)
    held = scenario(tmp_path, "x_recording: asked.wav", jarvis=", tiers: [audio]")
    assert (await script(held, PlayedSpeaker())).utterances[0].said.size == RATE_HZ


async def test_on_a_bad_line_something_else_is_sent_than_was_said(tmp_path: Path):
    keys = "x_audio: {noise: {kind: white, snr_db: 10}, jitter_ms: 60}"
    said = await script(scenario(tmp_path, jarvis=", tiers: [audio]", keys=keys), PlayedSpeaker())
    (utterance,) = said.utterances.values()
    assert np.std(utterance.sent.astype(float) - utterance.said) > 100
    assert len(utterance.packets) == 4
    assert said.room is not None


async def test_the_harness_plays_a_cue_as_long_as_what_is_said(tmp_path: Path):
    held = scenario(tmp_path, jarvis=", tiers: [audio]")
    said = await script(held, PlayedSpeaker())
    played = cued(as_held(Run(held, "audio", 1)), said, tmp_path)
    samples, rate_hz = soundfile.read(str(played.turns[0].audio), dtype="int16")
    assert (rate_hz, samples.size, set(samples)) == (CUE_HZ, 2 * CUE_SAMPLES, {1})
    assert played.turns[1].audio is None


def test_a_cue_names_its_turn_and_how_far_it_has_come():
    cues = Cues(Script({n: Utterance(loud(2 * FRAME), loud(2 * FRAME)) for n in (1, 3)}))
    played = [SILENT, cue(1), cue(1), cue(1), cue(3), SILENT, cue(3)]
    assert [cues.next(each) for each in played] == [None, (1, 0), (1, 1), (1, 0), (3, 0), None, (3, 0)]


@pytest.fixture
def late() -> Mouth:
    packets = [Fate(), Fate(), Fate(late_ms=35.0), Fate(), Fate(lost=True), Fate(lost=True)]
    return Mouth(Script({0: Utterance(loud(3 * FRAME), loud(3 * FRAME, 2000), packets)}))


def test_what_is_late_comes_with_what_follows_and_what_is_lost_is_silence(late: Mouth):
    said = [late.next(each) for each in (cue(0), cue(0), cue(0), SILENT)]
    assert [len(arrived) // len(SILENT) for _, arrived in said] == [1, 0, 2, 1]
    arrived = np.frombuffer(said[2][1], np.int16)
    assert abs(int(arrived[CUE_SAMPLES // 2]) - 2000) < 20
    assert abs(arrived[CUE_SAMPLES + 100 :].astype(int)).max() < 20
    assert abs(int(np.frombuffer(said[2][0], np.int16)[300]) - 1000) < 20


def test_the_room_is_heard_while_nothing_is_said():
    mouth = Mouth(Script({}, room=loud(2 * FRAME)))
    said, arrived = mouth.next(SILENT)
    assert said == SILENT
    assert np.frombuffer(arrived, np.int16).mean() > 900
