"""What later questions may lean on: what was said of the matter, not of the talk."""

from collections.abc import Sequence

from bot.talk.requests import request_of
from bot.wording.table import Language
from knowledge.types import SearchResult, Turn
from processors.retrieval import Search


class OnTheMatter:
    """A `Search` to which requests about the talk, and what was said to them, are no history."""

    def __init__(self, search: Search, language: Language = "en") -> None:
        self._search = search
        self._language: Language = language

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        """As the search does."""
        return await self._search.search(question, history=on_the_matter(history, self._language), limit=limit)


def on_the_matter(history: Sequence[Turn], language: Language = "en") -> list[Turn]:
    """The turns without requests about the talk, and without the replies to them."""
    kept: list[Turn] = []
    aside = False
    for turn in history:
        if turn.role == "user":
            aside = request_of(turn.text, language) is not None
        if not aside:
            kept.append(turn)
    return kept
