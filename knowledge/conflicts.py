"""Finds where two documents answer one question alike but with different values."""

import re
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import combinations

from knowledge.quantities import Kind, Quantity, quantities
from knowledge.terms import stems, telling_words

# Words that change nothing about what a number is said of.
_NEUTRAL = frozenset(
    stems(
        "a about accept accepted allow allowed also always any apply approximately article at available be can costs "
        "currently customer customers each every full general goods is item items least made make may maximum minimum "
        "most must normally now offer offered only our over possible product products provide purchase purchases "
        "receipt receive refund return returned send take takes than there these total under up usually valid we which "
        "within you your after before cost price fee charge charged amount long last lasts period time date delivery "
        "delivered carry carries has have comes".split()
    )
)
# Words that may limit what was said to a case: behind them another case may have another value.
_LIMITS = re.compile(r"\b(?:if|when|unless|except|only|during|without|on|in|for|with|between|outside)\b", re.IGNORECASE)
_MAX_REMARK_TERMS = 3
# So many words in common, and no other, make two sentences the same one but for the values.
_MIN_SAME_TERMS = 3
# Words of a title that tell no subject: a kind of document, its state.
_TITLE_NEUTRAL = frozenset(
    stems(
        "agreement brochure business catalogue company conditions current customer directory draft edition faq final "
        "general guide guidelines handbook house information instructions leaflet list manual new notice old page plan "
        "policy price prices questions report rules schedule service sheet shop store terms timetable updated "
        "version".split()
    )
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that may answer, its document with the title and the heading it stands under, and how well it answers.

    `score` orders the claims of one question, best highest.
    """

    text: str
    document: str
    title: str
    section: str
    score: float


def conflict(question: str, claims: Sequence[Claim], *, asked: Collection[Kind]) -> tuple[Claim, Claim] | None:
    """Return the two best claims of different documents that disagree on what was asked, the better first; else None.

    `asked` are the kinds of quantity that would answer the question; without any there is nothing to disagree on.
    Two claims disagree when they say the same of the same subject, but for the values. Where that is not sure, they
    don't: a price of one thing and of another, a rule and its exception, or titles of different things.
    """
    if not asked:
        return None
    ranked = sorted(claims, key=lambda claim: claim.score, reverse=True)
    for one, other in combinations(ranked, 2):
        if one.document != other.document and _disagree(question, one, other, frozenset(asked)):
            return one, other
    return None


def _disagree(question: str, one: Claim, other: Claim, asked: frozenset[Kind]) -> bool:
    if not _may_share_subject(one, other, question):
        return False
    values, other_values = _values(one.text, asked), _values(other.text, asked)
    shared = values.keys() & other_values.keys()
    parts, other_parts = _Parts.of(one, question, asked), _Parts.of(other, question, asked)
    if parts.said == other_parts.said and len(parts.said) >= _MIN_SAME_TERMS:
        return any(values[key] != other_values[key] for key in shared)
    # A value that both name is an agreement, where they say it differently.
    differ = bool(shared) and all(not values[key] & other_values[key] for key in shared)
    return differ and _same_subject(parts, other_parts)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A claim's stems: those of the question, all that it says, and what it says before and behind the asked values."""

    answered: frozenset[str]
    said: frozenset[str]
    before: frozenset[str]
    behind: frozenset[str]
    is_limited: bool

    @classmethod
    def of(cls, claim: Claim, question: str, asked: frozenset[Kind]) -> "_Parts":
        stated = [quantity for quantity in quantities(claim.text) if quantity.kind in asked]
        first, last = (stated[0].start, stated[-1].end) if stated else (0, 0)
        wanted = _terms(question)
        head, tail = claim.text[:first], _without(claim.text, quantities(claim.text), last)
        return cls(
            answered=wanted & (_terms(claim.text) | _terms(f"{claim.title} {claim.section}")),
            said=_terms(_without(claim.text, quantities(claim.text), 0)) - _NEUTRAL,
            before=_terms(head) - wanted - _NEUTRAL,
            behind=_terms(tail) - wanted - _NEUTRAL,
            is_limited=bool(_LIMITS.search(tail)),
        )


def _same_subject(one: _Parts, other: _Parts) -> bool:
    if not one.answered or one.answered != other.answered or one.before != other.before:
        return False
    added, missing = one.behind - other.behind, other.behind - one.behind
    if added and missing:
        return False
    more = one if added else other
    return not (added or missing) or (len(added | missing) <= _MAX_REMARK_TERMS and not more.is_limited)


def _may_share_subject(one: Claim, other: Claim, question: str) -> bool:
    """Whether the documents may speak of one thing: not where each title names something that was not asked about."""
    known = _terms(question) | _TITLE_NEUTRAL
    return not all(any(not t.isdigit() for t in _terms(title) - known) for title in (one.title, other.title))


def _values(text: str, asked: frozenset[Kind]) -> dict[tuple[Kind, str], frozenset[float | str]]:
    found: dict[tuple[Kind, str], set[float | str]] = defaultdict(set)
    for quantity in quantities(text):
        if quantity.kind in asked and (quantity.kind is not Kind.COUNT or quantity.unit):
            found[quantity.kind, _unit(quantity)].add(quantity.value)
    return {key: frozenset(values) for key, values in found.items()}


def _unit(quantity: Quantity) -> str:
    return stems([quantity.unit])[0] if quantity.kind is Kind.COUNT else quantity.unit


def _terms(text: str) -> frozenset[str]:
    return frozenset(stems(telling_words(text))) if text.strip() else frozenset()


def _without(text: str, stated: Sequence[Quantity], start: int) -> str:
    """The text from `start` on, without the quantities in it."""
    for first, last in sorted({(quantity.start, quantity.end) for quantity in stated}, reverse=True):
        if first >= start:
            text = text[:first] + text[last:]
    return text[start:]
