"""What a drill came to: pure functions of what was heard in its turns."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from bot.providers.stages import STAGES, Stage
from bot.wording.table import wording
from evals.drill.scenarios import Kind
from processors.failover.words import words_of

# Goals. Extra silence is that of the slowest twentieth of the turns in which a vendor failed.
EXTRA_SECS: dict[Stage, float] = {"stt": 1.0, "llm": 1.2, "tts": 1.2}
NOTICED_SECS = 1.5
# What may be said beside the answer: where it stands, and that only the documents are left.
_SOURCE = re.compile(r"\s*(That's|It's) from [^.]*\.\s*")


class Verdict(StrEnum):
    """What became of an answer."""

    ONCE = "once"  # it came once, whole and right
    LOST = "lost"  # no answer was heard
    WRONG = "wrong"  # another one, or not all of it
    REPEATED = "repeated"  # all or some of it twice


@dataclass(frozen=True, slots=True)
class DrillTurn:
    """A turn as the caller heard it.

    `silence_ms` is from the caller's last voiced sample to the bot's first, None where there was none; `gap_ms` the
    longest silence within the answer. `by_first` says whether the first vendor alone was asked, `noticed_ms` after how
    long a connection that stood still was given up, `rested` whether the circuit's rest was over when the turn began.
    `question` is its id in the sample, `said` the bot's words.
    """

    stage: Stage
    fault: str
    kind: Kind
    verdict: Verdict
    silence_ms: float | None
    gap_ms: float
    by_first: bool
    noticed_ms: float | None = None
    rested: bool = False
    question: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A fault of a stage; times in seconds, None where nothing was measured."""

    stage: Stage
    fault: str
    turns: int
    failed: int
    not_once: int
    extra_median_secs: float | None
    extra_p95_secs: float | None
    noticed_secs: float | None
    back: int
    due_back: int


@dataclass(frozen=True, slots=True)
class Goal:
    """What must be, and whether it is."""

    name: str
    found: str
    met: bool


@dataclass(frozen=True, slots=True)
class Summary:
    """All of a drill."""

    rows: tuple[Row, ...]
    goals: tuple[Goal, ...]
    turns: int
    good_silence_secs: float | None

    @property
    def met(self) -> bool:
        """Whether every goal is."""
        return all(goal.met for goal in self.goals)


def verdict(said: str, answer: str, *, answered: bool) -> Verdict:
    """How an answer came; a source behind it, and the notice that only the documents are left, are no part of it."""
    words, wanted = words_of(_SOURCE.sub(" ", said.replace(wording("en").only_me, " "))), words_of(answer)
    if not answered or not words:
        return Verdict.LOST
    if words == wanted:
        return Verdict.ONCE
    # All of it is there, and something again before or behind it.
    whole = any(words[at : at + len(wanted)] == wanted for at in range(len(words) - len(wanted) + 1))
    return Verdict.REPEATED if whole and set(words) <= set(wanted) else Verdict.WRONG


class Usual:
    """What is heard of a question where nothing fails; of the same one, since behind some a pause is waited out."""

    def __init__(self, turns: Sequence[DrillTurn]) -> None:
        self._good = [
            turn for turn in turns if turn.kind is Kind.GOOD and turn.by_first and turn.silence_ms is not None
        ]

    @property
    def silence_secs(self) -> float | None:
        """The median over all questions."""
        return round(median([turn.silence_ms or 0.0 for turn in self._good]) / 1000, 2) if self._good else None

    def extra_secs(self, turn: DrillTurn) -> float | None:
        """How much longer than usual it was silent, before the answer or in it; None without an answer, or a usual."""
        good = [each for each in self._good if each.question == turn.question] or self._good
        if turn.silence_ms is None or not good:
            return None
        silence_ms, gap_ms = median([each.silence_ms or 0.0 for each in good]), median([each.gap_ms for each in good])
        return round(max(turn.silence_ms - silence_ms, turn.gap_ms - gap_ms, 0.0) / 1000, 3)

    def extras(self, turns: Sequence[DrillTurn]) -> list[float]:
        """Those of the turns in which the vendor failed."""
        found = [self.extra_secs(turn) for turn in turns if turn.kind is Kind.FAULTY]
        return [each for each in found if each is not None]


def summary(turns: Sequence[DrillTurn]) -> Summary:
    """The table, and which goals are met."""
    usual = Usual(turns)
    keys = dict.fromkeys((turn.stage, turn.fault) for turn in turns)
    rows = [_row([turn for turn in turns if (turn.stage, turn.fault) == key], usual) for key in keys]
    return Summary(tuple(rows), tuple(_goals(turns, rows, usual)), len(turns), usual.silence_secs)


def _row(turns: Sequence[DrillTurn], usual: Usual) -> Row:
    extra = usual.extras(turns)
    noticed = [turn.noticed_ms for turn in turns if turn.noticed_ms is not None]
    due = _due_back(turns)
    return Row(
        stage=turns[0].stage,
        fault=turns[0].fault,
        turns=len(turns),
        failed=sum(turn.kind is Kind.FAULTY for turn in turns),
        not_once=sum(turn.verdict is not Verdict.ONCE for turn in turns),
        extra_median_secs=round(median(extra), 2) if extra else None,
        extra_p95_secs=_p95(extra),
        noticed_secs=round(max(noticed) / 1000, 2) if noticed else None,
        back=sum(turn.by_first for turn in due),
        due_back=len(due),
    )


def _due_back(turns: Sequence[DrillTurn]) -> list[DrillTurn]:
    """The turns that the first vendor must have: good ones after a failure, and the first after a rest."""
    due: list[DrillTurn] = []
    failed = False
    for turn in turns:
        if turn.kind is Kind.FAULTY:
            failed = True
        elif failed and (turn.kind is Kind.GOOD or turn.rested):
            due.append(turn)
            failed = False
    return due


def _goals(turns: Sequence[DrillTurn], rows: Sequence[Row], usual: Usual) -> list[Goal]:
    not_once = sum(row.not_once for row in rows)
    goals = [Goal("turns lost, wrong or repeated: 0", f"{not_once} of {len(turns)}", not_once == 0)]
    for stage in STAGES:
        extra = usual.extras([turn for turn in turns if turn.stage == stage])
        if (found := _p95(extra)) is not None:
            most = EXTRA_SECS[stage]
            goals.append(Goal(f"p95 of extra silence, {stage}: ≤ {most} s", f"{found} s", found <= most))
    frozen = [turn for turn in turns if turn.fault == "half_open" and turn.stage == "stt" and turn.kind is Kind.FAULTY]
    if frozen:
        noticed = [turn.noticed_ms for turn in frozen]
        times = [each for each in noticed if each is not None]
        found = f"{max(times) / 1000:.2f} s" if times and len(times) == len(noticed) else "not each time"
        met = len(times) == len(noticed) and max(times) <= NOTICED_SECS * 1000
        goals.append(Goal(f"a connection that stands still is noticed: ≤ {NOTICED_SECS} s", found, met))
    due, back = sum(row.due_back for row in rows), sum(row.back for row in rows)
    if due:
        goals.append(Goal("the first vendor is back within a turn", f"{back} of {due}", back == due))
    return goals


def _p95(values: Sequence[float]) -> float | None:
    return round(sorted(values)[math.ceil(0.95 * len(values)) - 1], 2) if values else None
