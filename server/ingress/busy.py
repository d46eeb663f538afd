"""What a telephone caller hears where no line is free."""

import asyncio
import io
import wave
from contextlib import aclosing

from bot.providers.embedded import EmbeddedTTS
from bot.speech.client import Speech, SpeechAudio
from bot.speech.errors import SpeechError, SpeechUnavailableError
from server.errors import Problem

SENTENCE = "All lines are busy just now. Please call again in a few minutes."
RATE_HZ = 16_000
PITCH = 50
MADE_SECS = 10.0


class BusySentence:
    """The sentence, spoken once and kept."""

    def __init__(self, *, speech: Speech, timeout_secs: float = MADE_SECS):
        self._speech = speech
        self._timeout_secs = timeout_secs
        self._wav: bytes | None = None
        self._making = asyncio.Lock()

    async def wav(self) -> bytes:
        """A WAV file: mono, 16 bit, 16 kHz. Raises a 503 `Problem` where the voice is away and nothing is kept."""
        try:
            async with asyncio.timeout(self._timeout_secs), self._making:
                if self._wav is None:
                    self._wav = _wav(await self._spoken())
                return self._wav
        except (SpeechError, TimeoutError) as error:
            raise Problem(503, "The voice is away", "Try again in a moment.", retry_after_secs=5) from error

    async def _spoken(self) -> bytes:
        voice = EmbeddedTTS()
        parts = self._speech.synthesize(
            SENTENCE,
            voice=voice.voice,
            words_per_minute=voice.words_per_minute,
            pitch=PITCH,
            sample_rate=RATE_HZ,
        )
        async with aclosing(parts):
            pcm = b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])
        if not pcm:
            raise SpeechUnavailableError("The speech process said nothing; ask it again.")
        return pcm


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(pcm)
    return file.getvalue()
