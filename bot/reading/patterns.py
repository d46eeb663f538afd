"""What the rules of reading are made of."""

import re
from collections.abc import Callable, Iterable, Mapping

Read = Callable[[re.Match[str]], str]
# A pattern and what is said in its place, by a name; the first one that matches somewhere has it.
Rules = Mapping[str, tuple[str, Read]]

NUMBER = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"
DASH = r"\s?[-–—]\s?"
_SPACES = re.compile(r"( ) +(?=\S)|(?<=\S) +(?=[,.;:!?](?:\s|$))")


def any_of(words: Iterable[str]) -> str:
    """A pattern of these words, the longest that fits."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def full_stop(match: re.Match[str]) -> str:
    """The point that ended the text as well as the abbreviation."""
    return "." if match[0].endswith(".") and match.end() == len(match.string.rstrip()) else ""


def reader(rules: Rules) -> Callable[[str], str]:
    """Reads a text in one pass, so that nothing that was read is read again; patterns have no back-references."""
    patterns = {name: re.compile(pattern) for name, (pattern, _) in rules.items()}
    every = re.compile("|".join(f"(?P<{name}>{pattern})" for name, (pattern, _) in rules.items()))

    def said(match: re.Match[str]) -> str:
        name = match.lastgroup or ""
        # Again by itself, for the numbers of its groups.
        alone = patterns[name].match(match.string, match.start())
        return match[0] if alone is None else rules[name][1](alone)

    def read(text: str) -> str:
        result = every.sub(said, text)
        return text if result == text else _SPACES.sub(lambda run: run[1] or "", result)

    return read
