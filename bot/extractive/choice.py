"""Which sentences answer the question, if any: a pure function of words and similarities.

The weights were fitted by logistic regression to spoken questions over encyclopedia articles and typed ones over
product documentation, each asked with its passage and without, as the search finds them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from bot.extractive.expectation import Expected, Fit, expected
from bot.extractive.question import Question
from bot.extractive.sentences import Sentence
from bot.extractive.terms import support, terms
from knowledge.conflicts import Claim, conflict

# Which sentence is best: its similarity, and this for all of the question's words and for the kind of answer.
WORDS_BONUS = 0.3
EXPECTED_BONUS = 0.06
HEADING_SUPPORT = 0.9
# What the words of an earlier turn count for that the last one leans on, and again for the one before that.
EARLIER_WORDS_WEIGHT = 0.15

# Whether the best one answers: the logarithm of the odds that it does.
SIMILARITY_WEIGHT = 3.5
WORDS_WEIGHT = 3.56
STANDOUT_WEIGHT = 3.03
MISFIT_WEIGHT = -0.79
# With fewer passages than this there is little to stand out from; the neutral value speaks neither for it nor against.
FEWEST_PASSAGES = 3
NEUTRAL_STANDOUT = 0.14
BIAS = -4.12
# Nine in ten questions whose passage is missing stay below it.
MIN_LOG_ODDS = 0.25
# What is no answer may still be worth hearing as the nearest that there is.
MIN_LOG_ODDS_NEAREST = -1.6
# Without similarities there are only the words.
MIN_WORDS = 0.6
MIN_WORDS_NEAREST = 0.3

COMPANION_MARGIN = 0.12
CONFLICT_MARGIN = 0.3
MAX_SENTENCES = 3
MAX_PASSAGES = 2
MAX_WORDS = 60


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence with the document, title, heading and lead-in it stands under.

    `similarity` is its cosine with the question, None if unknown.
    """

    sentence: Sentence
    document: int
    title: str
    section: str
    lead_in: str = ""
    similarity: float | None = None

    @property
    def heading(self) -> str:
        """What stands over it."""
        return ", ".join(part for part in (self.title, self.section) if part)

    @property
    def said(self) -> str:
        """What it says, an item of a list with the list's lead-in."""
        return f"{self.lead_in} {self.sentence.text}".lstrip()


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences to say, in order, none where nothing is near; unless `answers`, only the nearest there is."""

    sentences: tuple[Sentence, ...] = ()
    answers: bool = False


@dataclass(frozen=True, slots=True)
class _Judged:
    candidate: Candidate
    coverage: float
    fit: Fit

    @property
    def sentence(self) -> Sentence:
        return self.candidate.sentence

    @property
    def score(self) -> float:
        """Orders the sentences of one question."""
        bonus = {Fit.YES: EXPECTED_BONUS, Fit.NO: -EXPECTED_BONUS, Fit.ANY: 0.0}[self.fit]
        if self.candidate.similarity is None:
            return self.coverage + bonus
        return self.candidate.similarity + WORDS_BONUS * self.coverage + bonus


def shortlist(question: Question, candidates: Sequence[Candidate], *, limit: int) -> list[Candidate]:
    """At most `limit` candidates, in their order: those with the question's words, else those of the first passages."""
    judged = _judge(question, candidates)
    kept = sorted(range(len(judged)), key=lambda i: (judged[i].coverage, -judged[i].sentence.number), reverse=True)
    return [candidates[i] for i in sorted(kept[:limit])]


def choose(question: Question, candidates: Sequence[Candidate]) -> Choice:
    """The sentences that answer, or the nearest to an answer.

    Two that disagree on what was asked, from different documents, are both of the answer.
    """
    judged = sorted(_judge(question, candidates), key=lambda j: j.score, reverse=True)
    if not judged:
        return Choice()
    disagreeing = _conflict(question, judged)
    # What disagrees with an answer is no sign that it is none.
    others = [j for j in judged if not disagreeing or j.sentence.number != disagreeing[1].number]
    answers, is_near = _answers(others)
    if not is_near:
        return Choice()
    if answers and disagreeing:
        return Choice(tuple(disagreeing), answers)
    placed = {(c.sentence.number, c.sentence.position): c.sentence for c in candidates}
    return Choice(tuple(_with_companions(judged, placed)), answers)


def _judge(question: Question, candidates: Sequence[Candidate]) -> list[_Judged]:
    held = [frozenset(terms(c.said)) for c in candidates]
    weights = _weights(question, held)
    total = sum(weights.values())
    asks = _expected(question)
    headings = {heading: frozenset(terms(heading)) for heading in {c.heading for c in candidates}}
    judged: list[_Judged] = []
    for candidate, own in zip(candidates, held, strict=True):
        fit = asks.fit(candidate.said)
        above = headings[candidate.heading]
        supported = sum(w * _supported(t, own, above, asks if fit is Fit.YES else None) for t, w in weights.items())
        judged.append(_Judged(candidate, supported / total if total else 0.0, fit))
    return judged


def _expected(question: Question) -> Expected:
    """What the last turn expects; where that is nothing particular, what the turn does that it leans on."""
    return next((e for text in question.turns if (e := expected(text)).kinds), expected(question.text))


def _weights(question: Question, held: Sequence[frozenset[str]]) -> dict[str, float]:
    """Each term of the question and what it counts for: the fewer sentences speak of it, the more."""
    weights: dict[str, float] = {}
    for back, text in enumerate(question.turns):
        for term in terms(text):
            if term not in weights:
                holders = sum(support(term, own) > 0 for own in held)
                weights[term] = EARLIER_WORDS_WEIGHT**back * math.log(1 + len(held) / (1 + holders))
    return weights


def _supported(term: str, own: frozenset[str], above: frozenset[str], fitting: Expected | None) -> float:
    if fitting is not None and term in fitting.said_by:
        return 1.0
    return max(support(term, own), HEADING_SUPPORT * support(term, above))


def _answers(judged: Sequence[_Judged]) -> tuple[bool, bool]:
    """Whether the best sentence answers, and whether it is near enough to be said at all."""
    best = judged[0]
    if best.candidate.similarity is None:
        return best.coverage >= MIN_WORDS and best.fit is not Fit.NO, best.coverage >= MIN_WORDS_NEAREST
    log_odds = (
        SIMILARITY_WEIGHT * best.candidate.similarity
        + WORDS_WEIGHT * best.coverage
        + STANDOUT_WEIGHT * _standout(judged)
        + MISFIT_WEIGHT * (best.fit is Fit.NO)
        + BIAS
    )
    return log_odds >= MIN_LOG_ODDS, log_odds >= MIN_LOG_ODDS_NEAREST


def _standout(judged: Sequence[_Judged]) -> float:
    """How much better the best sentence is than the best of each passage, its own among them, on average."""
    best_of_passage: dict[int, float] = {}
    for other in judged:
        best_of_passage.setdefault(other.sentence.number, other.score)
    if len(best_of_passage) < FEWEST_PASSAGES:
        return NEUTRAL_STANDOUT
    return judged[0].score - sum(best_of_passage.values()) / len(best_of_passage)


def _conflict(question: Question, judged: Sequence[_Judged]) -> list[Sentence]:
    near = [j for j in judged if j.score >= judged[0].score - CONFLICT_MARGIN]
    claims = [
        Claim(j.candidate.said, str(j.candidate.document), j.candidate.title, j.candidate.section, j.score)
        for j in near
    ]
    found = conflict(question.text, claims, asked=_expected(question).kinds)
    if found is None or found[0].score < judged[0].score - COMPANION_MARGIN:
        return []
    return [near[claims.index(claim)].sentence for claim in found]


def _with_companions(judged: Sequence[_Judged], placed: dict[tuple[int, int], Sentence]) -> list[Sentence]:
    """The best sentence and those nearly as good, as many as can be listened to, a list with its lead-in."""
    chosen: dict[tuple[int, int], Sentence] = {}
    numbers: list[int] = []
    count = 0
    for other in judged:
        number = other.sentence.number
        if count == MAX_SENTENCES or other.score < judged[0].score - COMPANION_MARGIN:
            break
        if number not in numbers and len(numbers) == MAX_PASSAGES:
            continue
        more = {place: s for place, s in _whole(other.sentence, placed).items() if place not in chosen}
        if more and (not chosen or _words([*chosen.values(), *more.values()]) <= MAX_WORDS):
            chosen |= more
            numbers += [number] if number not in numbers else []
            count += 1
    return [s for place, s in sorted(chosen.items(), key=lambda item: (numbers.index(item[0][0]), item[0][1]))]


def _whole(sentence: Sentence, placed: dict[tuple[int, int], Sentence]) -> dict[tuple[int, int], Sentence]:
    """The sentence by its place; an item of a list with its lead-in, a lead-in with as many items as fit."""
    parts = {(sentence.number, sentence.position): sentence}
    if sentence.lead_in is not None and (lead_in := placed.get((sentence.number, sentence.lead_in))):
        return {(lead_in.number, lead_in.position): lead_in, **parts}
    items = (s for s in placed.values() if s.number == sentence.number and s.lead_in == sentence.position)
    for item in sorted(items, key=lambda s: s.position):
        if _words([*parts.values(), item]) > MAX_WORDS:
            break
        parts[item.number, item.position] = item
    return parts


def _words(sentences: Sequence[Sentence]) -> int:
    return sum(len(s.text.split()) for s in sentences)
