"""Where the caller's voice comes from."""

from contextlib import aclosing
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
import soxr

from bot.speech.client import Speech, SpeechAudio
from bot.speech.errors import SpeechError
from evals.caller.audio import RATE_HZ, Pcm, Samples
from evals.caller.errors import CallError

# espeak-ng's most intelligible English voice for recognisers, and not the bot's own.
VOICE = "en-us+f2"
WORDS_PER_MINUTE = 150
PITCH = 50


class Speaker(Protocol):
    """Reads a text aloud."""

    async def speak(self, text: str) -> Pcm:
        """The text as speech, at any rate."""
        ...


class EmbeddedSpeaker:
    """The speech process's voice."""

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    async def speak(self, text: str) -> Pcm:
        """The text as speech, or CallError when the speech process does not give it."""
        parts = self._speech.synthesize(
            text, voice=VOICE, words_per_minute=WORDS_PER_MINUTE, pitch=PITCH, sample_rate=RATE_HZ
        )
        try:
            async with aclosing(parts):
                audio = b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])
        except SpeechError as error:
            raise CallError(f"The caller has no voice: {error}") from None
        return Pcm(np.frombuffer(audio, np.int16), RATE_HZ)


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
