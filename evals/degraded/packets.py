"""What becomes of the packets of a stretch of speech: pure functions of a seed."""

from dataclasses import dataclass

import numpy as np

PACKET_MS = 20


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one packet; `late_ms` says how long it takes more than the quickest."""

    lost: bool = False
    late_ms: float = 0.0


def fates(count: int, *, lost: float, burst: int, jitter_ms: int, seed: int) -> list[Fate]:
    """The fates of so many packets.

    `lost` is the share that never comes, below 1, `burst` how many are lost at a time on average (Gilbert's model of a
    line), `jitter_ms` how late one comes at most; each delay up to there is as likely as any other.
    """
    random = np.random.default_rng(seed)
    breaks, mends = lost / (burst * (1 - lost)), 1 / burst
    found: list[Fate] = []
    broken = False
    for chance, late in random.uniform(size=(count, 2)):
        broken = chance >= mends if broken else chance < breaks
        found.append(Fate(broken, late * jitter_ms))
    return found
