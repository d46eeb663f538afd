"""Asks the retrieval process."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp

from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.ranking import shortened
from knowledge.types import Passage, SearchResult, Turn, Verdict

_NOT_THERE = "The retrieval process is not there; see that it is started."
# Of a caller who talked on, the last words are what the turn is about.
MAX_QUESTION_WORDS = 100
MAX_QUESTION_CHARACTERS = 2_000
MAX_GAP_PASSAGES = 5


class KnowledgeClient:
    """Searches over the retrieval process' unix socket; make it inside a running event loop."""

    def __init__(
        self,
        socket_path: Path,
        *,
        timeout_secs: float,
        collection: str = "default",
        access: Sequence[str] = (),
    ) -> None:
        """`collection` is searched, and `access` are the labels that the caller holds, where a call names no others."""
        self._collection = collection
        self._access = tuple(access)
        self._session = _session(socket_path, timeout_secs, keeps=True)
        self._fresh_session = _session(socket_path, timeout_secs, keeps=False)

    async def search(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        limit: int = 4,
        collection: str | None = None,
        access: Sequence[str] | None = None,
        gated: bool = True,
        explain: bool = False,
    ) -> SearchResult:
        """Return at most `limit` passages, best first; `history` is what was said before, oldest first.

        Raises EmptyQuestionError, NoSuchCollectionError, and KnowledgeUnavailableError when the answer is late or there
        is none.
        """
        if not question.strip():
            raise EmptyQuestionError
        request = {
            "question": _cut(question),
            "history": [asdict(turn) for turn in shortened(history)],
            "limit": limit,
            "collection": self._collection if collection is None else collection,
            "access": list(self._access if access is None else access),
            "gated": gated,
            "explain": explain,
        }
        answer = await self._ask("/search", request)
        try:
            passages = tuple(Passage.from_dict(passage) for passage in answer["passages"])
            return SearchResult(Verdict(answer["verdict"]), passages)
        except (KeyError, TypeError, ValueError) as error:
            raise KnowledgeUnavailableError(_NOT_THERE) from error

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        """Return the cosine of the question and each sentence.

        Raises KnowledgeUnavailableError when the answer is late or there is none.
        """
        answer = await self._ask("/similarity", {"question": question, "sentences": list(sentences)})
        return answer["similarities"]

    async def record_gap(self, question: str, passages: Sequence[Passage], *, call_id: str | None = None) -> None:
        """Keep a question that was not answered, the passages that did not, and the call that asked.

        Raises KnowledgeUnavailableError.
        """
        kept = [
            {
                "document_id": str(each.document_id),
                "title": each.title,
                "source": each.source,
                "start": each.start,
                "end": each.end,
                "score": each.score,
            }
            for each in passages[:MAX_GAP_PASSAGES]
        ]
        request = {"question": _cut(question), "passages": kept, "collection": self._collection, "call_id": call_id}
        await self._ask("/gaps", request)

    async def _ask(self, path: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            async with await self._post(path, request) as response:
                answer = await response.json()
                if response.status == 404 and "collection" in answer:
                    raise NoSuchCollectionError(answer["collection"], answer["there"])
                if response.status != 200:
                    raise KnowledgeUnavailableError(answer["error"])
                return answer
        except TimeoutError as error:
            raise KnowledgeUnavailableError(
                "The retrieval process did not answer in time; answer without passages."
            ) from error
        except (aiohttp.ClientError, OSError, KeyError, TypeError, ValueError) as error:
            raise KnowledgeUnavailableError(_NOT_THERE) from error

    async def _post(self, path: str, request: dict[str, Any]) -> aiohttp.ClientResponse:
        """The response; where the process ends as it is asked, its successor is asked once.

        That takes a new connection: others that were kept may lead to the same process.
        """
        try:
            return await self._session.post(path, json=request)
        except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
            return await self._fresh_session.post(path, json=request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()
        await self._fresh_session.close()


def _session(socket_path: Path, timeout_secs: float, *, keeps: bool) -> aiohttp.ClientSession:
    """A session that keeps its connections for later requests, or opens one for each."""
    return aiohttp.ClientSession(
        base_url="http://knowledge",
        connector=aiohttp.UnixConnector(str(socket_path), force_close=not keeps),
        timeout=aiohttp.ClientTimeout(total=timeout_secs),
    )


def _cut(question: str) -> str:
    return " ".join(question.split()[-MAX_QUESTION_WORDS:])[-MAX_QUESTION_CHARACTERS:]
