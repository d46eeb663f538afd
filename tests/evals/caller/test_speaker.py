import numpy as np
import pytest
import soundfile

from evals.caller.audio import Pcm
from evals.caller.errors import CallError
from evals.caller.speaker import at_48khz, read_recording


@pytest.mark.parametrize("name", ["q.wav", "q.flac"])
def test_a_recording_is_read_and_its_channels_are_mixed(tmp_path, name):
    soundfile.write(tmp_path / name, np.tile(np.array([[1_000, 3_000]], np.int16), (1_600, 1)), 16_000)
    pcm = read_recording(tmp_path / name)
    assert (pcm.rate_hz, pcm.samples.size, pcm.samples.dtype) == (16_000, 1_600, np.int16)
    assert set(pcm.samples) == {2_000}


def test_a_recording_that_is_missing_is_named(tmp_path):
    with pytest.raises(CallError, match=r"missing\.wav cannot be read"):
        read_recording(tmp_path / "missing.wav")


def test_a_file_that_is_no_recording_is_named(tmp_path):
    (tmp_path / "notes.wav").write_text("not audio")
    with pytest.raises(CallError, match=r"notes\.wav cannot be read"):
        read_recording(tmp_path / "notes.wav")


def test_speech_at_another_rate_is_resampled():
    samples = at_48khz(Pcm(np.zeros(16_000, np.int16), 16_000))
    assert (samples.size, samples.dtype) == (48_000, np.int16)


def test_speech_at_the_rate_of_the_line_is_left_as_it_is():
    samples = np.arange(480, dtype=np.int16)
    assert at_48khz(Pcm(samples, 48_000)) is samples
