"""Whether what was said stands in a passage: pure functions of texts."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.speech.spoken_form import spoken_sentences
from knowledge.quantities import Kind, Quantity, quantities
from processors.failover.words import words_of

# What names the source, and claims nothing.
_ATTRIBUTION = re.compile(r"^(?:That's|It's|That is) from\b", re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[\"'“(]?[A-Z0-9])|\n+")
_NAME = re.compile(r"[A-Z][\w’'&-]*")
_NO_NAME = re.compile(r"I(?:['’]\w+)?$")
_DATE = re.compile(r"(?P<year>\d{4})?-?(?:-?(?P<month>\d\d))?(?:-(?P<day>\d\d))?$")
_REFUSAL = re.compile(
    r"\b(?:could|can|do|did|does|was|am|is)(?:n['’]t|['’]t| not|not) (?:able to )?"
    r"(?:find|know|have (?:that|any|this|the) (?:information|answer|details?)|look (?:that|things) up|say)\b"
    r"|\b(?:no|without) (?:information|answer)\b|\bnot in (?:our|the|my) documents\b|\bunable to (?:find|answer)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A number or a name as it was said: `words` is how."""

    words: str
    quantity: Quantity | None = None


def words_spoken(text: str) -> list[str]:
    """The words of a text in lower case, numbers, prices and times as they are spoken."""
    return [word.lower() for sentence in spoken_sentences(text) for word in sentence]


def is_said(wanted: str, said: str) -> bool:
    """Whether these words stand in what was said, one behind the other; numbers count in any form."""
    words, there = words_spoken(wanted), words_spoken(said)
    return any(there[at : at + len(words)] == words for at in range(len(there) - len(words) + 1))


def sentences(said: str) -> list[str]:
    """What was said, without the sentences that name its source."""
    return [each for each in _SENTENCE.split(said.strip()) if each and not _ATTRIBUTION.match(each)]


def refuses(said: str) -> bool:
    """Whether it says that there is no answer."""
    return bool(_REFUSAL.search(said))


def claims_of(sentence: str) -> list[Claim]:
    """The quantities of a sentence and the names in it; what it begins with is no name by its capital alone."""
    stated = quantities(sentence)
    claims = [Claim(sentence[each.start : each.end], each) for each in stated]
    for match in _NAME.finditer(sentence):
        begins = not sentence[: match.start()].strip(" \"'“(")
        is_stated = any(each.start <= match.start() < each.end for each in stated)
        if not begins and not is_stated and not _NO_NAME.match(match[0]):
            claims.append(Claim(match[0]))
    return claims


def unsupported(said: str, passages: Sequence[str]) -> list[tuple[str, list[str]]]:
    """The sentences whose claims don't all stand in one passage, each with what the best passage lacks of it."""
    found: list[tuple[str, list[str]]] = []
    for sentence in sentences(said):
        claims = claims_of(sentence)
        lacking = [[claim.words for claim in claims if not _stands(claim, passage)] for passage in passages]
        best = min(lacking, key=len, default=[claim.words for claim in claims])
        if best:
            found.append((sentence, best))
    return found


def _stands(claim: Claim, passage: str) -> bool:
    if claim.quantity is None:
        words = words_of(claim.words)
        there = {word.removesuffix("'s").removesuffix("’s") for word in words_of(passage)}
        return all(word.removesuffix("'s").removesuffix("’s") in there for word in words)
    return any(_same(claim.quantity, each) for each in _quantities(passage))


def _quantities(passage: str) -> Iterator[Quantity]:
    for sentence in _SENTENCE.split(passage):
        yield from quantities(sentence)


def _same(said: Quantity, written: Quantity) -> bool:
    if said.kind is Kind.DATE and written.kind is Kind.DATE:
        return _is_part(str(said.value), str(written.value))
    if Kind.COUNT in (said.kind, written.kind):
        # A bare number may be of anything: "18" in a table whose head says dollars.
        return said.value == written.value
    return (said.kind, said.value, said.unit) == (written.kind, written.value, written.unit)


def _is_part(said: str, written: str) -> bool:
    """Whether a date says nothing else than another, and no part that the other leaves open."""
    one, other = _DATE.match(said), _DATE.match(written)
    if one is None or other is None:
        return said == written
    return all(value is None or value == other[name] for name, value in one.groupdict().items())
