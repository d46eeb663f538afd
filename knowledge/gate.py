"""Decides whether a caller's last words need the documents: a logistic model over their form and their meaning."""

import math
import re
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np

from knowledge.types import Verdict


@dataclass(frozen=True)
class Evidence:
    """What a search knows of the turn.

    `question` is as transcribed, perhaps misheard or without punctuation. `vector` is its own unit vector, not mixed
    with what was said before; None where it could not be embedded in time. `top_similarity` is the cosine of the
    question, mixed with what was said before, to the collection's nearest window. `word_coverage`, 0 to 1, is the share
    of the BM25 score that a window with all of its words could have.
    """

    question: str
    vector: np.ndarray | None
    has_history: bool
    top_similarity: float | None
    word_coverage: float


def _sentences(name: str) -> tuple[str, ...]:
    text = resources.files("knowledge").joinpath(f"gate_{name}.txt").read_text(encoding="utf-8")
    return tuple(line for line in text.splitlines() if line)


_SIDES = tuple(_sentences(name) for name in ("questions", "tasks", "small_talk"))
# Embed them in this order.
PROTOTYPES: tuple[str, ...] = tuple(sentence for side in _SIDES for sentence in side)

# What the logit of "needs the documents" gains by each sign, fitted to about a thousand turns.
_WEIGHTS = {
    "unlike tasks": 3.04,
    "asked": 1.93,
    "unlike small talk": 1.09,
    "fragment": 1.07,
    "asks": 0.64,
    "has trouble": 0.58,
    "near": 0.5,
    "length": 0.46,
    "states": -0.52,
    "rates": -0.62,
    "wishes or chooses": -0.66,
    "names": -0.91,
    "wants done": -1.39,
    "commands": -1.5,
    "speaks of the talk": -1.53,
    "numbers": -2.03,
    "social": -2.14,
}
_BIAS = 0.14
# Below this logit a turn is small talk; in doubt a turn is looked up.
_LEAST_LOGIT = -0.95
_CLEAR_LOGIT = -0.5
# Below this nearness, in standard deviations, the collection holds nothing about the question.
_OFF_TOPIC = 1.8
# More than this share of its words in one window, and it holds something all the same.
_COVERED = 0.3

# Between what is typical of small talk and of a question that the collection answers; unknown counts as this.
_USUAL_NEARNESS = 3.3
_MOST_NEARNESS = 5.0
_MOST_LIKENESS = 6.0
_MOST_DIFFERENCE = 1.0
_SOFTNESS = 0.5
_FRAGMENT_WORDS = 5

_FILLERS = re.compile(
    r"\b(?:u[hm]+|erm?|hm+|a+h|oh|you know|i mean|well|so|just|also|actually|basically|please"
    r"|(?<!\bi )(?<!we )(?<!'d )(?<!would )(?<!you )(?<!n't )(?<!feel )(?<!looks )like)\b"
)
_LEAD = re.compile(
    r"(^|\. )(?:(?:and|but|okay|ok|yeah|yes|yep|no|nope|hi|hello|hey|sorry|great|thanks|thank you|alright|all right"
    r"|right|now|then|or|because|excuse me|good (?:morning|afternoon|evening)|there|not yet"
    r"|perfect|fine|sure|cool|i see) )+"
)
_START = r"(?:^|\. )"
_INSIDE = r"(?<!^)(?<!\. )\b"
_ACT = (
    r"(?:help|find|book|reserve|recommend|suggest|make|get|give|send|check|look|order|change|transfer|put|call|search"
    r"|connect|cancel|sign|schedule|arrange|pick|move|add|read|repeat|say|text|set|talk|speak|buy)"
)
_ASKS = (
    r"\b(?:tell (?:me|us) (?:about|more|what|how|if|whether|when|where|which)|explain|to know|wonder(?:ing)?|curious"
    r"|don't know (?:if|what|how|whether)|(?:not sure|know|see|check|sure) (?:if|whether|which|what|how)|possible"
    r"|walk me through|information (?:on|about)|an? question about|difference between|interested in (?:the|your|how))\b"
)
_ASKED = re.compile(
    rf"{_START}(?:what|how|when|where|which|who|whose|whom|why|whats|hows|wheres)\b"
    rf"|{_INSIDE}(?:what|how|where|which|who|whose|whom|why)\b"
    rf"|{_START}(?:is|are|was|were|do|does|did|can|could|will|would|should|has|have|had|may|might|must|am"
    r"|(?:is|are|do|does|did|wo|ca|could|would)n't) \w+ "
    rf"|{_INSIDE}(?:is|are|do|does|did|can|could|will|would|should|may|must|has|have)"
    r" (?:i|we|they|there|he|she|it|you|that|those|these|the|my|your)\b"
    r"|\b(?:what about|how about|what if|any other)\b"
    rf"|{_ASKS}"
)
# Each is searched for in the bare words: lower case, without fillers and lead-ins, sentences parted by " . ".
_FORMS = {
    "asks": re.compile(_ASKS),
    "wants done": re.compile(rf"\b(?:can|could|would|will) (?:you|i|we)(?: guys| maybe| possibly| kindly)? {_ACT}\b"),
    "wishes or chooses": re.compile(
        r"\b(?:i|we|i'd|we'd|he|she|they)(?: \w+)? (?:needs?|wants?|like|prefer|love|hope)\b|\bi'm after\b"
        r"|\b(?:looking (?:for|to)|planning|thinking of|going to|want to|wanna|in the mood|feel like)\b"
        r"|\b(?:i'll|we'll|let's|lets|i will|we will|i think|i guess|don't (?:care|mind)|doesn't matter|not really"
        r"|rather|sounds?|prefer(?:ence|ably)?|as long as|something|somewhere|anything|would be|instead"
        r"|(?:another|that|this|the (?:first|second|third|last|other)) one"
        r"|(?:should|must) (?:be|have)|(?:has|have|need|needs|got|gotta) (?:to )?(?:be|have))\b"
    ),
    "commands": re.compile(
        rf"{_START}(?:book|reserve|find|search|make|put|send|call|order|change|cancel|read|track|switch|transfer|show|give"
        r"|get|sign|add|schedule|go|recommend|text|remind|play|set|look|pick|choose|let|say|repeat|try|hold|wait|speak"
        r"|connect|sing|renew|open|email|pass|turn|start|stop|forget|remove|continue|let's"
        r"|tell me (?:a|another|something))\b"
    ),
    "speaks of the talk": re.compile(
        r"\b(?:repeat|say (?:that|it)|hear (?:me|you)|again|catch (?:that|the|it)|slow(?:er|ly|down)?|louder|speak up"
        r"|(?:one|a) (?:moment|second|sec|minute)|hold on|hang on|wait|right back|talking to|did you (?:just )?say"
        r"|you (?:there|still|listening|real|human|a)|who (?:are you|am i)|your name|what was that|come again"
        r"|one more time|how are you|never ?mind|pardon|you mean|i said|i asked|real person|human|agent|operator)\b"
    ),
    "has trouble": re.compile(
        r"\b(?:\w+n't (?!mind|care|matter|have|like|want|need|hear|catch)\w+|broken?|lost|declined|fail(?:s|ed|ing)?"
        r"|error|missing|stuck|leak(?:s|ing)?|problem|says|said|invalid|charged|locked|stolen|damaged|keeps|stopped|never)\b"
    ),
    "names": re.compile(
        r"\b(?:my (?:\w+ )?(?:name|number|email|reference|phone)|name's|this is|number (?:is|was)|under the name"
        r"|(?:last|first) name|spell(?:ed)?|(?:starts|ends) with)\b"
    ),
    "rates": re.compile(
        r"\b(?:you're|you are|you've|that's|that is|it's|this is|that was|what a|how) (?:\w+ )?(?:best|great|kind|nice"
        r"|fine|good|okay|ok|right|helpful|sweet|all|it|interesting|wrong|ridiculous|terrible|awful|useless|enough"
        r"|perfect|true|funny|sad|bad|pity|shame)\b"
    ),
    "states": re.compile(r"^(?:i|i'm|i've|i'll|i'd|we|we're|we've|my|our|it's|that's|he|she)\b"),
}
_TOLD = ("wishes or chooses", "commands", "speaks of the talk", "names")
_SOCIAL = frozenset(
    (
        "hi hello hey good morning afternoon evening night thanks thank thx you cheers bye goodbye ok okay yes yeah "
        "yep yup no nope sure right alright fine great perfect lovely nice awesome cool excellent wonderful "
        "brilliant fantastic amazing super please sorry welcome sounds sound see i'm i that that's it it's exactly "
        "correct indeed mm uh huh hmm mhm ah oh wow ha well very much so a lot really got absolutely definitely of "
        "course day have care take appreciate appreciated helpful kind pleasure too true dear god gosh understood "
        "agreed makes sense all bit then now later soon i'll guess suppose know"
    ).split()
)
_NUMBER = re.compile(
    r"\d|^(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|oh|zero|double|noon|midnight"
    r"|tonight|tomorrow|(?:mon|tues|wednes|thurs|fri|satur|sun)day|am|pm|people|persons|nights|o'clock|[b-hj-z])$"
)


def form(question: str) -> dict[str, float]:
    """Return the signs that stand in the words, by the names of `_WEIGHTS`: 0 to 1, the length -2.5 to 2."""
    plain = _plain(question)
    bare = _bare(plain)
    said, left = _words(plain), _words(bare)
    signs = {name: float(pattern.search(bare) is not None) for name, pattern in _FORMS.items()}
    asked = question.rstrip().endswith("?") or _ASKED.search(bare) is not None
    social = sum(word in _SOCIAL for word in said) / max(1, len(said))
    signs["asked"] = float(asked)
    signs["social"] = social
    signs["numbers"] = sum(_NUMBER.search(word) is not None for word in left) / max(1, len(left))
    signs["length"] = min(math.log2(max(1, len(said))), 4.5) - 2.5
    signs["fragment"] = float(
        len(left) <= _FRAGMENT_WORDS and not asked and social < 0.5 and not any(signs[name] for name in _TOLD)
    )
    return signs


class Gate:
    """Tells the turns that need the documents from the others; in doubt they do.

    Cosines count in standard deviations from the mean of those between the prototypes, so that another embedder's range
    does not matter. That assumes that a text is as much nearer to a question about it than two prototypes are to each
    other as it is with MiniLM, for which the weights were fitted.
    """

    def __init__(self, *, prototypes: np.ndarray) -> None:
        """Take the unit vectors of PROTOTYPES, in their order; raises ValueError when they are not as many."""
        if len(prototypes) != len(PROTOTYPES):
            raise ValueError(f"The gate needs the vectors of its {len(PROTOTYPES)} prototypes, not {len(prototypes)}.")
        self._prototypes = prototypes
        between = (prototypes @ prototypes.T)[~np.eye(len(prototypes), dtype=bool)]
        self._usual, self._spread = float(between.mean()), max(float(between.std()), 1e-6)
        self._ends = np.cumsum([len(side) for side in _SIDES])[:-1]

    def verdict(self, evidence: Evidence) -> Verdict:
        """Return FOUND where the turn is to be looked up, or why it is not."""
        if self.logit(evidence) < _LEAST_LOGIT:
            # What would clearly be a question elsewhere is one here, too: one that this collection is far from.
            elsewhere = replace(evidence, top_similarity=None)
            return Verdict.OFF_TOPIC if self.logit(elsewhere) >= _CLEAR_LOGIT else Verdict.SMALL_TALK
        if evidence.top_similarity is None or evidence.word_coverage > _COVERED:
            return Verdict.FOUND
        return Verdict.FOUND if self._nearness(evidence.top_similarity) >= _OFF_TOPIC else Verdict.OFF_TOPIC

    def logit(self, evidence: Evidence) -> float:
        """Return the log odds that the turn needs the documents."""
        signs = self.signs(evidence)
        return _BIAS + sum(weight * signs[name] for name, weight in _WEIGHTS.items())

    def signs(self, evidence: Evidence) -> dict[str, float]:
        """Return all the signs of a turn, by the names of `_WEIGHTS`; 0 where nothing is known."""
        signs = form(evidence.question) | {"unlike tasks": 0.0, "unlike small talk": 0.0, "near": 0.0}
        if evidence.vector is not None:
            question, task, small_talk = self._likeness(evidence.vector)
            signs |= {"unlike tasks": _within(question - task), "unlike small talk": _within(question - small_talk)}
        if evidence.top_similarity is not None:
            signs["near"] = min(self._nearness(evidence.top_similarity), _MOST_NEARNESS) - _USUAL_NEARNESS
        return signs

    def _nearness(self, cosine: float) -> float:
        return (cosine - self._usual) / self._spread

    def _likeness(self, vector: np.ndarray) -> list[float]:
        """Return how like each side's prototypes the vector is: a soft maximum, in standard deviations."""
        nearness = np.minimum((self._prototypes @ vector - self._usual) / self._spread, _MOST_LIKENESS)
        sides = np.split(np.exp(_SOFTNESS * nearness), self._ends)
        return [math.log(float(side.mean())) / _SOFTNESS for side in sides]


def _within(difference: float) -> float:
    """Return the difference of two likenesses, as far as it counts."""
    return max(-_MOST_DIFFERENCE, min(_MOST_DIFFERENCE, difference))


def _plain(text: str) -> str:
    text = re.sub(r"[.!?;:]+(\s|$)", " . ", text.lower().replace("’", "'"))
    return _once(re.sub(r"[^\w'.@]+", " ", text))


def _bare(plain: str) -> str:
    return _once(_LEAD.sub(r"\1", _once(_FILLERS.sub(" ", plain))))


def _once(text: str) -> str:
    """Return the text with single spaces, without words said twice in a row and full stops around it."""
    text = re.sub(r"\s+", " ", text).strip(" .")
    return re.sub(r"\b(\w+)( \1\b)+", r"\1", text)


def _words(text: str) -> list[str]:
    return [word for word in text.split() if word != "."]
