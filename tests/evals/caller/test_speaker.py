import numpy as np
import pytest
import soundfile

from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.errors import SpeechUnavailableError
from evals.caller.audio import Pcm
from evals.caller.errors import CallError
from evals.caller.speaker import EmbeddedSpeaker, at_48khz, read_recording


class ScriptedSpeech:
    def __init__(self, parts, *, breaks_off=False):
        self.asked = []
        self._parts = parts
        self._breaks_off = breaks_off

    async def recognise(self, pcm, sample_rate):
        raise AssertionError("The caller's voice recognises nothing.")

    async def synthesize(self, text, *, voice, words_per_minute, pitch, sample_rate):
        self.asked.append((text, sample_rate))
        for part in self._parts:
            yield part
        if self._breaks_off:
            raise SpeechUnavailableError("see that it is running.")

    async def aclose(self):
        raise AssertionError("Whoever opened the connection closes it.")


async def test_the_embedded_voice_speaks_at_the_rate_of_the_line():
    speech = ScriptedSpeech([SpeechWord("hi", 0.0), SpeechAudio(b"\x01\x00"), SpeechAudio(b"\x02\x00\x03\x00")])
    pcm = await EmbeddedSpeaker(speech).speak("hi")
    assert (pcm.samples.tolist(), pcm.rate_hz) == ([1, 2, 3], 48_000)
    assert speech.asked == [("hi", 48_000)]


async def test_a_voice_that_breaks_off_ends_the_call_with_what_to_do():
    speech = ScriptedSpeech([SpeechAudio(b"\x01\x00")], breaks_off=True)
    with pytest.raises(CallError, match="no voice: see that it is running"):
        await EmbeddedSpeaker(speech).speak("hi")


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
