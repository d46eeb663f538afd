"""What the caller's last turn asks, with the turns that it leans on."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.extractive.terms import terms

# A turn with so few terms may need the ones before it; with fewer still it does.
_FEW_TERMS = 3
_HARDLY_ANY_TERMS = 1
_LEANS = re.compile(
    r"(?:(?:ok|okay|yes|no|so|well|thanks|thank you),? )*(?:and|or|but|also|what (?:about|if)|how about|then)\b|"
    r".*\b(?:it|its|that|this|these|those|they|them|their|there|one|ones|he|him|his|she|her|else|instead)\b",
    re.IGNORECASE,
)
_EARLIER_TURNS = 2
_EARLIER_WEIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Question:
    """The caller's last turn and the turns before it that it leans on, the latest first; none if it stands alone."""

    text: str
    earlier: tuple[str, ...] = ()

    @property
    def turns(self) -> tuple[str, ...]:
        """All that counts, the last turn first."""
        return self.text, *self.earlier

    @property
    def weights(self) -> list[float]:
        """What each turn's meaning counts for: the last one's 1, an earlier one's less and less."""
        return [_EARLIER_WEIGHT**back for back in range(len(self.turns))]


def question(turns: Sequence[str]) -> Question:
    """The question of what a caller said turn by turn, oldest first; raises IndexError without a turn."""
    text = turns[-1].strip()
    few = len(terms(text))
    leans = few <= _HARDLY_ANY_TERMS or (few <= _FEW_TERMS and _LEANS.match(text))
    return Question(text, tuple(turns[-2 : -2 - _EARLIER_TURNS : -1]) if leans else ())


def mixed(weights: Sequence[float], cosines: Sequence[Sequence[float]]) -> list[float]:
    """The cosine of each sentence and the weighted mixture of the turns.

    `cosines` has a row a turn: first its cosine with every turn, then its cosine with every sentence.
    """
    turns = range(len(weights))
    length = math.sqrt(sum(weights[i] * weights[j] * (cosines[i][j] if i != j else 1.0) for i in turns for j in turns))
    sentences = range(len(weights), len(cosines[0]))
    return [sum(weights[i] * cosines[i][sentence] for i in turns) / length for sentence in sentences]
