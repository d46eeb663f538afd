"""How many questions the gate lets through to the documents, and how many other turns it spares the search."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from pydantic import BaseModel, ValidationError
from rich.table import Table

from evals.retrieval import DataError
from knowledge.types import SearchResult, Turn, Verdict

Label = Literal["question", "small_talk", "other"]


class LabelledTurn(BaseModel):
    """A caller's turn with what was said before it, and what it is.

    "other" is neither a question to the documents nor small talk: a wish, an order, a name, a thought.
    """

    id: str
    text: str
    history: list[Turn] = []
    label: Label
    style: Literal["spoken", "typed"]


class Search(Protocol):
    """What is measured; `knowledge.client.KnowledgeClient` is the real one."""

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        """The verdict on a turn, and what was found for it."""
        ...


@dataclass(frozen=True)
class GateResult:
    """Turns of one label and style: how many there are, and how many were taken for what."""

    label: Label
    style: str
    turns: int
    small_talk: int
    off_topic: int

    @property
    def passed(self) -> int:
        """How many were looked up."""
        return self.turns - self.small_talk - self.off_topic

    @property
    def right(self) -> float:
        """Share that was dealt with rightly.

        A question must not be taken for small talk; that it is off topic in the collection at hand is for the search to
        find. Anything else must not be looked up.
        """
        good = self.turns - self.small_talk if self.label == "question" else self.small_talk + self.off_topic
        return good / self.turns


def read_turns(path: Path) -> list[LabelledTurn]:
    """The turns of a JSONL file; raises DataError that names the line."""
    turns = []
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error
    for number, line in enumerate(lines, start=1):
        try:
            turns.append(LabelledTurn.model_validate_json(line))
        except ValidationError as error:
            raise DataError(f"{path}:{number} is no labelled turn; see evals/gate.py for what one is.") from error
    return turns


async def measure(
    turns: Sequence[LabelledTurn], *, search: Search, on_asked: Callable[[], None] = lambda: None
) -> list[GateResult]:
    """Ask every turn in its conversation and count the verdicts."""
    asked: Counter[tuple[Label, str]] = Counter()
    verdicts: Counter[tuple[Label, str, Verdict]] = Counter()
    for turn in turns:
        found = await search.search(turn.text, history=turn.history)
        asked[turn.label, turn.style] += 1
        verdicts[turn.label, turn.style, found.verdict] += 1
        on_asked()
    return [
        GateResult(
            label,
            style,
            count,
            small_talk=verdicts[label, style, Verdict.SMALL_TALK],
            off_topic=verdicts[label, style, Verdict.OFF_TOPIC],
        )
        for (label, style), count in sorted(asked.items())
    ]


def table(results: Sequence[GateResult]) -> Table:
    """A line a label and style."""
    shown = Table("turns", "style", "asked", "looked up", "small talk", "off topic", "right")
    for column in shown.columns[2:]:
        column.justify = "right"
    for each in results:
        counts = (each.turns, each.passed, each.small_talk, each.off_topic)
        shown.add_row(each.label, each.style, *map(str, counts), f"{each.right:.1%}")
    return shown
