import asyncio
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from knowledge.client import MAX_GAP_PASSAGES, KnowledgeClient
from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError, NoSuchCollectionError
from knowledge.types import LegScore, Passage, SearchResult, Turn, Verdict

PASSAGE = Passage(UUID(int=1), "/a.md", "A", ("B",), "text", 0, 4, 1.0, 0.5)
EXPLAINED = replace(PASSAGE, page=2, effective_date=date(2026, 3, 1), legs={"words": LegScore(7.5, 1.0)})
NOTHING = {"verdict": "off_topic", "passages": [], "secs": 0.001}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def client_of(answer: Answer, **settings: Any) -> AsyncIterator[KnowledgeClient]:
    """A client whose process answers as told; the folder is short, as a socket's path may have 107 characters."""
    app = web.Application()
    app.add_routes([web.post("/{path}", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        await web.UnixSite(runner, f"{folder}/socket").start()
        client = KnowledgeClient(Path(folder, "socket"), **{"timeout_secs": 5.0, **settings})
        try:
            yield client
        finally:
            await client.aclose()
            await runner.cleanup()


def saying(answer: Any, *, status: int = 200) -> Answer:
    async def say(_: web.Request) -> web.Response:
        return web.json_response(answer, status=status)

    return say


class Asked:
    """Answers each request alike, and keeps what was asked."""

    def __init__(self, answer: Any = NOTHING) -> None:
        self.answer = answer
        self.bodies: list[tuple[str, dict[str, Any]]] = []

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append((request.path, await request.json()))
        return web.json_response(self.answer)


async def never(_: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError("the event is never set")


@pytest.mark.parametrize("passage", [PASSAGE, EXPLAINED, replace(PASSAGE, similarity=None)])
async def test_passages_come_back_as_they_were(passage: Passage) -> None:
    async with client_of(saying({"verdict": "found", "passages": [passage.to_dict()], "secs": 0.001})) as client:
        assert await client.search("a question") == SearchResult(Verdict.FOUND, (passage,))


@pytest.mark.parametrize("verdict", [Verdict.SMALL_TALK, Verdict.OFF_TOPIC])
async def test_why_nothing_was_found_is_told(verdict: Verdict) -> None:
    async with client_of(saying({"verdict": verdict, "passages": []})) as client:
        assert await client.search("hello") == SearchResult(verdict)


async def test_a_question_is_sent_with_all_that_was_asked_for() -> None:
    asked = Asked()
    async with client_of(asked.take, collection="manuals", access=["staff"]) as client:
        await client.search(" a  q ", history=[Turn("user", "hi")], limit=2, gated=False, explain=True)
        await client.search("q", collection="prices", access=[])
    first = {
        "question": "a q",
        "history": [{"role": "user", "text": "hi"}],
        "limit": 2,
        "collection": "manuals",
        "access": ["staff"],
        "gated": False,
        "explain": True,
    }
    second = {"question": "q", "history": [], "limit": 4, "gated": True, "explain": False}
    assert asked.bodies == [
        ("/search", first),
        ("/search", second | {"collection": "prices", "access": []}),
    ]


async def test_of_a_long_call_the_latest_turns_are_sent() -> None:
    asked = Asked()
    async with client_of(asked.take) as client:
        await client.search("q", history=[Turn("user", str(number)) for number in range(30)])
    assert [turn["text"] for turn in asked.bodies[0][1]["history"]] == [str(number) for number in range(10, 30)]


@pytest.mark.parametrize(
    ("question", "sent"),
    [
        ("um " * 400 + "when do you open", "um " * 96 + "when do you open"),
        ("x" * 9_000, "x" * 2_000),
    ],
    ids=["words", "characters"],
)
async def test_of_a_caller_who_talked_on_the_last_words_are_sent(question: str, sent: str) -> None:
    asked = Asked()
    async with client_of(asked.take) as client:
        await client.search(question)
        await client.record_gap(question, [])
    assert [body["question"] for _, body in asked.bodies] == [sent, sent]


async def test_a_late_answer_is_not_waited_for() -> None:
    async with client_of(never, timeout_secs=0.05) as client:
        with pytest.raises(KnowledgeUnavailableError, match="in time"):
            await client.search("q")


async def test_a_late_comparison_is_not_waited_for() -> None:
    async with client_of(never, timeout_secs=0.05) as client:
        with pytest.raises(KnowledgeUnavailableError, match="in time"):
            await client.similarity("q", ["a"])


async def test_a_refusal_is_told_in_its_own_words() -> None:
    async with client_of(saying({"error": "The documents are still being loaded."}, status=503)) as client:
        with pytest.raises(KnowledgeUnavailableError, match="still being loaded"):
            await client.search("q")


async def test_a_collection_that_is_not_there_is_named() -> None:
    answer = {"error": "There is none.", "collection": "manuals", "there": ["default"]}
    async with client_of(saying(answer, status=404)) as client:
        with pytest.raises(NoSuchCollectionError) as error:
            await client.search("q")
    assert (error.value.collection, error.value.there) == ("manuals", ("default",))


@pytest.mark.parametrize(
    "answer",
    [
        {"verdict": "found", "passages": [{"title": "A"}]},
        {"verdict": "found", "passages": [PASSAGE.to_dict() | {"heading_path": None}]},
        {"verdict": "perhaps", "passages": []},
        {"passages": []},
        {"verdict": "found"},
        [],
        None,
    ],
)
@pytest.mark.parametrize("status", [200, 500])
async def test_an_answer_that_makes_no_sense_counts_as_none(answer: Any, status: int) -> None:
    async with client_of(saying(answer, status=status)) as client:
        with pytest.raises(KnowledgeUnavailableError):
            await client.search("q")


async def test_an_answer_that_is_no_json_counts_as_none() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text="Bad gateway", status=502)

    async with client_of(answer) as client:
        with pytest.raises(KnowledgeUnavailableError, match="is not there"):
            await client.search("q")


async def test_a_process_that_dies_while_it_is_asked_is_said_plainly() -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    async with client_of(answer) as client:
        with pytest.raises(KnowledgeUnavailableError, match="is not there"):
            await client.search("q")


async def test_a_process_that_is_gone_is_said_plainly(tmp_path: Path) -> None:
    client = KnowledgeClient(tmp_path / "socket", timeout_secs=1)
    with pytest.raises(KnowledgeUnavailableError, match="is not there"):
        await client.search("q")
    await client.aclose()


async def test_an_empty_question_is_not_sent(tmp_path: Path) -> None:
    client = KnowledgeClient(tmp_path / "socket", timeout_secs=1)
    with pytest.raises(EmptyQuestionError):
        await client.search(" ")
    await client.aclose()


async def test_sentences_are_compared() -> None:
    asked = Asked({"similarities": [0.5, 0.25]})
    async with client_of(asked.take) as client:
        assert await client.similarity("q", ["a", "b"]) == [0.5, 0.25]
    assert asked.bodies == [("/similarity", {"question": "q", "sentences": ["a", "b"]})]


async def test_an_unanswered_question_is_sent_with_its_best_passages() -> None:
    asked = Asked({"id": str(UUID(int=7))})
    async with client_of(asked.take, collection="manuals") as client:
        await client.record_gap("q", [PASSAGE] * 9, call_id="6f1c")
    kept = {"document_id": str(UUID(int=1)), "title": "A", "source": "/a.md", "start": 0, "end": 4, "score": 1.0}
    sent = {"question": "q", "passages": [kept] * MAX_GAP_PASSAGES, "collection": "manuals", "call_id": "6f1c"}
    assert asked.bodies == [("/gaps", sent)]


def test_a_bot_that_asks_loads_no_database_driver():
    check = "import sys, knowledge.client; sys.exit('psycopg' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


class Ending:
    """Answers so many requests at once, and ends where a later one comes on a connection that was kept."""

    def __init__(self, at_once: int) -> None:
        self._first = asyncio.Barrier(at_once)
        self.connections: list[object] = []

    async def take(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        is_kept = request.transport in self.connections
        self.connections.append(request.transport)
        if is_kept:
            request.transport.close()
        elif len(self.connections) <= self._first.parties:
            await self._first.wait()
        return web.json_response(NOTHING)


@pytest.mark.parametrize("kept", [1, 3])
async def test_a_process_that_ends_as_it_is_asked_is_asked_again_on_a_fresh_connection(kept: int) -> None:
    ending = Ending(kept)
    async with client_of(ending.take) as client:
        await asyncio.gather(*(client.search("q") for _ in range(kept)))
        assert await client.search("q") == SearchResult(Verdict.OFF_TOPIC)
    *first, again, fresh = ending.connections
    assert (len(set(first)), again in first, fresh in first) == (kept, True, False)
