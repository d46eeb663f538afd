"""Whether a provider answers: one word heard, one word said, one text begun, and how long that took."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

from loguru import logger
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.utils.errors import ErrorCategory

from bot.desk.line import Line
from bot.desk.requests import BYTES_PER_SAMPLE, RATE_HZ
from bot.desk.synthesis import NO_AUDIO
from bot.providers.build import llm_services, stt_services, tts_services
from bot.providers.embedded import EmbeddedTTS
from bot.providers.stages import Stage
from bot.settings import BotSettings
from bot.speech.client import SpeechAudio, SpeechClient
from knowledge.errors import KnowledgeUnavailableError

# Longer than any vendor takes that answers at all.
PROBE_SECS = 30.0
ASKED, SPOKEN = "Say OK.", "Hello."
# One that the embedded recogniser, whose own voice is the hardest to hear, understands without a document.
SENTENCE = "What is the price of a new one?"
PITCH = 50
# What a caller's audio comes in.
PIECE_SECS = 0.02
PIECE_BYTES = round(PIECE_SECS * RATE_HZ) * BYTES_PER_SAMPLE
# Longer than any limit of a probe.
PATIENCE_SECS = 600.0
_TEXTS = (TranscriptionFrame, InterimTranscriptionFrame)

_WORDS: dict[ErrorCategory, str] = {
    ErrorCategory.AUTHENTICATION: "the key is refused; set another",
    ErrorCategory.AUTHORIZATION: "the key may not do this; give it the right, or set another",
    ErrorCategory.INVALID_REQUEST: "what is asked for is refused; check the model, the voice and the language",
    ErrorCategory.RATE_LIMIT: "too many requests just now; try again in a moment",
    ErrorCategory.QUOTA: "the account has no credit left; add some",
    ErrorCategory.CONNECTIVITY: "it can't be reached; check the network and its URL",
    ErrorCategory.SERVER: "it fails on its side; try again later",
}
FAILED = "it failed; see that its settings are right"
NOT_MADE = "it can't be set up; see that its settings are right, a file that they name among them"
LATE = "it did not answer in time; check the network and its URL"
_NOTHING: dict[Stage, str] = {
    "stt": "it heard no word in clear speech; check the language",
    "llm": "it answered without a word; check the model",
    "tts": "it answered without a sound; check the voice",
}


class ProbeError(Exception):
    """The provider did not do it; the message is in our words, and holds nothing of the vendor's."""


async def probe(stage: Stage, settings: BotSettings, *, speech: bytes, limit_secs: float) -> float:
    """Seconds until the stage's first provider had an answer; raises `ProbeError`.

    `speech` is what a recogniser is to hear, s16le mono PCM at 16 kHz; its seconds count from the end of the speech.
    """
    try:
        async with asyncio.timeout(limit_secs):
            return await _PROBES[stage](settings, speech)
    except ProbeError:
        raise
    except TimeoutError:
        raise ProbeError(LATE) from None
    except Exception as error:  # whatever a vendor's SDK raises as it is set up
        logger.debug("a probe failed: {}", type(error).__name__)
        raise ProbeError(NOT_MADE) from None


async def clear_speech(socket_path: Path) -> bytes:
    """What a recogniser is given to hear, from the speech process; raises `SpeechError`."""
    voice, client = EmbeddedTTS(), SpeechClient(socket_path)
    manner = {"voice": voice.voice, "words_per_minute": voice.words_per_minute, "pitch": PITCH}
    try:
        async with aclosing(client.synthesize(SENTENCE, **manner, sample_rate=RATE_HZ)) as parts:
            return b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])
    finally:
        await client.aclose()


async def _heard(settings: BotSettings, speech: bytes) -> float:
    services = stt_services(settings)[:1]
    async with _started(services, takes=_TEXTS) as line:
        voice = _Voice(line, speech)
        speaking = asyncio.create_task(voice.speak())
        try:
            await _first("stt", line, lambda frame: _has_word(frame, ended=voice.ended_at is not None))
            # A word that came while others were still spoken took no time at all.
            return 0.0 if voice.ended_at is None else time.monotonic() - voice.ended_at
        finally:
            speaking.cancel()
            await asyncio.gather(speaking, return_exceptions=True)


def _has_word(frame: Frame, *, ended: bool) -> bool:
    """Whether it is a transcript with words; raises `ProbeError` for the last one of speech that ended, without any."""
    if not isinstance(frame, _TEXTS):
        return False
    if ended and isinstance(frame, TranscriptionFrame) and frame.finalized and not frame.text.strip():
        raise ProbeError(_NOTHING["stt"])
    return bool(frame.text.strip())


async def _answered(settings: BotSettings, _speech: bytes) -> float:
    services = llm_services(settings, similarity=_NoSimilarity())[:1]
    async with _started(services, takes=(LLMTextFrame, LLMFullResponseEndFrame)) as line:
        asked_at = time.monotonic()
        await line.put(LLMContextFrame(context=LLMContext([{"role": "user", "content": ASKED}])))
        await _first("llm", line, lambda frame: isinstance(frame, LLMTextFrame) and bool(frame.text.strip()))
        return time.monotonic() - asked_at


async def _spoken(settings: BotSettings, _speech: bytes) -> float:
    async with _started(tts_services(settings)[:1], takes=(TTSAudioRawFrame, LLMFullResponseEndFrame)) as line:
        asked_at = time.monotonic()
        await line.put(LLMFullResponseStartFrame(), LLMTextFrame(SPOKEN), LLMFullResponseEndFrame())
        await _first("tts", line, lambda frame: isinstance(frame, TTSAudioRawFrame) and bool(frame.audio))
        return time.monotonic() - asked_at


_PROBES: dict[Stage, Callable[[BotSettings, bytes], Awaitable[float]]] = {
    "stt": _heard,
    "llm": _answered,
    "tts": _spoken,
}


@asynccontextmanager
async def _started(services: Sequence[FrameProcessor], *, takes: tuple[type[Frame], ...]) -> AsyncIterator[Line]:
    line = Line(services, takes=takes)
    await line.start()
    try:
        yield line
    finally:
        await line.end()


async def _first(stage: Stage, line: Line, wanted: Callable[[Frame], bool]) -> None:
    """Returns with the first frame that is wanted; raises `ProbeError` where an error or an end comes before it."""
    while not wanted(frame := await line.next(timeout_secs=PATIENCE_SECS)):
        _judge(frame, stage)
        if isinstance(frame, LLMFullResponseEndFrame):
            # An error comes another way than the end.
            for late in await line.rest():
                _judge(late, stage)
            raise ProbeError(_NOTHING[stage])


def _judge(frame: Frame, stage: Stage) -> None:
    if not isinstance(frame, ErrorFrame) or frame.category is ErrorCategory.APPLICATION:
        return
    if NO_AUDIO in frame.error:
        raise ProbeError(_NOTHING[stage])
    category = frame.category or ErrorCategory.UNKNOWN
    if category is ErrorCategory.UNKNOWN and _is_out_of_reach(frame.exception):
        category = ErrorCategory.CONNECTIVITY
    raise ProbeError(_WORDS.get(category, FAILED))


def _is_out_of_reach(error: BaseException | None) -> bool:
    """Whether a connection failed below it: SDKs wrap that in errors of their own."""
    while error is not None:
        if isinstance(error, ConnectionError | TimeoutError | socket.gaierror) or "Connect" in type(error).__name__:
            return True
        error = error.__cause__ or error.__context__
    return False


class _NoSimilarity:
    """Nothing is compared for a question that nothing was looked up for."""

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise KnowledgeUnavailableError("No document is open here.")


class _Voice:
    """Speaks into a line as a caller does, and is silent then."""

    def __init__(self, line: Line, speech: bytes) -> None:
        self._line = line
        self._speech = speech
        self.ended_at: float | None = None

    async def speak(self) -> None:
        """Until it is cancelled; the silence lets a recogniser notice the end by itself."""
        await self._line.put(VADUserStartedSpeakingFrame())
        for at in range(0, len(self._speech), PIECE_BYTES):
            await self._say(self._speech[at : at + PIECE_BYTES])
        await self._line.put(VADUserStoppedSpeakingFrame())
        self.ended_at = time.monotonic()
        while True:
            await self._say(b"")

    async def _say(self, pcm: bytes) -> None:
        piece = pcm.ljust(PIECE_BYTES, b"\0")
        await self._line.put(InputAudioRawFrame(audio=piece, sample_rate=RATE_HZ, num_channels=1))
        await asyncio.sleep(PIECE_SECS)
