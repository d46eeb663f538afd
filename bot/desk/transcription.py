"""Audio in, words out: stretches of speech go through the recogniser that calls use."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

import numpy as np
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)

from bot.desk.audio import TAKEN
from bot.desk.errors import DeskRequestError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.requests import BYTES_PER_SAMPLE, RATE_HZ
from bot.desk.segments import WINDOW_BYTES, Began, Ended, Pauses, Segmenter
from bot.providers.build import stt_services
from bot.settings import BotSettings
from bot.speech.recognition import Recognition
from bot.turns import TurnModels
from bot.usage import Meter

# A recogniser that has heard a stretch of speech to its end answers by then.
FINAL_SECS = 20.0
# One that does not mark its last transcript of a stretch has said all by then.
SETTLED_SECS = 2.0
# Detected in one go: a second of audio is a hundredth of a second's work.
DETECT_BYTES = 32 * WINDOW_BYTES


def recogniser_line(settings: BotSettings, *, meter: Meter) -> Line:
    """A pipeline that recognises."""
    service = stt_services(settings)[0]
    meter.listen("stt", settings.stt[0], service)
    return Line([service], takes=(TranscriptionFrame, InterimTranscriptionFrame))


class Transcriber:
    """Recognises for one request at a time, so that calls find another recogniser free."""

    def __init__(self, *, models: TurnModels, confidence: float) -> None:
        self._models = models
        self._pauses = Pauses(confidence=confidence)
        self._recognising = asyncio.Lock()

    async def transcribe(self, pcm: AsyncIterator[bytes], line: Line) -> AsyncGenerator[dict[str, Any]]:
        """What is said in s16le mono PCM at 16 kHz, stretch by stretch.

        Yields `ready` as soon as there is audio, then `speech`, `interim` and `final` as they come, and `end`; times
        are seconds from the first sample. Raises `DeskError`, and what `pcm` raises.
        """
        voice = _Voice(self._models.detector(sample_rate=RATE_HZ))
        segmenter, stretch = Segmenter(self._pauses), _Stretch(line, self._recognising)
        audio, begun = _Windows(pcm), False
        async for part in audio.parts():
            if not begun:
                begun = True
                yield {"type": "ready"}
            windows = [part[at : at + WINDOW_BYTES] for at in range(0, len(part), WINDOW_BYTES)]
            confidences = await asyncio.to_thread(voice.confidences, windows)
            for window, confidence in zip(windows, confidences, strict=True):
                for piece in segmenter.feed(window, confidence):
                    if event := await stretch.take(piece):
                        yield event
            for event in stretch.interims():
                yield event
        for piece in segmenter.end():
            if event := await stretch.take(piece):
                yield event
        if not begun:
            raise DeskRequestError("There is no audio", TAKEN)
        yield {"type": "end", "duration": _secs(audio.length // BYTES_PER_SAMPLE)}


class _Stretch:
    """The stretch of speech that is being heard."""

    def __init__(self, line: Line, recognising: asyncio.Lock) -> None:
        self._line = line
        self._recognising = recognising
        self._start = 0
        self._heard: list[TranscriptionFrame] = []

    async def take(self, piece: Began | bytes | Ended) -> dict[str, Any] | None:
        """Hand a piece to the recogniser; the event that it comes to."""
        match piece:
            case Began():
                self._start, self._heard = piece.at, []
                await self._line.put(VADUserStartedSpeakingFrame())
                return {"type": "speech", "start": _secs(piece.at)}
            case Ended():
                async with self._recognising:
                    await self._line.put(VADUserStoppedSpeakingFrame())
                    await self._hear_out()
                return _final(self._heard, start=self._start, end=piece.at)
            case bytes():
                await self._line.put(InputAudioRawFrame(audio=piece, sample_rate=RATE_HZ, num_channels=1))
                return None

    def interims(self) -> list[dict[str, Any]]:
        """What the recogniser has said of it meanwhile."""
        texts = [text for frame in self._line.waiting() if (text := self._note(frame))]
        return [{"type": "interim", "text": text, "start": _secs(self._start)} for text in texts]

    def _note(self, frame: Frame) -> str:
        """Keep a transcript; the text of what is none yet."""
        if isinstance(frame, ErrorFrame):
            raise DeskUnavailableError("The recogniser failed; send the audio again.")
        if isinstance(frame, TranscriptionFrame):
            self._heard.append(frame)
        return frame.text.strip() if isinstance(frame, InterimTranscriptionFrame) else ""

    async def _hear_out(self) -> None:
        """Return when all transcripts of the stretch are there."""
        while not (self._heard and self._heard[-1].finalized):
            try:
                self._note(await self._line.next(timeout_secs=SETTLED_SECS if self._heard else FINAL_SECS))
            except TimeoutError as error:
                if self._heard:
                    break
                raise DeskUnavailableError("The recogniser did not answer in time; send the audio again.") from error
        # An error comes another way than the transcript.
        for frame in await self._line.rest():
            self._note(frame)


class _Voice:
    """Where somebody speaks."""

    def __init__(self, detector: SileroVADAnalyzer) -> None:
        self._detector = detector

    def confidences(self, windows: list[bytes]) -> list[float]:
        """How sure it is of a voice in each window, 0 to 1; blocks."""
        return [np.asarray(self._detector.voice_confidence(window)).item() for window in windows]


class _Windows:
    """PCM in whole windows, and its length in bytes so far."""

    def __init__(self, pcm: AsyncIterator[bytes]) -> None:
        self._pcm = pcm
        self.length = 0

    async def parts(self) -> AsyncGenerator[bytes]:
        """The same audio, at most a second at once; the last window is filled up with silence."""
        held = b""
        async for part in self._pcm:
            self.length += len(part)
            held += part
            while len(held) >= WINDOW_BYTES:
                size = min(len(held) // WINDOW_BYTES * WINDOW_BYTES, DETECT_BYTES)
                yield held[:size]
                held = held[size:]
        if held:
            yield held.ljust(WINDOW_BYTES, b"\0")


def _final(heard: list[TranscriptionFrame], *, start: int, end: int) -> dict[str, Any]:
    """The event of a stretch; words and confidence are null where the recogniser tells none."""
    text = " ".join(" ".join(frame.text.split()) for frame in heard).strip()
    known = [frame.result for frame in heard if isinstance(frame.result, Recognition)]
    words = [
        {
            "word": word.word,
            "start": round(_secs(start) + word.start_secs, 3),
            "end": round(_secs(start) + word.end_secs, 3),
            "confidence": round(word.confidence, 3),
        }
        for recognition in known
        for word in recognition.words
        if text
    ]
    return {
        "type": "final",
        "text": text,
        "start": _secs(start),
        "end": _secs(end),
        "confidence": round(min(each.confidence for each in known), 3) if known else None,
        "language": next((str(frame.language) for frame in heard if frame.language), None),
        "words": words if known else None,
    }


def _secs(samples: int) -> float:
    return round(samples / RATE_HZ, 3)
