import asyncio
import os

import numpy as np
import psutil
import pytest
import soundfile

from evals.caller.audio import Pcm
from evals.caller.errors import CallError
from evals.caller.speaker import FliteSpeaker, at_48khz, read_recording


@pytest.fixture
def voice(tmp_path):
    """A folder that looks installed."""
    (tmp_path / "node_modules").mkdir()
    return tmp_path


@pytest.fixture
def program(tmp_path):
    """Writes a shell script that stands in for Node; $3 is where the speech goes."""

    def write(script: str) -> str:
        path = tmp_path / "node"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    return write


@pytest.mark.integration
async def test_the_voice_speaks_at_16_khz():
    pcm = await FliteSpeaker().speak("How long do I have to send something back?")
    assert pcm.rate_hz == 16_000
    assert 1.5 < pcm.samples.size / 16_000 < 5
    assert np.abs(pcm.samples).max() > 3_000


@pytest.mark.integration
async def test_accents_change_nothing():
    spoken = [await FliteSpeaker().speak(text) for text in ("Is there a café?", "Is there a cafe?")]
    assert np.array_equal(spoken[0].samples, spoken[1].samples)


async def test_the_voice_is_given_the_text_and_writes_the_speech(voice, program):
    soundfile.write(voice / "speech.wav", np.ones(160, np.int16), 16_000)
    node = program(f'cat >"{voice}/text"; cp "{voice}/speech.wav" "$3"')
    pcm = await FliteSpeaker(node=node, voice=voice).speak("Is there a café?")
    assert (voice / "text").read_text(encoding="utf-8") == "Is there a café?"
    assert (pcm.samples.tolist(), pcm.rate_hz) == ([1] * 160, 16_000)


async def test_without_node_the_caller_is_told_to_install_it(voice):
    with pytest.raises(CallError, match="Install Node"):
        await FliteSpeaker(node=str(voice / "missing"), voice=voice).speak("hi")


async def test_a_voice_that_is_not_installed_names_the_command(tmp_path):
    with pytest.raises(CallError, match="make setup"):
        await FliteSpeaker(voice=tmp_path).speak("hi")


async def test_a_voice_that_fails_ends_the_call_with_what_to_do(voice, program):
    with pytest.raises(CallError, match="The caller's voice failed"):
        await FliteSpeaker(node=program("exit 1"), voice=voice).speak("hi")


async def test_a_voice_that_is_given_up_is_ended(voice, program):
    os.mkfifo(voice / "pid")
    node = program(f'echo $$ >"{voice}/pid"; exec sleep 60')
    speaking = asyncio.create_task(FliteSpeaker(node=node, voice=voice).speak("hi"))
    pid = int(await asyncio.to_thread((voice / "pid").read_text))
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    assert not psutil.pid_exists(pid)


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
