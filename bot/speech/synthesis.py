"""Many callers' texts through the one voice: piece by piece in turn, resampled, as a stream."""

import asyncio
import contextlib
import functools
import re
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import soxr

from bot.speech.voice import Speaking, Voice, WordStart

SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
MAX_PIECE_CHARS = 300
SILENCE_BELOW = 64
LEADING_SILENCE_SECS = 0.01


WARM_UP = Speaking(voice="en-us", words_per_minute=175, pitch=50)


@dataclass(frozen=True)
class SpokenWord:
    """A word as it stands in the text, and when its sound begins after the first sample of the stream."""

    word: str
    start_secs: float


class Synthesiser:
    """Owns the voice's thread. A piece of text takes the voice for some milliseconds; then the next caller has it.

    A caller's next piece is synthesised only when the one before has been taken from the stream.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="voice")
        self._voice: Voice | None = None

    async def start(self) -> None:
        """Load the voice's data."""
        loop = asyncio.get_running_loop()
        voice = await loop.run_in_executor(self._thread, Voice)
        await loop.run_in_executor(self._thread, voice.speak, "a", WARM_UP, lambda *_: False)
        self._voice = voice

    def close(self) -> None:
        """End the voice's thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def stream(self, text: str, speaking: Speaking, *, sample_rate: int) -> AsyncGenerator[bytes | SpokenWord]:
        """Yield s16le mono PCM and the words, each word ahead of the audio in which it begins.

        Raises SpeechRequestError for an unknown voice. Closing the iterator stops the synthesis.
        """
        assert self._voice is not None
        shaper = _Shaper(self._voice.sample_rate, sample_rate)
        parts = pieces(text)
        for number, part in enumerate(parts, start=1):
            words = _WordTracker(part)
            chunks = self._speak(part, speaking, pause_after=number < len(parts))
            async with contextlib.aclosing(chunks):
                async for samples, starts in chunks:
                    for word in words.at(starts):
                        yield shaper.placed(word)
                    if audio := shaper.shaped(samples):
                        yield audio
            for word in words.rest():
                yield shaper.placed(word)
            shaper.end_piece()
        if audio := shaper.rest():
            yield audio

    async def _speak(
        self, text: str, speaking: Speaking, *, pause_after: bool
    ) -> AsyncGenerator[tuple[np.ndarray, list[WordStart]]]:
        assert self._voice is not None
        loop = asyncio.get_running_loop()
        chunks: asyncio.Queue[tuple[np.ndarray, list[WordStart]] | None] = asyncio.Queue()
        wanted = True

        def on_chunk(samples: np.ndarray, starts: list[WordStart]) -> bool:
            loop.call_soon_threadsafe(chunks.put_nowait, (samples, starts))
            return wanted

        speak = functools.partial(self._voice.speak, text, speaking, on_chunk, pause_after=pause_after)
        spoken = loop.run_in_executor(self._thread, speak)
        spoken.add_done_callback(lambda _: chunks.put_nowait(None))
        try:
            while (chunk := await chunks.get()) is not None:
                yield chunk
            await spoken
        finally:
            wanted = False
            spoken.cancel()


def pieces(text: str) -> list[str]:
    """The text in parts that the voice speaks at one go: whole where it is short, else split between sentences."""
    parts: list[str] = []
    for sentence in SENTENCE_END.split(text.strip()):
        rest = sentence
        while len(rest) > MAX_PIECE_CHARS:
            cut = rest.rfind(" ", 0, MAX_PIECE_CHARS)
            cut = cut if cut > 0 else MAX_PIECE_CHARS
            parts.append(rest[:cut])
            rest = rest[cut:].lstrip()
        if parts and len(parts[-1]) + len(rest) < MAX_PIECE_CHARS:
            parts[-1] = f"{parts[-1]} {rest}".strip()
        else:
            parts.append(rest)
    return [part for part in parts if part]


class _WordTracker:
    """Which words of a piece of text, as written, the voice has begun."""

    def __init__(self, text: str) -> None:
        self._words = [(match.start(), match.group()) for match in re.finditer(r"\S+", text)]
        self._said = 0
        self._last_secs = 0.0

    def at(self, starts: list[WordStart]) -> list[SpokenWord]:
        """The words up to those that begin here; a word that the voice passes over counts with the next."""
        begun: list[SpokenWord] = []
        for start in starts:
            self._last_secs = start.start_secs
            begun += self._until(start.position)
        return begun

    def rest(self) -> list[SpokenWord]:
        """The words that the voice never reported."""
        return self._until(None)

    def _until(self, position: int | None) -> list[SpokenWord]:
        begun: list[SpokenWord] = []
        while self._said < len(self._words) and (position is None or self._words[self._said][0] <= position):
            begun.append(SpokenWord(self._words[self._said][1], self._last_secs))
            self._said += 1
        return begun


class _Shaper:
    """Trims the silence before the first sound, resamples, and knows the time in the stream."""

    def __init__(self, source_rate: int, sample_rate: int) -> None:
        self._source_rate = source_rate
        self._resampler = soxr.ResampleStream(source_rate, sample_rate, 1, dtype="int16", quality="HQ")
        self._resampled = source_rate != sample_rate
        self._started = False
        self._trimmed = 0
        self._taken = 0
        self._piece_from = 0

    def shaped(self, samples: np.ndarray) -> bytes:
        """The next samples as they go out; empty while the stream is silent."""
        self._taken += len(samples)
        if not self._started:
            loud = np.flatnonzero(np.abs(samples.astype(np.int32)) > SILENCE_BELOW)
            keep = max(0, int(loud[0]) - round(LEADING_SILENCE_SECS * self._source_rate)) if len(loud) else len(samples)
            self._trimmed += keep
            self._started = bool(len(loud))
            samples = samples[keep:]
        return self._resampler.resample_chunk(samples).tobytes() if self._resampled else samples.tobytes()

    def placed(self, word: SpokenWord) -> SpokenWord:
        """The word with its time in the stream instead of in its piece."""
        secs = word.start_secs + (self._piece_from - self._trimmed) / self._source_rate
        return SpokenWord(word.word, max(0.0, secs))

    def end_piece(self) -> None:
        """What comes next belongs to another piece."""
        self._piece_from = self._taken

    def rest(self) -> bytes:
        """What the resampler still holds."""
        last = self._resampler.resample_chunk(np.zeros(0, np.int16), last=True)
        return last.tobytes() if self._resampled else b""
