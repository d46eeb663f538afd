"""`python -m evals.bench.hesitations`: how many callers who pause in a sentence are cut off, and how many wait in vain.

Each recorded question is torn at its quietest place near the middle, and silence of each length put in. What ends a
turn is asked without a call: smart-turn hears what a call would have it hear as the VAD notices the silence, and the
words before the tear are looked at as a recogniser would have told them. A turn is cut where it ends before the caller
goes on.
"""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table

from bot.patience import is_open
from bot.settings import Turns
from bot.turns import TurnModels
from evals.bench.machine import machine
from evals.drill.questions import SAMPLE
from evals.program import RECORDINGS

RATE_HZ = 16_000
SPEAKERS = ("slt", "rms")
PAUSES_SECS = (0.3, 0.5, 0.75, 1.0, 1.25, 1.5)
# The part of a sentence in which it is torn, and what is looked at at a time.
TORN_FROM, TORN_TO, WINDOW_SECS = 0.35, 0.65, 0.04
LOUD = 0.01
# What the VAD, smart-turn and the words take from the last voice where nothing is waited for.
SOON_SECS = 0.3

Floats = np.ndarray
IsComplete = Callable[[Floats], bool]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, or its part before a pause, as smart-turn and a recogniser have it."""

    audio: Floats
    words: str

    def ends_after_secs(self, is_complete: IsComplete, *, turns: Turns, words: bool) -> float:
        """Silence so long ends the turn; with `words` they count, too."""
        heard = np.concatenate([self.audio, np.zeros(round(turns.vad_stop_secs * RATE_HZ), np.float32)])
        if is_complete(heard) and not (words and is_open(self.words)):
            return SOON_SECS
        return turns.vad_stop_secs + turns.max_pause_secs


def voiced(audio: Floats) -> Floats:
    """Without the silence at both ends."""
    loud = np.flatnonzero(np.abs(audio) >= LOUD)
    return audio[loud[0] : loud[-1] + 1]


def begun(audio: Floats, words: str) -> Said:
    """The part before the quietest place near the middle, and the words that were likely said in it."""
    window = round(WINDOW_SECS * RATE_HZ)
    first, last = (round(share * len(audio)) for share in (TORN_FROM, TORN_TO))
    at = min(range(first, last, window), key=lambda place: float(np.square(audio[place : place + window]).sum()))
    kept, length = [], 0
    for word in words.rstrip(".?!").split():
        length += len(word) + 1
        if kept and length > at / len(audio) * (len(words) + 1):
            break
        kept.append(word)
    return Said(audio[:at], " ".join(kept))


def share_cut(ends_secs: Sequence[float], pauses_secs: Iterable[float]) -> float:
    """How many of these sentences, each with each pause, end before they go on; 0 to 1."""
    cut = [end < pause for end in ends_secs for pause in pauses_secs]
    return sum(cut) / len(cut)


def recorded() -> list[Said]:
    """The recorded questions of all speakers."""
    lines = map(json.loads, (SAMPLE / "questions.jsonl").read_text(encoding="utf-8").splitlines())
    return [
        Said(voiced(_read(path)), line["question"])
        for line in lines
        for speaker in SPEAKERS
        if (path := RECORDINGS / speaker / f"{line['id']}.flac").exists()
    ]


def _read(path: Path) -> Floats:
    audio, rate_hz = soundfile.read(path, dtype="float32")
    assert rate_hz == RATE_HZ, path
    return audio


def main() -> None:
    """Prints the shares, with smart-turn alone and with the words."""
    turns, model = Turns(), TurnModels.load().turn
    seconds = model.params.max_duration_secs

    def is_complete(audio: Floats) -> bool:
        return model._predict_endpoint(audio[-math.ceil(seconds * RATE_HZ) :])["prediction"] == 1

    whole = recorded()
    parts = [begun(each.audio, each.words) for each in whole]
    table = Table("", "smart-turn alone", "with the words", title=f"{machine()}; {len(whole)} sentences")
    cuts, waits = [], []
    for words in (False, True):
        ends = [each.ends_after_secs(is_complete, turns=turns, words=words) for each in parts]
        cuts.append([share_cut(ends, [pause]) for pause in PAUSES_SECS] + [share_cut(ends, PAUSES_SECS)])
        ends = [each.ends_after_secs(is_complete, turns=turns, words=words) for each in whole]
        waits.append(sum(end > SOON_SECS for end in ends) / len(ends))
    for name, *shares in zip([*(f"cut in {pause:g} s" for pause in PAUSES_SECS), "cut in all"], *cuts, strict=True):
        table.add_row(name, *(f"{share:.1%}" for share in shares))
    table.add_row("whole ones that wait", *(f"{share:.1%}" for share in waits))
    Console().print(table)


if __name__ == "__main__":
    main()
