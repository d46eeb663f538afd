"""Fuses the scores of several legs, and the vectors of several turns."""

from collections.abc import Mapping, Sequence

import numpy as np

from knowledge.terms import Leg
from knowledge.types import LegScore, Turn

# A cosine counts as it is; the other legs count relative to the best that they found, 1 at most.
FIRST_WEIGHTS: dict[Leg, float] = {"words": 0.2, "letters": 0.15, "sounds": 0.15}
# A follow-up leaves out what it is about: its words say less, and say it together with those before.
FOLLOW_UP_WEIGHTS: dict[Leg, float] = {"words": 0.12}
# Where a collection goes by titles.
TITLE_WEIGHT = 1.0

# How much of what was said before the question counts; more finds no better and takes longer.
HISTORY_TURNS = 4
FEW_WORDS = 12
# A thing that was named counts longer.
NAMING_TURNS = 20
HISTORY_WORDS = 30
_HISTORY_WEIGHT = 0.3
_ASSISTANT_WEIGHT = 0.3
_DENSE_DECAY = 0.7
_LEXICAL_DECAY = 0.8


def fuse(
    dense: Mapping[int, float],
    lexical: Mapping[Leg, Mapping[int, float]],
    titles: Mapping[int, float],
    *,
    weights: Mapping[Leg, float],
    title_weight: float,
) -> dict[int, float]:
    """Return candidate → fused score, 0 to 1.

    `dense` are cosines, `lexical` BM25 scores, `titles` shares of a title that was named, each of the leg's candidates;
    `weights` are those of the lexical legs. A candidate that the dense leg did not bring is taken for as near as its
    last one; another leg gives it nothing.
    """
    whole = 1.0 + sum(weights[leg] for leg in lexical) + TITLE_WEIGHT * title_weight
    floor = max(0.0, min(dense.values(), default=0.0))
    fused = dict.fromkeys((key for scores in (*lexical.values(), titles) for key in scores), floor)
    fused.update((key, max(0.0, cosine)) for key, cosine in dense.items())
    for leg, scores in lexical.items():
        for key, score in stretch(scores).items():
            fused[key] += weights[leg] * score
    for key, named in titles.items():
        fused[key] += TITLE_WEIGHT * title_weight * named
    return {key: total / whole for key, total in fused.items()}


def parts(
    key: int,
    dense: Mapping[int, float],
    lexical: Mapping[Leg, Mapping[int, float]],
    titles: Mapping[int, float],
) -> dict[str, LegScore]:
    """Return what each leg that brought this candidate made of it."""
    found: dict[str, LegScore] = {}
    if key in dense:
        found["meaning"] = LegScore(dense[key], max(0.0, dense[key]))
    found |= {leg: LegScore(scores[key], stretch(scores)[key]) for leg, scores in lexical.items() if key in scores}
    if key in titles:
        found["titles"] = LegScore(titles[key], titles[key])
    return found


def stretch(scores: Mapping[int, float]) -> dict[int, float]:
    """Return the scores stretched to 0..1 between the worst and the best; all 1 where they are alike."""
    if not scores:
        return {}
    worst, best = min(scores.values()), max(scores.values())
    return {key: (score - worst) / (best - worst) if best > worst else 1.0 for key, score in scores.items()}


def shortened(history: Sequence[Turn]) -> list[Turn]:
    """Return the last twenty turns that have words, oldest first, each cut to its first 30 words."""
    spoken = [Turn(turn.role, " ".join(turn.text.split()[:HISTORY_WORDS])) for turn in history]
    return [turn for turn in spoken if turn.text][-NAMING_TURNS:]


def recent(history: Sequence[Turn]) -> list[Turn]:
    """Return the turns that a question is understood by: the last four, of the assistant's only the first 12 words."""
    return [
        Turn(turn.role, first_words(turn.text)) if turn.role == "assistant" else turn
        for turn in shortened(history)[-HISTORY_TURNS:]
    ]


def first_words(text: str) -> str:
    """Return the first 12 words."""
    return " ".join(text.split()[:FEW_WORDS])


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
