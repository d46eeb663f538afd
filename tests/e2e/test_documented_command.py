"""The command of `docs/audio-ingest.md`, run as it stands there."""

import asyncio
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import soxr

from evals.caller.audio import RATE_HZ, voiced_runs
from evals.documented import CLIENT, documented
from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e


def test_the_documented_command_saves_what_it_hears_of_a_wav_file(jarvis: Jarvis, tmp_path: Path):
    client = documented(CLIENT)
    speech, rate_hz = soundfile.read(RECORDINGS / "slt" / "q07.flac", dtype="int16")
    spoken, saved = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(spoken, np.concatenate([np.zeros(rate_hz * 5, np.int16), speech]), rate_hz)
    said: list[Mapping[str, Any]] = []
    with wave.open(str(spoken)) as microphone, wave.open(str(saved), "wb") as file:
        loudspeaker = client.Loudspeaker(rate_hz)
        asyncio.run(client.call(jarvis.url, microphone, loudspeaker, hear=said.append))
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(loudspeaker.played)
    heard, _ = soundfile.read(saved, dtype="int16")
    assert sum(run.stop - run.start for run in voiced_runs(soxr.resample(heard, rate_hz, RATE_HZ))) > 3 * RATE_HZ
    words = " ".join(message["data"]["text"] for message in said if message["type"] == "bot-tts-text")
    assert "eight in the morning" in words
