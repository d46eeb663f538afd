import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from aiohttp import web

from knowledge.client import KnowledgeClient
from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.types import Passage, Turn

PASSAGE = Passage(UUID(int=1), "/a.md", "A", ("B",), "text", 0, 4, 1.0, 0.5)

Answer = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def client_of(answer: Answer, *, timeout_secs: float = 5) -> AsyncIterator[KnowledgeClient]:
    """A client whose process answers as told; the folder is short, as a socket's path may have 107 characters."""
    app = web.Application()
    app.add_routes([web.post("/search", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        await web.UnixSite(runner, f"{folder}/socket").start()
        client = KnowledgeClient(Path(folder, "socket"), timeout_secs=timeout_secs)
        try:
            yield client
        finally:
            await client.aclose()
            await runner.cleanup()


async def test_passages_come_back_as_they_were() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"passages": [PASSAGE.to_dict()], "secs": 0.001})

    async with client_of(answer) as client:
        assert await client.search("a question") == [PASSAGE]


async def test_the_question_is_sent_with_the_latest_turns() -> None:
    asked: list[dict[str, Any]] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(await request.json())
        return web.json_response({"passages": [], "secs": 0.001})

    async with client_of(answer) as client:
        await client.search("q", history=[Turn("user", str(number)) for number in range(9)], limit=2)
    assert asked == [
        {"question": "q", "history": [{"role": "user", "text": str(number)} for number in range(3, 9)], "limit": 2}
    ]


async def test_a_late_answer_is_not_waited_for() -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError("the event is never set")

    async with client_of(answer, timeout_secs=0.05) as client:
        with pytest.raises(KnowledgeUnavailableError, match="in time"):
            await client.search("q")


async def test_a_refusal_is_told_in_its_own_words() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"error": "The documents are still being loaded."}, status=503)

    async with client_of(answer) as client:
        with pytest.raises(KnowledgeUnavailableError, match="still being loaded"):
            await client.search("q")


async def test_an_answer_that_makes_no_sense_counts_as_none() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"passages": [{"title": "A"}]})

    async with client_of(answer) as client:
        with pytest.raises(KnowledgeUnavailableError):
            await client.search("q")


async def test_a_process_that_is_gone_is_said_plainly(tmp_path: Path) -> None:
    client = KnowledgeClient(tmp_path / "socket")
    with pytest.raises(KnowledgeUnavailableError, match="is not there"):
        await client.search("q")
    await client.aclose()


async def test_an_empty_question_is_not_sent(tmp_path: Path) -> None:
    client = KnowledgeClient(tmp_path / "socket")
    with pytest.raises(EmptyQuestionError):
        await client.search(" ")
    await client.aclose()
