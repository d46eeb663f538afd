"""What a telephone caller hears where no line is free."""

import asyncio
import io
import wave

from bot.providers.tts import EmbeddedTTS
from bot.speech.client import SpeechAudio, SpeechClient
from bot.speech.errors import SpeechError
from server.errors import Problem

SENTENCE = "All lines are busy just now. Please call again in a few minutes."
RATE_HZ = 16_000
MADE_SECS = 10.0


class BusySentence:
    """The sentence, spoken once and kept."""

    def __init__(self, *, speech: SpeechClient):
        self._speech = speech
        self._wav: bytes | None = None
        self._making = asyncio.Lock()

    async def wav(self) -> bytes:
        """A WAV file: mono, 16 bit, 16 kHz. Raises a 503 `Problem` where the voice is away and nothing is kept."""
        async with self._making:
            if self._wav is None:
                try:
                    async with asyncio.timeout(MADE_SECS):
                        self._wav = _wav(await self._spoken())
                except (SpeechError, TimeoutError) as error:
                    raise Problem(503, "The voice is away", "Try again in a moment.", retry_after_secs=5) from error
        return self._wav

    async def _spoken(self) -> bytes:
        voice = EmbeddedTTS()
        parts = self._speech.synthesize(
            SENTENCE, voice=voice.voice, words_per_minute=voice.words_per_minute, pitch=50, sample_rate=RATE_HZ
        )
        return b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])


def _wav(pcm: bytes) -> bytes:
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(RATE_HZ)
        writer.writeframes(pcm)
    return file.getvalue()
