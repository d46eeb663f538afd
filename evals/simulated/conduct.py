"""What a simulated caller may not do: a run in which it did says nothing of the bot. Pure functions of its lines."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from evals.scenarios.claims import is_said, words_spoken
from evals.scenarios.keys import Caller

# Two lines that are so much alike are one.
ALIKE = 0.9
# Of fewer words, an answer is rightly the same twice: "Yes, please."
LEAST_REPEATED_WORDS = 4
# Of fewer words, nothing tells a language.
LEAST_LANGUAGE_WORDS = 6
_MARKUP = re.compile(
    r"\*\*|__|^\s*[-*#>]\s|^\s*\d+[.)]\s|```|\[[^\]]*\]|https?://|\|.*\||<[a-z/][^>]*>|^\s*\(|\*[^*]+\*", re.M
)
_AS_BOT = re.compile(
    r"\bhow (?:can|may) I (?:help|assist)\b|\bwhat can I do for you\b|\bthis is Jarvis\b|\bthat's from (?:the|our|my)\b"
    r"|\b(?:I(?:'m| am)|as) (?:Jarvis|an? (?:AI|(?:voice |virtual )?assistant|language model|chat\s?bot))\b"
    r"|\bI(?:'m| am) (?:simulating|role-?playing)\b|^\s*(?:assistant|bot|agent|user|caller|system)\s*:",
    re.IGNORECASE,
)
# What English has in any sentence of some length.
_ENGLISH = frozenset(
    "a an the i you he she it we they me my your our is are am was were be been do does did have has had can could "
    "would will should may and or but if so to of in on at for from with about what when where which who how why that "
    "this there not no yes ok okay please thanks thank just need want like".split()
)  # fmt: skip
_OTHER_SCRIPT = re.compile(r"[^\W\d_]")
_AGAIN = re.compile(
    r"\b(?:repeat|again|say that|didn't (?:catch|hear|understand|get)|did not (?:catch|hear|understand|get)|pardon|"
    r"still there|are you there|rephrase)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Line:
    """What one side said."""

    by_caller: bool
    text: str


def misconduct(
    lines: Sequence[Line], keys: Caller, *, ended_by: str, max_turns: int, is_silent: bool = False
) -> list[str]:
    """Why the run is discarded, each reason a sentence; none where the caller behaved.

    `ended_by` is Pipecat's word for how the conversation ended; `is_silent` says that it was the caller's turn then.
    """
    own = [each.text for each in lines if each.by_caller]
    return [
        *_whole(own, keys, ended_by=ended_by, max_turns=max_turns, is_silent=is_silent),
        *(reason for number in range(len(lines)) for reason in _line(lines, number)),
        *_told_too_early(lines, keys),
    ]


def _whole(own: Sequence[str], keys: Caller, *, ended_by: str, max_turns: int, is_silent: bool) -> Iterator[str]:
    if not own or (ended_by == "silence" and is_silent):
        yield "the caller said nothing when it was its turn"
    if ended_by == "max_turns" or len(own) > max_turns:
        yield f"the caller did not hang up within {max_turns} turns"
    said = "\n".join(own)
    if own and not any(re.search(each, said, re.IGNORECASE) for each in keys.asks):
        yield "the caller never asked for what it called for"
    for pattern in keys.never_asks:
        if re.search(pattern, said, re.IGNORECASE):
            yield f"the caller asked for something else: {pattern!r}"


def _line(lines: Sequence[Line], number: int) -> Iterator[str]:
    line = lines[number]
    if not line.by_caller:
        return
    where = f"line {sum(each.by_caller for each in lines[: number + 1])} of the caller"
    if not words_spoken(line.text):
        yield f"{where} has no word"
    elif _MARKUP.search(line.text):
        yield f"{where} has markup or a stage direction"
    if _AS_BOT.search(line.text):
        yield f"{where} speaks as the bot, or of the play"
    if not is_english(line.text):
        yield f"{where} is not English"
    before = lines[:number]
    asked_again = bool(before) and not before[-1].by_caller and bool(_AGAIN.search(before[-1].text))
    if not asked_again and any(_alike(line.text, each.text) for each in before if each.by_caller):
        yield f"{where} repeats an earlier one"
    if any(_alike(line.text, each.text) for each in before if not each.by_caller):
        yield f"{where} says what the bot said"


def _told_too_early(lines: Sequence[Line], keys: Caller) -> Iterator[str]:
    for number, fact in enumerate(keys.hidden_facts, start=1):
        asked = False
        for line in lines:
            if not line.by_caller:
                asked = asked or bool(re.search(fact.asked_by, line.text, re.IGNORECASE))
            elif not asked and any(is_said(words, line.text) for words in fact.told_by):
                yield f"the caller told hidden fact {number} before it was asked for it"
                break


def is_english(text: str) -> bool:
    """Whether it may be: in Latin letters, and, where it is long enough to tell, with a word that English needs."""
    letters = _OTHER_SCRIPT.findall(text)
    if any(ord(letter) > 0x24F for letter in letters):
        return False
    words = re.findall(r"[a-zà-ÿ']+", text.lower().replace("’", "'"))
    return len(words) < LEAST_LANGUAGE_WORDS or any(word.partition("'")[0] in _ENGLISH for word in words)


def _alike(one: str, other: str) -> bool:
    first, second = words_spoken(one), words_spoken(other)
    if min(len(first), len(second)) < LEAST_REPEATED_WORDS:
        return False
    return SequenceMatcher(None, first, second, autojunk=False).ratio() >= ALIKE
