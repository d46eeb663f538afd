"""What is drilled: each fault of the first vendor of each stage, turn by turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.providers.stages import STAGES, Stage

# The first fails, the second takes over; behind both is the embedded one.
VENDORS: dict[Stage, tuple[str, str]] = {
    "stt": ("deepgram", "openai"),
    "llm": ("openai", "anthropic"),
    "tts": ("cartesia", "elevenlabs"),
}


class Kind(StrEnum):
    """A turn, by what becomes of the first vendor in it."""

    GOOD = "good"  # it works, and no circuit keeps turns from it
    FAULTY = "faulty"  # it fails
    RESTING = "resting"  # it would work again, and its circuit may keep turns from it


@dataclass(frozen=True, slots=True)
class Scenario:
    """One call.

    With `cuts` the vendor's open connections break as well, with `freezes` they stand still: in the midst of the
    caller's speech where the stage listens, else before it.
    """

    stage: Stage
    fault: str
    turns: tuple[Kind, ...]
    cuts: bool = False
    freezes: bool = False

    @property
    def vendor(self) -> str:
        """Who fails."""
        return VENDORS[self.stage][0]


GOOD, FAULTY, RESTING = Kind.GOOD, Kind.FAULTY, Kind.RESTING
# A turn that goes well between two that don't keeps the circuit closed, and shows that the vendor is back at once.
ALTERNATING = (GOOD, FAULTY, GOOD, FAULTY, GOOD, FAULTY, GOOD)
# What waiting does not mend opens the circuit for minutes.
REFUSED = (GOOD, FAULTY, RESTING, RESTING)
# Three failures open it for 15 seconds, and the first turn after them is the vendor's again.
OPENING = (GOOD, FAULTY, FAULTY, FAULTY, RESTING, RESTING, RESTING, RESTING, RESTING)
OPENED = "opened"

_BY_REQUEST = ("stall", "stall_midway", "drop", "garbage", "empty")
# Where a connection is kept, they are met only once it is lost.
BY_CONNECTION = ("refuse", "rate_limited", "server_error")


def scenarios(*, stages: Sequence[str] = STAGES, faults: Sequence[str] = (), turns: int = 200) -> list[Scenario]:
    """Calls of at least so many turns in all, each scenario once, and as often as the others or once more."""
    chosen = [each for each in _all() if each.stage in stages and (not faults or each.fault in faults)]
    calls: list[Scenario] = []
    count = 0
    while len(calls) < len(chosen) or (chosen and count < turns):
        scenario = chosen[len(calls) % len(chosen)]
        calls.append(scenario)
        count += len(scenario.turns)
    return calls


def fault_names() -> list[str]:
    """Every fault that is drilled in some stage."""
    return sorted({each.fault for each in _all()})


def _all() -> list[Scenario]:
    return [scenario for stage in STAGES for scenario in _of(stage)]


def _of(stage: Stage) -> list[Scenario]:
    # A language model has a connection for each request; the others keep theirs, and are refused when it is lost.
    keeps = stage != "llm"
    made = [Scenario(stage, fault, ALTERNATING) for fault in _BY_REQUEST]
    made += [Scenario(stage, fault, ALTERNATING, cuts=keeps) for fault in BY_CONNECTION]
    if keeps:
        made.append(Scenario(stage, "half_open", ALTERNATING, freezes=stage == "stt"))
    made.append(Scenario(stage, "unauthorized", REFUSED, cuts=keeps))
    made.append(Scenario(stage, OPENED, OPENING))
    return made
