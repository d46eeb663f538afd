"""Fuses the scores of several legs, and the vectors of several turns."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from knowledge.types import Turn

DENSE_WEIGHT = 0.65
LEXICAL_WEIGHT = 0.35

# How many turns before the question count.
HISTORY_TURNS = 6
# What was said before weighs in, less the longer ago it was, and less when the assistant said it.
_DENSE_HISTORY = (0.3, 0.7)
_LEXICAL_HISTORY = (0.3, 0.8)
_ASSISTANT_WEIGHT = 0.3


def fuse(legs: Sequence[tuple[float, Mapping[int, float]]]) -> dict[int, float]:
    """Return candidate → fused score, 0 to 1, from one (weight, candidate → score) a leg; the weights sum to 1.

    Each leg is stretched to 0..1 between its worst and its best candidate; where all are alike they all are the best,
    unless their score is 0. A candidate that a leg does not know has that leg's worst score.
    """
    fused: dict[int, float] = dict.fromkeys((key for _, leg in legs for key in leg), 0.0)
    for weight, leg in legs:
        if not leg:
            continue
        worst, best = min(leg.values()), max(leg.values())
        for key, score in leg.items():
            fused[key] += weight * ((score - worst) / (best - worst) if best > worst else float(best > 0))
    return fused


def dense_weights(history: Sequence[Turn]) -> list[float]:
    """Return how much each earlier turn's vector adds to the question's, in the order of `history`, oldest first."""
    return _weights(history, *_DENSE_HISTORY)


def lexical_weights(history: Sequence[Turn]) -> list[float]:
    """Return how much each earlier turn's words add to the question's, in the order of `history`, oldest first."""
    return _weights(history, *_LEXICAL_HISTORY)


def mix(question: np.ndarray, earlier: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Return the unit vector of the question and the weighted earlier turns together."""
    mixed = question + np.asarray(weights, dtype=np.float32) @ earlier
    return mixed / np.linalg.norm(mixed)


def _weights(history: Sequence[Turn], first: float, decay: float) -> list[float]:
    return list(reversed(list(_newest_first(history, first, decay))))


def _newest_first(history: Sequence[Turn], first: float, decay: float) -> Iterator[float]:
    user_turns_back = 0
    for turn in reversed(history):
        if turn.role == "user":
            yield first * decay**user_turns_back
            user_turns_back += 1
        else:
            yield first * decay**user_turns_back * _ASSISTANT_WEIGHT
