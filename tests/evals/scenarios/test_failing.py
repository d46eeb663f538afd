"""How a vendor's double begins to fail."""

import asyncio
from typing import Any, cast

import pytest

from evals.drill.doubles import Doubles
from evals.drill.run import MIDST_SECS
from evals.scenarios.failing import begin
from evals.scenarios.keys import FaultAt
from tests.virtual_time import run


class Told:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def tell(self, **what: Any) -> None:
        self.lines.append(what)


def told(stage: str, fault: str, *, after_secs: float, over: bool = False) -> list[dict[str, Any]]:
    """What a double was told by then, in a call that was over at once or goes on."""

    async def failing() -> list[dict[str, Any]]:
        vendors = Told()
        at = FaultAt.model_validate({"turn": 1, "stage": stage, "fault": fault})
        later = begin(at, "it", cast(Doubles, vendors))
        if over and later is not None:
            later.cancel()
        await asyncio.sleep(after_secs)
        return vendors.lines

    return run(failing())


@pytest.mark.parametrize(
    ("stage", "fault", "lines"),
    [
        ("llm", "refuse", [{"double": "it", "fault": "refuse"}]),
        ("stt", "stall", [{"double": "it", "fault": "stall"}]),
        ("stt", "refuse", []),
        ("tts", "refuse", [{"double": "it", "fault": "refuse"}, {"double": "it", "do": "hang_up"}]),
        ("tts", "half_open", [{"double": "it", "do": "freeze"}]),
    ],
)
def test_it_fails_as_the_turn_begins(stage: str, fault: str, lines: list[dict[str, Any]]):
    assert told(stage, fault, after_secs=0) == lines


def test_a_recognisers_connection_breaks_in_the_midst_of_what_is_said():
    lines = [{"double": "it", "fault": "refuse"}, {"double": "it", "do": "hang_up"}]
    assert told("stt", "refuse", after_secs=MIDST_SECS + 0.1) == lines


def test_nothing_breaks_once_the_call_is_over():
    assert told("stt", "half_open", after_secs=MIDST_SECS + 0.1, over=True) == []
