"""A scenario made of a call that was recorded: what the caller said in it, and what the answers rested on."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import yaml

from evals.scenarios.claims import refuses
from evals.scenarios.redaction import redacted

PENDING = "made from a call; look at it, then take this line out"
WIDTH = 120
GREETING_MS, ANSWER_MS = 10_000, 20_000
# An apology for what was away is no answer to ask for.
_AWAY = re.compile(r"look (?:that|things) up", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Said:
    """What one side said in a call; `sources` are the titles of the documents that an answer cites."""

    role: Literal["user", "assistant"]
    text: str
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the caller said, and what was answered to it; nothing where the caller spoke on."""

    user: str
    answer: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A scenario as text of a file; `replaced` counts numbers and addresses that are others than in the call."""

    text: str
    replaced: int


def exchanges(said: Iterable[Said]) -> list[Exchange]:
    """What was said by the caller's turns; what came before the first, the greeting, is of none."""
    found: list[Exchange] = []
    for each in said:
        if each.role == "user":
            found.append(Exchange(each.text))
        elif found:
            last = found[-1]
            sources = tuple(dict.fromkeys((*last.sources, *each.sources)))
            found[-1] = Exchange(last.user, f"{last.answer} {each.text}".strip(), sources)
    return found


def scenario_of(call_id: str, asked: Sequence[Exchange], *, knowledge: str | None = None) -> Made:
    """The scenario of these exchanges, the last of which is the one that it is about.

    `knowledge` is the folder of documents beside the file, None the sample handbook. Nothing of the answers is written
    but the titles of their sources.
    """
    turns: list[dict[str, Any]] = [{"expect": [{"event": "response", "within_ms": GREETING_MS}]}]
    replaced = 0
    for number, each in enumerate(asked, start=1):
        user, count = redacted(each.user)
        replaced += count
        turns.append({"user": user, **_expected(each, is_last=number == len(asked))})
    setup: dict[str, Any] = {"version": 1} | ({} if knowledge is None else {"knowledge": knowledge})
    scenario = {"name": f"turn_{len(asked)}", "x_pending": PENDING, "turns": turns}
    data = {"name": f"call_{call_id[:8]}", "x_jarvis": setup, "scenarios": [scenario]}
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=WIDTH)
    return Made(f"# The call {call_id}, up to what the caller said in turn {len(asked)}.\n{text}", replaced)


def _expected(exchange: Exchange, *, is_last: bool) -> dict[str, Any]:
    # Who spoke on without an answer does so here, too; the last turn must have one.
    if not exchange.answer and not is_last:
        return {}
    expected: dict[str, Any] = {"expect": [{"event": "response", "within_ms": ANSWER_MS}]}
    if titles := list(exchange.sources):
        expected |= {"x_retrieval": {"must": titles}, "x_source": list(titles)}
        if is_last:
            expected["x_supported"] = True
    elif refuses(exchange.answer) and not _AWAY.search(exchange.answer):
        expected["x_refuses"] = True
    return expected
