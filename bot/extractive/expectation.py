"""What kind of answer a question expects, and whether a sentence holds one."""

import re
from dataclasses import dataclass
from enum import Enum

from bot.extractive.terms import terms
from knowledge.quantities import Kind, quantities


class Fit(Enum):
    """Whether a sentence has the kind of answer that was asked for."""

    ANY = "the question asks for nothing particular"
    YES = "it has"
    NO = "it has not"


@dataclass(frozen=True, slots=True)
class _Expectation:
    asked: re.Pattern[str]
    kinds: frozenset[Kind]
    words: re.Pattern[str] | None
    said_by: frozenset[str]


def _expect(asked: str, kinds: str, words: str, said_by: str) -> _Expectation:
    return _Expectation(
        re.compile(asked),
        frozenset(Kind(kind) for kind in kinds.split()),
        re.compile(words) if words else None,
        frozenset(terms(said_by)),
    )


_DAYS = (
    r"(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|june|july|august|september|october|"
    r"november|december|today|tomorrow|daily|nightly|weekly|monthly|yearly|spring|summer|autumn|winter|morning|evening"
)
_VERB = r"(?:is|are|was|were|do|does|did|will|would|can|could|should|may|must|has|have|had)"
_NAME = r"(?<=[a-z,;] )[A-Z][a-z]+|\A[A-Z]\w+ [A-Z]\w+"
# The first that fits the question counts.
_EXPECTATIONS = (
    _expect(r"\bhow (?:old|young)\b|\b(?:what|which) age\b", "age duration", r"(?i)\bages?\b", "old age"),
    _expect(r"\bhow (?:heavy|big|far|tall|high|deep|wide|close|large|fast)\b|\bweigh\b|\bspeed\b|\bwhat distance\b",
            "measure count", "", "far close distance"),
    _expect(r"\bpercent(?:age)?\b", "percent", r"(?i)\b(?:half|quarter|third)\b", "percentage percent"),
    _expect(r"\bhow many (?:days|weeks|months|years|hours|minutes)\b|\bhow (?:long|soon|quickly)\b",
            "duration clock date", rf"(?i)\b(?:never|always|immediately|at once|{_DAYS})\b", "long soon time quick"),
    _expect(rf"\bhow (?:late|early|often)\b|\bwhen {_VERB}\b|\b(?:what|which) (?:time|day|date|month|year|century)s?\b|"
            r"\bdeadline\b|\buntil when\b",
            "clock date duration", rf"(?i)\b(?:never|always|every|{_DAYS})\b|\d", "late early time day date year"),
    _expect(r"\bhow many\b|\bwhat (?:number|population)\b", "count percent",
            r"(?i)\b(?:several|none|no|both|all|many|few)\b", "number"),
    _expect(r"\bcosts?\b|\bprices?\b|\bcharged?\b|\bfees?\b|\bfares?\b|\bearn\b|\bsalary\b|\bwages?\b|"
            r"\bhow much (?:is|are|would|will|to|do i|more|money)\b",
            "money percent", r"(?i)\b(?:free|nothing|no (?:extra )?(?:charge|cost|fee)|same)\b",
            "cost price charge fee extra earn pay"),
    _expect(r"\bhow much\b", "money percent measure count duration", r"(?i)\b(?:free|nothing|half|most)\b", ""),
    _expect(r"\bwho(?:m|se)?\b", "", _NAME, ""),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Expected:
    """The kind of answer a question expects, None where anything may be one."""

    _expectation: _Expectation | None

    @property
    def said_by(self) -> frozenset[str]:
        """The terms of a question that an answer of the kind takes up without repeating them: "cost", "long"."""
        return self._expectation.said_by if self._expectation else frozenset()

    @property
    def kinds(self) -> frozenset[Kind]:
        """The kinds of quantity that answer the question; empty where none does."""
        return self._expectation.kinds if self._expectation else frozenset()

    def fit(self, sentence: str) -> Fit:
        """Whether the sentence has an answer of the kind."""
        if self._expectation is None:
            return Fit.ANY
        if self._expectation.words and self._expectation.words.search(sentence):
            return Fit.YES
        has = any(quantity.kind in self._expectation.kinds for quantity in quantities(sentence))
        return Fit.YES if has else Fit.NO


def expected(question: str) -> Expected:
    """What a question expects."""
    lower = question.lower()
    return Expected(next((e for e in _EXPECTATIONS if e.asked.search(lower)), None))
