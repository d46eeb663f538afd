"""How many words the recogniser gets wrong: recordings of known questions, clean and as a telephone carries them."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import soundfile
import soxr
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from bot.speech.client import Speech
from bot.speech.spoken_form import spoken_words

WIDEBAND_HZ = 16_000
NARROWBAND_HZ = 8_000
MU = 255


class RecordedQuestion(BaseModel):
    """One line of the questions' file; further fields are left alone."""

    id: str
    question: str


@dataclass(frozen=True)
class WordErrors:
    """Words inserted, deleted or replaced, and the words that were to be heard."""

    errors: int
    words: int

    def __add__(self, other: "WordErrors") -> "WordErrors":
        """Both together."""
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def rate(self) -> float:
        """Errors for each word; above 1 when more was heard than said."""
        return self.errors / max(1, self.words)


@dataclass(frozen=True)
class VoiceResult:
    """One voice over one line: its word errors, how long recognition took, and each question's confidence."""

    voice: str
    sample_rate: int
    total: WordErrors
    recognise_secs: tuple[float, ...]
    audio_secs: float
    confidences: tuple[float, ...]


def word_errors(reference: str, hypothesis: str) -> WordErrors:
    """The edit distance in words; case and punctuation don't count, and "9:30" equals "nine thirty"."""
    wanted = [word.lower() for word in spoken_words(reference)]
    heard = [word.lower() for word in spoken_words(hypothesis)]
    distances = list(range(len(heard) + 1))
    for row, word in enumerate(wanted, start=1):
        diagonal, distances[0] = distances[0], row
        for column, other in enumerate(heard, start=1):
            cheapest = min(distances[column] + 1, distances[column - 1] + 1, diagonal + (word != other))
            diagonal, distances[column] = distances[column], cheapest
    return WordErrors(distances[-1], len(wanted))


def telephone(samples: np.ndarray) -> np.ndarray:
    """int16 samples at 16 kHz as they leave a telephone: 8 kHz, through 8-bit mu-law."""
    narrow = soxr.resample(samples.astype(np.float64) / 32768, WIDEBAND_HZ, NARROWBAND_HZ)
    compressed = np.sign(narrow) * np.log1p(MU * np.minimum(np.abs(narrow), 1)) / np.log1p(MU)
    coded = np.round(compressed * 127) / 127
    return (np.sign(coded) * np.expm1(np.abs(coded) * np.log1p(MU)) / MU * 32767).astype(np.int16)


async def measure(
    *, speech: Speech, questions: Path, recordings: Path, voices: Sequence[str], sample_rates: Sequence[int]
) -> list[VoiceResult]:
    """Recognise `recordings/{voice}/{id}.flac` of every question in a JSONL, at 16 kHz and/or over the telephone."""
    lines = questions.read_text(encoding="utf-8").splitlines()
    asked = [RecordedQuestion.model_validate(json.loads(line)) for line in lines if line.strip()]
    return [
        await _measure_voice(speech, asked, recordings / voice, sample_rate)
        for voice in voices
        for sample_rate in sample_rates
    ]


async def _measure_voice(
    speech: Speech, questions: Sequence[RecordedQuestion], folder: Path, sample_rate: int
) -> VoiceResult:
    total, audio_secs = WordErrors(0, 0), 0.0
    recognise_secs: list[float] = []
    confidences: list[float] = []
    for question in questions:
        samples, _ = soundfile.read(folder / f"{question.id}.flac", dtype="int16")
        if sample_rate == NARROWBAND_HZ:
            samples = telephone(samples)
        started = time.perf_counter()
        recognition = await speech.recognise(samples.tobytes(), sample_rate)
        recognise_secs.append(time.perf_counter() - started)
        audio_secs += len(samples) / sample_rate
        confidences.append(recognition.confidence)
        total += word_errors(question.question, recognition.text)
    return VoiceResult(folder.name, sample_rate, total, tuple(recognise_secs), audio_secs, tuple(confidences))


def table(results: Sequence[VoiceResult]) -> str:
    """The results as text."""
    rows = Table("voice", "rate, Hz", "words", "WER, %", "ms per second of audio", "median confidence")
    for result in results:
        rows.add_row(
            result.voice,
            str(result.sample_rate),
            str(result.total.words),
            f"{100 * result.total.rate:.1f}",
            f"{1000 * sum(result.recognise_secs) / result.audio_secs:.0f}",
            f"{float(np.median(result.confidences)):.2f}",
        )
    console = Console(file=StringIO(), width=100)
    console.print(rows)
    return console.file.getvalue()  # type: ignore[attr-defined]
