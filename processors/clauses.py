"""What a voice is given of an answer: its first clause as soon as that stands, then sentences."""

import re
from collections.abc import AsyncIterator

from pipecat.utils.text.base_text_aggregator import Aggregation, TextType
from pipecat.utils.text.simple_text_aggregator import SimpleTextAggregator

# Three words and a comma between letters, so that no number, date or abbreviation is cut; a clause may follow it.
_CLAUSE = re.compile(r"\s*\S+(?:\s+\S+){2,}(?<=[^\W\d_])[,;:](?=\s+[^\W\d_]\Z)")
_WHOLE = re.compile(r"\s*\S+(?:\s+\S+){2,}(?<=[^\W\d_])[,;:]\s*\Z")


def is_clause(text: str) -> bool:
    """Whether a text is a clause that can be spoken by itself, where a letter follows it."""
    return bool(_WHOLE.match(text))


class ClauseAggregator(SimpleTextAggregator):
    """Pipecat's, which does not wait for the end of an answer's first sentence where its first clause can be spoken.

    For voices that are told a text in pieces and speak it as one.
    """

    def __init__(self, *, language: str | None = None) -> None:
        super().__init__(aggregation_type=TextType.SENTENCE, language=language)
        self._begun = False

    async def aggregate(self, text: str) -> AsyncIterator[Aggregation]:
        """Yields the first clause or sentence, then sentences."""
        for character in text:
            async for whole in super().aggregate(character):
                self._begun = True
                yield whole
            if not self._begun and (clause := _CLAUSE.match(self._text)) is not None:
                self._begun = True
                self._text = self._text[clause.end() :]
                yield Aggregation(text=clause[0].strip(" "), type=TextType.SENTENCE)
        # Who gives out a clause by itself knows what follows it.
        if not self._begun and is_clause(self._text):
            self._begun = True
            clause, self._text = self._text, ""
            yield Aggregation(text=clause.strip(" "), type=TextType.SENTENCE)

    async def flush(self) -> Aggregation | None:
        """The rest of the answer; what comes next begins another."""
        self._begun = False
        return await super().flush()

    async def handle_interruption(self) -> None:
        """Forgets the answer."""
        self._begun = False
        await super().handle_interruption()
