"""Asks the retrieval process."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import aiohttp

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.ranking import recent
from knowledge.types import Passage, Turn


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
        request = {
            "question": question,
            "history": [asdict(turn) for turn in recent(history)],
            "limit": limit,
        }
        try:
            async with self._session.post("/search", json=request) as response:
                answer = await response.json()
                if response.status != 200:
                    raise KnowledgeUnavailableError(answer["error"])
                return [Passage.from_dict(passage) for passage in answer["passages"]]
        except TimeoutError as error:
            raise KnowledgeUnavailableError(
                "The retrieval process did not answer in time; answer without passages."
            ) from error
        except (aiohttp.ClientError, OSError, KeyError, ValueError) as error:
            raise KnowledgeUnavailableError("The retrieval process is not there; see that it is started.") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
