"""A similarity for services that are only built."""

from collections.abc import Sequence


class NoSimilarity:
    """Fails where anything is compared."""

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise AssertionError("nothing is compared as a service is built")
