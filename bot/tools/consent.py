"""Whether a caller has said yes to what a tool is about to do."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.types import Turn

_YES = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|correct|right|exactly|absolutely|definitely|certainly|okay|ok|fine|perfect|confirm\w*"
    r"|please do|go ahead|do it|do that|of course|sounds good|ja|jawohl|genau|gerne|oui|d'accord|sí|si|claro|vale)\b",
    re.IGNORECASE,
)
_UNSURE = re.compile(
    r"\b(?:no|not|nope|never|wait|stop|cancel|but|instead|actually|change|rather|hold on|wrong|unless|nein|nicht|aber"
    r"|non|pas|mais|pero)\b|n't\b|n’t\b|\?",
    re.IGNORECASE,
)


def is_yes(text: str) -> bool:
    """Whether these words are a clear yes: one with a doubt, a change or a question in it is none."""
    return _YES.search(text) is not None and _UNSURE.search(text) is None


class Consent:
    """Remembers what the caller was to be asked about, one thing at a time: it holds for one call of the tool."""

    def __init__(self) -> None:
        self._asked: str | None = None
        self._turns = 0

    def given(self, tool: str, arguments: Mapping[str, Any], turns: Sequence[Turn]) -> bool:
        """Whether the caller was asked about exactly this and then said yes; else they are to be asked now.

        `turns` is what both sides said so far.
        """
        wanted = json.dumps([tool, arguments], sort_keys=True, ensure_ascii=False)
        if wanted == self._asked and is_yes(answer_in(turns[self._turns :])):
            self._asked = None
            return True
        self._asked, self._turns = wanted, len(turns)
        return False


def answer_in(turns: Sequence[Turn]) -> str:
    """What the caller answered, where the assistant spoke first and they had no word besides; else empty."""
    heard = [number for number, turn in enumerate(turns) if turn.role == "user"]
    if not heard or heard[0] == 0 or heard != list(range(heard[0], len(turns))):
        return ""
    return " ".join(turns[number].text for number in heard)
