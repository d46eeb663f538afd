"""What a voice is given for a text, in each language, with the operator's pronunciations."""

from collections.abc import Callable, Mapping

from bot.reading import english, european
from bot.reading.lexicon import Lexicon, sayer

_READERS: Mapping[str, Callable[[str], str]] = {
    "en": english.read,
    "de": european.german,
    "fr": european.french,
    "es": european.spanish,
}


def _as_written(text: str) -> str:
    return text


class Aloud:
    """Numbers, prices, dates, times, units, abbreviations and signs become words, an operator's words what they say.

    Every other letter stays. Never raises. Under a millisecond for a sentence.
    """

    def __init__(self, pronunciations: Lexicon = ()) -> None:
        self._pronunciations = pronunciations
        self._sayers: dict[str, Callable[[str], str]] = {}

    def said(self, text: str, language: str = "en") -> str:
        """The text as it goes to a voice of this language ("en", "en-US"); others than four are read as written."""
        code = language.lower().partition("-")[0]
        if code not in self._sayers:
            self._sayers[code] = sayer(self._pronunciations, _READERS.get(code, _as_written))
        return self._sayers[code](text)

    def in_any(self, text: str) -> set[str]:
        """The text as each language reads it."""
        return {self.said(text, code) for code in _READERS}
