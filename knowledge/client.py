"""Asks the retrieval process."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.ranking import recent
from knowledge.types import Passage, Turn

_NOT_THERE = "The retrieval process is not there; see that it is started."


class KnowledgeClient:
    """Searches over the retrieval process' unix socket; make it inside a running event loop."""

    def __init__(self, socket_path: Path, *, timeout_secs: float = 0.15) -> None:
        self._session = aiohttp.ClientSession(
            base_url="http://knowledge",
            connector=aiohttp.UnixConnector(str(socket_path)),
            timeout=aiohttp.ClientTimeout(total=timeout_secs),
        )

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> list[Passage]:
        """Return at most `limit` passages, best first; `history` is what was said before, oldest first.

        Raises EmptyQuestionError, and KnowledgeUnavailableError when the answer is late or there is none.
        """
        if not question.strip():
            raise EmptyQuestionError
        request = {"question": question, "history": [asdict(turn) for turn in recent(history)], "limit": limit}
        passages = await self._ask("/search", request, "passages")
        try:
            return [Passage.from_dict(passage) for passage in passages]
        except (KeyError, ValueError) as error:
            raise KnowledgeUnavailableError(_NOT_THERE) from error

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Return the cosine of the question and each sentence.

        Raises KnowledgeUnavailableError when the answer is late or there is none.
        """
        return await self._ask("/similarity", {"question": question, "sentences": list(sentences)}, "similarities")

    async def _ask(self, path: str, request: dict[str, Any], wanted: str) -> list[Any]:
        try:
            async with self._session.post(path, json=request) as response:
                answer = await response.json()
                if response.status != 200:
                    raise KnowledgeUnavailableError(answer["error"])
                return answer[wanted]
        except TimeoutError as error:
            raise KnowledgeUnavailableError(
                "The retrieval process did not answer in time; answer without passages."
            ) from error
        except (aiohttp.ClientError, OSError, KeyError, ValueError) as error:
            raise KnowledgeUnavailableError(_NOT_THERE) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
