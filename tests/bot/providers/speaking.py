"""A provider's voice in a pipeline, and what comes out of it in one turn."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.services.tts_service import TTSService
from pipecat.utils.errors import ErrorCategory

from bot.desk.line import Line
from processors.takes import VoiceCache

TIMEOUT_SECS = 10.0
TAKES = (
    InterruptionFrame,
    LLMFullResponseEndFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)


class Voice(Protocol):
    """The settings of a vendor that speaks."""

    def build(self, *, speech_socket: Path, cache: VoiceCache | None = None) -> TTSService: ...


@dataclass
class Turn:
    """What came out, in its order."""

    frames: list[Frame] = field(default_factory=list)

    @property
    def audio(self) -> bytes:
        return b"".join(frame.audio for frame in self.frames if isinstance(frame, TTSAudioRawFrame))

    @property
    def words(self) -> list[tuple[str, float]]:
        """Each word with the seconds from the first one."""
        words = [frame for frame in self.frames if isinstance(frame, TTSTextFrame)]
        return [(frame.text, ((frame.pts or 0) - (words[0].pts or 0)) / 1e9) for frame in words]

    @property
    def categories(self) -> set[ErrorCategory | None]:
        return {frame.category for frame in self.frames if isinstance(frame, ErrorFrame)}


@dataclass
class Speaker:
    """A pipeline that speaks, and the service in it."""

    line: Line
    service: TTSService

    async def turn(self, *sentences: str) -> Turn:
        """Says these as one answer."""
        await self.line.put(
            LLMFullResponseStartFrame(),
            *(LLMTextFrame(f"{sentence} ") for sentence in sentences),
            LLMFullResponseEndFrame(),
        )
        return await self.until(LLMFullResponseEndFrame)

    async def speak(self, text: str) -> Turn:
        """Says this by itself."""
        await self.line.put(TTSSpeakFrame(text))
        return await self.until(TTSStoppedFrame)

    async def until(self, kind: type[Frame]) -> Turn:
        """What comes, up to a frame of this kind."""
        turn = Turn()
        while not turn.frames or not isinstance(turn.frames[-1], kind):
            turn.frames.append(await self.line.next(timeout_secs=TIMEOUT_SECS))
        return turn


@asynccontextmanager
async def speaking(voice: Voice, *, cache: VoiceCache | None = None) -> AsyncIterator[Speaker]:
    """A started pipeline of this voice."""
    service = voice.build(speech_socket=Path("/nowhere"), cache=cache)
    line = Line([service], takes=TAKES)
    await line.start()
    try:
        yield Speaker(line, service)
    finally:
        await line.end()
