"""Which sentences answer the question: a pure function of words and similarities."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import Stemmer

from bot.extractive.sentences import Sentence

_WORD = re.compile(r"[a-z0-9£$€%']+")
_STOP_WORDS = frozenset(
    resources.files("bot.extractive").joinpath("stop_words.txt").read_text(encoding="utf-8").split()
)
_NUMBER_WORDS = (
    "free half one two three four five six seven eight nine ten twelve twenty thirty forty fifty sixty ninety hundred"
)
_TIME_WORDS = (
    "day days week weeks month months year years hour hours minute minutes morning noon evening "
    "monday tuesday wednesday thursday friday saturday sunday "
    "january february march april may june july august september october november december"
)
_QUANTITY = rf"[\d£$€%]|\b(?:{_NUMBER_WORDS.replace(' ', '|')})\b"
_TIME = rf"{_QUANTITY}|\b(?:{_TIME_WORDS.replace(' ', '|')})\b"
_EXPECTED: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...] = tuple(
    (re.compile(question), re.compile(answer, re.IGNORECASE))
    for question, answer in (
        (r"\bhow (?:much|many)\b|\bcosts?\b|\bprice[ds]?\b|\bcharged?\b|\bfees?\b|\bpay\b", _QUANTITY),
        (r"\bhow long\b|\bwhen\b|\bwhat time\b|\bhow (?:soon|late|early|often|quickly|fast)\b|\bdeadline\b", _TIME),
        (r"\bhow (?:old|far|big|heavy|young)\b|\bwhat age\b", _QUANTITY),
    )
)  # fmt: skip

EXPECTED_BONUS = 0.05
WORDS_BONUS = 0.1
MIN_SCORE = 0.40
COMPANION_MARGIN = 0.08
MAX_SENTENCES = 3
MAX_WORDS = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence and how near in meaning it is to the question: a cosine, None where it is not known."""

    sentence: Sentence
    similarity: float | None


def choose(question: str, candidates: Sequence[Candidate]) -> list[Sentence]:
    """One to three sentences of one passage that answer, in their order; empty when none does."""
    if not candidates:
        return []
    scores = _scores(question, candidates)
    best = max(range(len(candidates)), key=scores.__getitem__)
    if scores[best] < MIN_SCORE:
        return []
    number = candidates[best].sentence.number
    chosen, words = {best}, len(candidates[best].sentence.text.split())
    companions = (
        i
        for i in sorted(range(len(candidates)), key=scores.__getitem__, reverse=True)
        if i != best and candidates[i].sentence.number == number and scores[i] >= scores[best] - COMPANION_MARGIN
    )
    for i in companions:
        length = len(candidates[i].sentence.text.split())
        if len(chosen) < MAX_SENTENCES and words + length <= MAX_WORDS:
            chosen.add(i)
            words += length
    return sorted((candidates[i].sentence for i in chosen), key=lambda s: s.position)


def _scores(question: str, candidates: Sequence[Candidate]) -> list[float]:
    asked = _terms(question)
    held = [_terms(c.sentence.text) for c in candidates]
    weights = {t: math.log(1 + len(candidates) / (1 + sum(t in h for h in held))) for t in asked}
    total = sum(weights.values())
    lower = question.lower()
    expected = [answer for asks, answer in _EXPECTED if asks.search(lower)]
    scores: list[float] = []
    for candidate, terms in zip(candidates, held, strict=True):
        shared = sum(weight for term, weight in weights.items() if term in terms) / total if total else 0.0
        score = shared if candidate.similarity is None else candidate.similarity + WORDS_BONUS * shared
        if expected:
            score += EXPECTED_BONUS if any(a.search(candidate.sentence.text) for a in expected) else -EXPECTED_BONUS
        scores.append(score)
    return scores


def _terms(text: str) -> frozenset[str]:
    words = [w for w in _WORD.findall(text.lower().replace("’", "'")) if w not in _STOP_WORDS]
    return frozenset(Stemmer.Stemmer("english").stemWords(words))
