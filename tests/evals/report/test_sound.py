"""Recordings, drawn and packed."""

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from evals.report.errors import ReportError
from evals.report.sound import as_flac, read_sound
from tests.evals.report.sample import RATE_HZ, record


def test_each_channel_is_loud_where_it_speaks(tmp_path: Path):
    sound = read_sound(record(tmp_path / "call.wav"), per_sec=20)
    caller, bot = sound.peaks
    assert sound.secs == 8.5
    assert caller.size == bot.size == 170
    assert caller[60:92].min() > 0.05
    assert caller[:57].max() == caller[96:].max() == 0.0
    assert bot[10:40].min() > 0.05
    assert max(caller.max(), bot.max()) == pytest.approx(1.0)


def test_a_recording_longer_than_a_block_is_drawn_to_its_end(tmp_path: Path):
    late = [{"lane": "bot", "from_ms": 24_000, "to_ms": 25_000, "label": ""}]
    sound = read_sound(record(tmp_path / "call.wav", secs=25.01, voiced=late), per_sec=20)
    assert np.flatnonzero(sound.peaks[1]).tolist()[::19] == [480, 499]
    assert sound.peaks[1].size == 501


def test_silence_is_drawn_as_silence(tmp_path: Path):
    sf.write(tmp_path / "call.wav", np.full((RATE_HZ, 2), 8, np.int16), RATE_HZ)
    assert read_sound(tmp_path / "call.wav", per_sec=20).peaks[0].max() < 0.01


def test_the_loudest_sample_there_is_does_not_wrap(tmp_path: Path):
    sf.write(tmp_path / "call.wav", np.full((RATE_HZ, 2), -32_768, np.int16), RATE_HZ)
    assert read_sound(tmp_path / "call.wav", per_sec=20).peaks[0].tolist() == [1.0] * 20


def test_an_empty_recording_has_no_peaks(tmp_path: Path):
    sf.write(tmp_path / "call.wav", np.zeros((0, 2), np.int16), RATE_HZ)
    sound = read_sound(tmp_path / "call.wav", per_sec=20)
    assert (sound.secs, sound.peaks[0].size) == (0.0, 0)


def test_packing_moves_no_sample(tmp_path: Path):
    path = record(tmp_path / "call.wav")
    packed = as_flac(path)
    samples, rate_hz = sf.read(io.BytesIO(packed), dtype="int16")
    assert rate_hz == RATE_HZ
    assert np.array_equal(samples, sf.read(path, dtype="int16")[0])
    assert len(packed) < path.stat().st_size / 3


@pytest.mark.parametrize(("content", "told"), [(None, "not there"), (b"no recording", "no recording")])
def test_what_is_no_recording_is_told(tmp_path: Path, content: bytes | None, told: str):
    path = tmp_path / "call.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ReportError, match=told):
        read_sound(path, per_sec=20)
