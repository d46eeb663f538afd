"""What is heard of a line while a bot speaks: people who want the word, and what only sounds like it.

The same samples each time: Flite's voice, the recorded questions, and noise made of a seed.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import soxr

from evals.caller.audio import RATE_HZ, Samples, voiced_runs
from evals.caller.speaker import Speaker, at_48khz, read_recording
from evals.degraded.noise import noise
from evals.program import RECORDINGS

Kind = Literal["backchannel", "cough", "laughter", "other talk", "echo", "question", "command"]
Sound = npt.NDArray[np.float64]

HEARD_HZ = 16_000
# The caller's own voice, as a headset gives it.
CALLER_DBFS = -22.0
BACKCHANNELS = (
    "mm-hm", "uh huh", "yes", "yeah", "right", "okay", "I see", "sure", "good", "all right", "got it", "of course",
    "mm", "oh really",
)  # fmt: skip
COMMANDS = (
    "Stop.",
    "Wait.",
    "No.",
    "Hold on.",
    "Wait a minute.",
    "No, that is wrong.",
    "Excuse me.",
    "Stop it please.",
)
LAUGHTER = ("ha ha", "ha ha ha", "heh heh", "hah")
SAID = (
    "The workshop opens at nine in the morning and closes at six, and on Saturdays it is open until two.",
    "You can bring a bicycle back within thirty days, as long as it was not ridden in the rain.",
)
COUGHS, OTHERS, VOICES = 8, 10, (1.0, 0.9)
OTHER_BELOW_DB, ECHO_BELOW_DB = 20.0, 14.0
# Each third of them has this behind it, so far below the caller's voice.
BEHIND: tuple[Literal["street", "babble"] | None, ...] = (None, "street", "babble")
BEHIND_BELOW_DB = 22.0
ROOM_DBFS = -70.0


@dataclass(frozen=True)
class Overheard:
    """A sound at 16 kHz, what a recogniser makes of it, and where its voice begins and ends, in seconds."""

    kind: Kind
    samples: Samples
    words: str
    begins_secs: float
    ends_secs: float
    behind: Literal["street", "babble"] | None = None
    number: int = 0

    @property
    def wants_the_word(self) -> bool:
        """Whether the bot has to stop for it."""
        return self.kind in ("question", "command")


async def overheard(speaker: Speaker) -> list[Overheard]:
    """All that is tried, in order: 40 sounds that are no reason to stop, and those that are."""
    texts = [*BACKCHANNELS, *LAUGHTER, *COMMANDS, *SAID]
    said = dict(zip(texts, [at_48khz(await speaker.speak(text)) for text in texts], strict=True))
    return await asyncio.to_thread(_all, said)


def _all(said: dict[str, Samples]) -> list[Overheard]:
    made = [*_harmless(said), *_wanting(said)]
    return [_behind(each, number) for number, each in enumerate(made)]


def _harmless(said: dict[str, Samples]) -> Iterator[Overheard]:
    for number, text in enumerate(BACKCHANNELS):
        yield _made("backchannel", _as(said[text], VOICES[number % 2]), text)
    for seed in range(COUGHS):
        yield _made("cough", _cough(seed), "")
    for number, text in enumerate(LAUGHTER):
        yield _made("laughter", _as(said[text], VOICES[number % 2]), text if number % 2 else "")
    for number in range(OTHERS):
        voice = _recorded("rms", f"q{number + 1:02d}")
        yield _made("other talk", voice, "somebody else talks about the weather", below_db=OTHER_BELOW_DB)
    for number in range(4):
        text = SAID[number % 2]
        yield _made("echo", _as(said[text], VOICES[number // 2]), text, below_db=ECHO_BELOW_DB + 4 * (number // 2))


def _wanting(said: dict[str, Samples]) -> Iterator[Overheard]:
    for voice in ("slt", "rms"):
        for number in range(1, 31):
            yield _made("question", _recorded(voice, f"q{number:02d}"), "a question about opening hours")
    for pace in VOICES:
        for text in COMMANDS:
            yield _made("command", _as(said[text], pace), text)


def _made(kind: Kind, sound: Samples, words: str, *, below_db: float = 0.0) -> Overheard:
    runs = voiced_runs(sound)
    loud = sound[runs[0].start : runs[-1].stop].astype(np.float64)
    gain = 32_768 * 10 ** ((CALLER_DBFS - below_db) / 20) / np.sqrt(np.mean(np.square(loud)))
    samples = soxr.resample(np.clip(sound * gain, -32_768, 32_767).astype(np.int16), RATE_HZ, HEARD_HZ)
    return Overheard(kind, samples, words, runs[0].start / RATE_HZ, runs[-1].stop / RATE_HZ)


def _behind(each: Overheard, number: int) -> Overheard:
    return Overheard(
        each.kind, each.samples, each.words, each.begins_secs, each.ends_secs, BEHIND[number % len(BEHIND)], number
    )


def line(parts: Sequence[Samples], behind: Literal["street", "babble"] | None, *, seed: int) -> Samples:
    """The parts, one behind the other, with the room behind them: 16 kHz."""
    sound = np.concatenate(parts).astype(np.float64)
    sound += np.random.default_rng(seed).standard_normal(sound.size) * 32_768 * 10 ** (ROOM_DBFS / 20)
    if behind is not None:
        made = soxr.resample(noise(behind, sound.size * (RATE_HZ // HEARD_HZ), seed=seed), RATE_HZ, HEARD_HZ)
        sound += np.resize(made, sound.size) * 32_768 * 10 ** ((CALLER_DBFS - BEHIND_BELOW_DB) / 20)
    return np.clip(np.rint(sound), -32_768, 32_767).astype(np.int16)


def caller_before() -> Samples:
    """What the caller asked before the bot began to speak, 16 kHz."""
    return _made("question", _recorded("slt", "q01"), "").samples


def _recorded(voice: str, name: str) -> Samples:
    return at_48khz(read_recording(RECORDINGS / voice / f"{name}.flac"))


def _as(samples: Samples, pace: float) -> Samples:
    """The same voice, lower and slower by this factor."""
    return samples if pace == 1.0 else soxr.resample(samples, RATE_HZ * pace, RATE_HZ)


def _cough(seed: int) -> Samples:
    """One to three bursts of breath, coloured by a throat."""
    chance = np.random.default_rng(seed)
    bursts: list[Sound] = [np.zeros(RATE_HZ // 5)]
    for _ in range(1 + seed % 3):
        count = int(RATE_HZ * chance.uniform(0.08, 0.18))
        at_hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
        shape = sum(
            np.exp(-np.square((at_hz - hz) / 250)) for hz in chance.uniform((400, 1000, 2200), (700, 1600, 3000))
        )
        burst = np.fft.irfft(np.fft.rfft(chance.standard_normal(count)) * (0.05 + shape), count)
        envelope = np.minimum(1, np.arange(count) / (0.008 * RATE_HZ)) * np.exp(-np.arange(count) / (0.06 * RATE_HZ))
        bursts += [burst / np.max(np.abs(burst)) * envelope, np.zeros(int(RATE_HZ * chance.uniform(0.12, 0.3)))]
    return (np.concatenate([*bursts, np.zeros(RATE_HZ // 5)]) * 12_000).astype(np.int16)
