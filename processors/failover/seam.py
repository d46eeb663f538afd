"""How an answer goes on that one provider began and another ends."""

import re
from typing import cast

from pipecat.processors.aggregators.llm_context import LLMContext, LLMContextMessage

GO_ON = (
    "Your answer was cut off behind your last words above, which the caller has heard. Go on from exactly there. "
    "Repeat nothing of it, do not apologise, and do not mention the interruption."
)
_MARKER_CUT_OFF = re.compile(r"\[[\d, ]*$")
_WORD_START = re.compile(r"(?<!\S)\S")


def going_on(context: LLMContext, said: str) -> LLMContext:
    """A copy of the context that asks for the rest of an answer of which so much was said."""
    rest = [{"role": "assistant", "content": said}, {"role": "developer", "content": GO_ON}]
    messages = [*context.get_messages(), *cast(list[LLMContextMessage], rest)]
    return LLMContext(messages=messages, tools=context.tools, tool_choice=context.tool_choice)


class Seam:
    """Joins what comes to what was said: the beginning that says it again is left out.

    `said` may come again from its beginning or from any of its words on. Text is held back only while it could be that.
    """

    def __init__(self, said: str) -> None:
        self._said = said
        plain, _ = _plain(said.strip())
        self._repeats = [plain[match.start() :] for match in _WORD_START.finditer(plain)]
        self._held = ""
        self._open = bool(said.strip())

    def feed(self, text: str) -> str:
        """What of it can be said now."""
        if not self._open:
            return text
        self._held += text
        plain, _ = _plain(self._held.lstrip())
        if any(repeat.startswith(plain) for repeat in self._repeats):
            return ""
        return self.end()

    def end(self) -> str:
        """What is still held back, at the end of the answer."""
        held, self._held = self._held, ""
        if not self._open:
            return held
        self._open = False
        held = held.lstrip()
        plain, places = _plain(held)
        for number, repeat in enumerate(self._repeats):
            # One word alone may well be meant, unless it is a piece of one that was cut off.
            cut_off = plain[len(repeat) : len(repeat) + 1].isalnum() and repeat[-1].isalnum()
            if plain.startswith(repeat) and (number == 0 or " " in repeat or cut_off):
                if cut_off and number and " " not in repeat and len(repeat) < 3:
                    continue
                rest = held[places[len(repeat)] :]
                return rest.lstrip() if self._said[-1:].isspace() else rest
        if not held or self._said[-1:].isspace() or not held[0].isalnum():
            return held
        return f" {held}"


def sentence_end(said: str) -> str:
    """What to say before a new sentence."""
    text = said.rstrip()
    if not text:
        return ""
    # A marker that was cut off becomes one that names no passage, and is dropped.
    marker = "0]" if _MARKER_CUT_OFF.search(text) else ""
    return marker + (" " if not marker and text[-1] in ".!?:\"')]" else ". ")


def _plain(text: str) -> tuple[str, list[int]]:
    """The text without case and with one space for each run of them, and where each character stood; one more place."""
    characters: list[str] = []
    places: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            if characters and characters[-1] == " ":
                continue
            character = " "
        characters.append(character.lower()[:1] or character)
        places.append(place)
    return "".join(characters), [*places, len(text)]
