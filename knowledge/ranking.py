"""Fuses the scores of several legs, and the vectors of several turns."""

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.types import Turn

DENSE_WEIGHT = 0.65
LEXICAL_WEIGHT = 0.35

# How much of what was said before the question counts; more finds no better and takes longer to embed.
HISTORY_TURNS = 6
HISTORY_WORDS = 30
_HISTORY_WEIGHT = 0.3
_ASSISTANT_WEIGHT = 0.3
_DENSE_DECAY = 0.7
_LEXICAL_DECAY = 0.8


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


def recent(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns that count, oldest first: the last six that have words, each cut to its first 30 words."""
    spoken = [Turn(turn.role, " ".join(turn.text.split()[:HISTORY_WORDS])) for turn in history]
    return [turn for turn in spoken if turn.text][-HISTORY_TURNS:]


def dense_weights(history: Sequence[Turn]) -> list[float]:
    """Return how much each earlier turn's vector adds to the question's, in the order of `history`, oldest first."""
    return _weights(history, _DENSE_DECAY)


def lexical_weights(history: Sequence[Turn]) -> list[float]:
    """Return how much each earlier turn's words add to the question's, in the order of `history`, oldest first."""
    return _weights(history, _LEXICAL_DECAY)


def mix(question: np.ndarray, earlier: np.ndarray, weights: Sequence[float]) -> np.ndarray:
    """Return the unit vector of the question and the weighted earlier turns together."""
    mixed = question + np.asarray(weights, dtype=np.float32) @ earlier
    return mixed / np.linalg.norm(mixed)


def _weights(history: Sequence[Turn], decay: float) -> list[float]:
    """Return 0.3 · decay^k a turn, k user turns back, and 0.3 of that when the assistant said it."""
    weights = []
    user_turns_back = 1
    for turn in reversed(history):
        weight = _HISTORY_WEIGHT * decay**user_turns_back
        if turn.role == "user":
            user_turns_back += 1
        else:
            weight *= _ASSISTANT_WEIGHT
        weights.append(weight)
    return weights[::-1]
