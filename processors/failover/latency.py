"""How long a provider's first token may take, from how long it took lately."""

from collections import deque
from collections.abc import Sequence
from math import ceil

KEPT = 40
# Fewer say nothing of the slow ones.
ENOUGH = 5
FACTOR = 2.0
SHORTEST_SECS, LONGEST_SECS = 1.0, 4.0
UNKNOWN_SECS = 3.0


class FirstTokens:
    """The seconds to the first token of a provider's latest answers."""

    def __init__(self) -> None:
        self._secs: deque[float] = deque(maxlen=KEPT)

    def add(self, secs: float) -> None:
        """One more answer."""
        self._secs.append(secs)

    @property
    def p95_secs(self) -> float | None:
        """What all but a twentieth stayed below; None while too little is known."""
        return p95(self._secs) if len(self._secs) >= ENOUGH else None

    @property
    def patience_secs(self) -> float:
        """After how long the next answer is given up."""
        return patience_secs(self.p95_secs)


def p95(secs: Sequence[float]) -> float:
    """The smallest of them that 95 % do not exceed."""
    return sorted(secs)[ceil(len(secs) * 0.95) - 1]


def patience_secs(p95_secs: float | None) -> float:
    """Twice what a slow answer takes, within one and four seconds; three where that is not known."""
    return UNKNOWN_SECS if p95_secs is None else min(max(p95_secs * FACTOR, SHORTEST_SECS), LONGEST_SECS)
