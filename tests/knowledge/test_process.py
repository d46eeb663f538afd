import asyncio
import json
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from knowledge.client import KnowledgeClient
from knowledge.embedders.minilm import MiniLmEmbedder
from knowledge.ingest import ingest
from knowledge.store import Store

pytestmark = pytest.mark.integration

READY_SECS = 20.0


async def spawn(first_line: str) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "knowledge.process", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdin
    process.stdin.write(first_line.encode() + b"\n")
    return process


async def spoken(process: asyncio.subprocess.Process) -> str:
    assert process.stdout
    async with asyncio.timeout(READY_SECS):
        return (await process.stdout.readline()).decode().strip()


@asynccontextmanager
async def retrieval(socket: Path, database_url: str, models_dir: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    startup = {"socket": str(socket), "database_url": database_url, "models_dir": str(models_dir)}
    process = await spawn(json.dumps(startup))
    try:
        assert await spoken(process) == "ready"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def ask(socket: Path, method: str, path: str, body: object = None) -> tuple[int, dict[str, Any]]:
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(socket))) as session,
        session.request(method, f"http://knowledge{path}", json=body) as response,
    ):
        return response.status, await response.json()


@pytest.fixture
def socket() -> Any:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, "socket")


@pytest.fixture
async def indexed(tmp_path: Path, store: Store, models_dir: Path) -> Path:
    (tmp_path / "pool.md").write_text("# Pool\n\nThe pool opens at seven.")
    await ingest([tmp_path], store=store, embedder=MiniLmEmbedder(models_dir=models_dir))
    return tmp_path


async def wait_for(socket: Path, question: str, title: str) -> None:
    client = KnowledgeClient(socket, timeout_secs=5)
    try:
        async with asyncio.timeout(READY_SECS):
            while True:
                if title in [passage.title for passage in await client.search(question)]:
                    return
                await asyncio.sleep(0.05)
    finally:
        await client.aclose()


async def test_it_answers_on_a_socket_of_its_owner_only(
    indexed: Path, socket: Path, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir):
        assert stat.S_IMODE(socket.stat().st_mode) == 0o600
        assert await ask(socket, "GET", "/healthz") == (200, {"documents": 1, "chunks": 1, "ready": True})
        status, answer = await ask(socket, "POST", "/search", {"question": "when can I swim"})
        assert (status, answer["passages"][0]["text"]) == (200, "The pool opens at seven.")
        assert 0 < answer["secs"] < 5


async def test_what_cannot_be_answered_is_said_in_a_sentence(
    indexed: Path, socket: Path, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir):
        for path, body, status in [
            ("/search", {"question": " "}, 400),
            ("/search", {"question": "x", "limit": 0}, 400),
            ("/search", {"question": "x", "history": [{"role": "judge", "text": "x"}]}, 400),
            ("/search", [], 400),
            ("/else", {}, 404),
        ]:
            answered, answer = await ask(socket, "POST", path, body)
            assert (answered, list(answer)) == (status, ["error"])


async def test_new_documents_are_found_without_being_told(
    indexed: Path, socket: Path, store: Store, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir):
        (indexed / "sauna.md").write_text("# Sauna\n\nIt is hot.")
        await ingest([indexed], store=store, embedder=MiniLmEmbedder(models_dir=models_dir))
        await wait_for(socket, "is there a sauna", "Sauna")


async def test_it_listens_again_after_the_database_dropped_it(
    indexed: Path, socket: Path, store: Store, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir):
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where pid <> pg_backend_pid() and query = 'listen knowledge_changed;'"
            )
        (indexed / "sauna.md").write_text("# Sauna\n\nIt is hot.")
        await ingest([indexed], store=store, embedder=MiniLmEmbedder(models_dir=models_dir))
        await wait_for(socket, "is there a sauna", "Sauna")


async def test_a_socket_that_a_dead_process_left_is_replaced(
    indexed: Path, socket: Path, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir) as process:
        process.kill()
        await process.wait()
    assert socket.is_socket()
    async with retrieval(socket, database_url, models_dir):
        assert (await ask(socket, "GET", "/healthz"))[0] == 200


async def test_sigterm_ends_it_cleanly(indexed: Path, socket: Path, database_url: str, models_dir: Path) -> None:
    async with retrieval(socket, database_url, models_dir) as process:
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(READY_SECS):
            assert await process.wait() == 0
    assert not socket.exists()


async def test_the_end_of_stdin_ends_it_cleanly(
    indexed: Path, socket: Path, database_url: str, models_dir: Path
) -> None:
    async with retrieval(socket, database_url, models_dir) as process:
        assert process.stdin
        process.stdin.close()
        async with asyncio.timeout(READY_SECS):
            assert await process.wait() == 0
    assert not socket.exists()


async def test_a_first_line_that_makes_no_sense_ends_it() -> None:
    process = await spawn("{}")
    async with asyncio.timeout(READY_SECS):
        assert await process.wait() == 1
