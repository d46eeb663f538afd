"""The last thing that an answer names, letter by letter."""

import re
from collections.abc import Mapping

_ADDRESS = r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"
_CODE = r"\b(?=\w*\d)(?=\w*[A-Za-z])[\w-]{2,}\b"
_NAME = r"(?:\b[A-Z][\w'’]*\b(?:[ -](?=[A-Z]))?)+"
_NUMBER = r"\b\d[\d.,:]*\b"
_THING = re.compile(f"(?P<address>{_ADDRESS})|(?P<code>{_CODE})|(?P<name>{_NAME})|(?P<number>{_NUMBER})")
_BEGINS = re.compile(r"(?:^|[.!?:]\s+|[\"“(])$")
_ATTRIBUTION = re.compile(r"That's from [^.]*\.?")
_KNOWN = frozenset({
    "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "January", "February", "March",
    "April", "May", "June", "July", "August", "September", "October", "November", "December", "I",
})  # fmt: skip


def last_named(text: str) -> str | None:
    """The last name, code or address that a text has, else its last number; None where it has neither.

    A capital letter alone makes no name at the beginning of a sentence. Days and months are none: everybody can write
    them.
    """
    found = [match for match in _THING.finditer(_ATTRIBUTION.sub("", text)) if _counts(match)]
    named = [match[0] for match in found if match.lastgroup != "number"] or [match[0] for match in found]
    return named[-1].rstrip(".,:") if named else None


def spelled(thing: str, signs: Mapping[str, str]) -> str:
    """ "Mill Lane" → "M, I, L, L. L, A, N, E."; `signs` are those that are said, with what they are called."""
    return " ".join(
        ", ".join(signs.get(sign, sign.upper()) for sign in word if sign.isalnum() or sign in signs) + "."
        for word in thing.split()
    )


def _counts(match: re.Match[str]) -> bool:
    if match.lastgroup != "name":
        return True
    alone = " " not in match[0].strip() and "-" not in match[0]
    begins = _BEGINS.search(match.string[: match.start()]) is not None
    return match[0] not in _KNOWN and not (alone and begins)
