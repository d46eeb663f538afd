"""Where the caller's voice comes from."""

import asyncio
import tempfile
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from evals.caller.audio import RATE_HZ, Pcm, Samples
from evals.caller.errors import CallError

VOICE = Path(__file__).parent / "voice"


class Speaker(Protocol):
    """Reads a text aloud."""

    async def speak(self, text: str) -> Pcm:
        """The text as speech, at any rate."""
        ...


class FliteSpeaker:
    """Flite's voice, in a Node process for each text; `voice` is the folder of its program."""

    def __init__(self, *, node: str = "node", voice: Path = VOICE) -> None:
        self._node = node
        self._voice = voice

    async def speak(self, text: str) -> Pcm:
        """The text as speech at 16 kHz, or CallError when there is no Node or no voice."""
        if not (self._voice / "node_modules").is_dir():
            raise CallError("The caller's voice is not installed. Run: make setup")
        with tempfile.TemporaryDirectory(prefix="jarvis-caller-") as folder:
            spoken = Path(folder) / "spoken.wav"
            if await self._run(spoken, text) != 0:
                raise CallError(
                    "The caller's voice failed. Run make setup with Node 20.19 or newer, or pass recordings: --wav"
                )
            return await asyncio.to_thread(read_recording, spoken)

    async def _run(self, spoken: Path, text: str) -> int | None:
        try:
            process = await asyncio.create_subprocess_exec(
                self._node, "--no-warnings", str(self._voice / "voice.mjs"), str(spoken),
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            )  # fmt: skip
        except OSError:
            raise CallError(
                "The caller's voice runs on Node, which is not on the PATH. "
                "Install Node 20.19 or newer, or pass recordings: --wav"
            ) from None
        try:
            await process.communicate(text.encode())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode


def read_recording(path: Path) -> Pcm:
    """A WAV, FLAC or Ogg file's speech, its channels mixed to one. Blocks."""
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except (OSError, soundfile.SoundFileError):
        raise CallError(f"{path} cannot be read. Pass a WAV, FLAC or Ogg file that exists.") from None
    return Pcm(samples.mean(axis=1).astype(np.int16), rate_hz)


def at_48khz(pcm: Pcm) -> Samples:
    """The samples at the rate of the line."""
    if pcm.rate_hz == RATE_HZ:
        return pcm.samples
    return soxr.resample(pcm.samples, pcm.rate_hz, RATE_HZ)
