"""How far a judge agrees with people: a hundred replies that were labelled by hand, and what it makes of them."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from math import sqrt
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.table import Table

from evals.judged.errors import JudgedError
from evals.judged.judge import judge
from evals.report.statistics import Z_95, wilson
from evals.scenarios.claims import is_said, refuses, unsupported
from processors.naming import spoken_name

REPLIES = Path(__file__).parent / "replies.jsonl"
AT_ONCE = 4
RIGHT = (
    "The reply answers the question right. It does so if it answers what was asked with what this passage says, says "
    "nothing else as a fact, leaves out no condition that the passage has for it, names its source aloud as {source}, "
    "and has nothing in it that can't be spoken, such as markup; or, where the passage does not answer the question, "
    "if it says that there is no answer and states nothing as a fact that the passage does not say. Numbers may be "
    "written or said in any form. The passage: {passage}"
)

Label = Literal["right", "wrong"]
LABELS: tuple[Label, ...] = ("right", "wrong")


class Reply(BaseModel):
    """A reply to a question with one passage; `label` is what a person made of it, `why` says the reason."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    question: str = Field(min_length=1)
    title: str
    passage: str = Field(min_length=1)
    reply: str = Field(min_length=1)
    label: Label
    kind: str
    why: str


@dataclass(frozen=True)
class Agreement:
    """What a judge made of labelled replies, by what they are.

    `right_right` were right and judged right, `right_wrong` were right and judged wrong, and so on; `unanswered` got no
    verdict that could be used, and are in none of these. `missed` are the ids of those that it judged otherwise.
    """

    name: str
    right_right: int = 0
    right_wrong: int = 0
    wrong_right: int = 0
    wrong_wrong: int = 0
    unanswered: int = 0
    missed: tuple[str, ...] = ()

    @property
    def judged(self) -> int:
        """How many got a verdict."""
        return self.right_right + self.right_wrong + self.wrong_right + self.wrong_wrong

    @property
    def accuracy(self) -> float | None:
        """The share of verdicts that agree; None where there is none."""
        return (self.right_right + self.wrong_wrong) / self.judged if self.judged else None

    @property
    def kappa(self) -> float | None:
        """Cohen's: 1 is full agreement, 0 what chance alone would give; None where there is nothing to tell apart."""
        if (chance := self._by_chance) is None or chance == 1 or self.accuracy is None:
            return None
        return (self.accuracy - chance) / (1 - chance)

    @property
    def kappa_interval(self) -> tuple[float, float] | None:
        """Its 95 % interval, by the standard error of large samples."""
        if self.kappa is None or self.accuracy is None or (chance := self._by_chance) is None:
            return None
        half = Z_95 * sqrt(self.accuracy * (1 - self.accuracy) / self.judged) / (1 - chance)
        return max(-1.0, self.kappa - half), min(1.0, self.kappa + half)

    @property
    def _by_chance(self) -> float | None:
        if not self.judged:
            return None
        right, said = self.right_right + self.right_wrong, self.right_right + self.wrong_right
        wrong, denied = self.judged - right, self.judged - said
        return (right * said + wrong * denied) / self.judged**2

    def to_json(self) -> dict[str, Any]:
        """All of it, with what is computed of it."""
        return asdict(self) | {"accuracy": self.accuracy, "kappa": self.kappa, "kappa_interval": self.kappa_interval}


def read_replies(path: Path = REPLIES) -> list[Reply]:
    """The labelled replies; raises `JudgedError` with file and line where one can't be read."""
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise JudgedError(f"{path} can't be read ({error.strerror}).") from None
    for number, line in enumerate(lines, start=1):
        try:
            found.append(Reply.model_validate_json(line))
        except ValidationError as error:
            named = ", ".join(".".join(map(str, each["loc"])) or "the line" for each in error.errors())
            raise JudgedError(f"{path}:{number} is no labelled reply: check {named}.") from None
    return found


def by_rules(reply: Reply) -> Label:
    """What rules alone make of it: they see numbers, names and sources, not what was asked or what is left out."""
    claims = unsupported(reply.reply, [f"{reply.title}. {reply.passage}"])
    named = refuses(reply.reply) or is_said(spoken_name(reply.title), reply.reply)
    return "right" if named and not claims else "wrong"


def counted(name: str, replies: Sequence[Reply], verdicts: Sequence[Label | None]) -> Agreement:
    """The verdicts held against the labels; None is a verdict that was not given."""
    agreement = Agreement(name)
    for reply, verdict in zip(replies, verdicts, strict=True):
        if verdict is None:
            agreement = replace(agreement, unanswered=agreement.unanswered + 1)
            continue
        cell = f"{reply.label}_{verdict}"
        missed = agreement.missed if verdict == reply.label else (*agreement.missed, reply.id)
        agreement = replace(agreement, missed=missed, **{cell: getattr(agreement, cell) + 1})
    return agreement


async def agreement(
    provider: Any, replies: Sequence[Reply], *, on_reply: Callable[[], None] = lambda: None
) -> list[Agreement]:
    """The judge, the rules, and both together, as a live run has them: right is what both call right.

    Raises `JudgedError` where the judge gives no verdict at all.
    """
    free = asyncio.Semaphore(AT_ONCE)

    async def judged(reply: Reply) -> Label | None:
        async with free:
            verdict = await _verdict(provider, reply)
        on_reply()
        return verdict

    verdicts = await asyncio.gather(*map(judged, replies))
    if replies and not any(verdicts):
        raise JudgedError("The judge gave no verdict that could be used, on none of the replies. Name another model.")
    rules: list[Label | None] = [by_rules(each) for each in replies]
    both: list[Label | None] = [
        "wrong" if "wrong" in (one, other) else one for one, other in zip(verdicts, rules, strict=True)
    ]
    return [
        counted("judge", replies, verdicts),
        counted("rules", replies, rules),
        counted("judge and rules", replies, both),
    ]


async def _verdict(provider: Any, reply: Reply) -> Label | None:
    asked = judge(provider, explains=False)
    try:
        asked.add_user_message(reply.question)
        asked.add_assistant_message(reply.reply)
        verdict = await asked.evaluate(RIGHT.format(source=spoken_name(reply.title), passage=reply.passage))
    finally:
        await asked.close()
    if asked.gave_up:
        return None
    return "right" if verdict.passed else "wrong"


def table(found: Sequence[Agreement], *, model: str, providers: str) -> Table:
    """What is printed: shares with their 95 % intervals, and the four cells."""
    rows = Table(
        "", "Accuracy", "Cohen's kappa", "right as right", "right as wrong", "wrong as right", "wrong as wrong",
        "No verdict", title=f"Agreement with labelled replies: {model}, providers: {providers}",
    )  # fmt: skip
    for each in found:
        cells = (each.right_right, each.right_wrong, each.wrong_right, each.wrong_wrong, each.unanswered)
        rows.add_row(each.name, _accuracy(each), _kappa(each), *map(str, cells))
    return rows


def to_json(found: Sequence[Agreement], *, model: str, providers: str) -> str:
    """The same as one JSON object."""
    return json.dumps({"model": model, "providers": providers, "agreement": [each.to_json() for each in found]})


def _accuracy(agreement: Agreement) -> str:
    if agreement.accuracy is None:
        return "–"
    low, high = wilson(agreement.accuracy * agreement.judged, agreement.judged)
    return f"{100 * agreement.accuracy:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def _kappa(agreement: Agreement) -> str:
    if agreement.kappa is None or agreement.kappa_interval is None:
        return "–"
    low, high = agreement.kappa_interval
    return f"{agreement.kappa:.2f} ({low:.2f} to {high:.2f})"
