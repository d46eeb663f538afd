"""The life of a process: told on stdin, `ready` on stdout, an end when told or when its parent is gone."""

import asyncio
import fcntl
import json
import signal
import socket
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.address import SharedAddress
from knowledge.child import TEND_SECS
from knowledge.database import Database, migrated
from knowledge.errors import SchemaError

pytestmark = pytest.mark.integration

PATIENCE_SECS = 20.0
MODULE = """
import asyncio
from pathlib import Path
from pydantic import BaseModel
from knowledge.address import SharedAddress
from knowledge.child import Lingering, run_child
from knowledge.errors import KnowledgeUnavailableError, ModelError
from knowledge.logs import LogSettings

class Startup(BaseModel):
    how: str
    socket: Path | None = None
    lingering: Lingering | None = None
    log: LogSettings | None = None

async def fail(error):
    raise error

async def serve(startup):
    if startup.how == "fails":
        raise ModelError("The model is not there; build it.")
    if startup.how == "fails later":
        SharedAddress(startup.socket).bind()
        SharedAddress(startup.socket).publish()
        print("ready", flush=True)
        while not startup.socket.with_name("fail").exists():
            await asyncio.sleep(0.02)
        raise ModelError("The model is gone.")
    if startup.how == "fails in two ways":
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(fail(ModelError("The model is not there.")))
            tasks.create_task(fail(KnowledgeUnavailableError("The database is gone.")))
    if startup.socket is not None:
        SharedAddress(startup.socket).bind()
        SharedAddress(startup.socket).publish()
    print("ready", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaned up", flush=True)

run_child(serve, Startup)
"""

Start = Callable[[bytes], Awaitable[Process]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the module with this on stdin."""
    (tmp_path / "module.py").write_text(MODULE)
    children: list[Process] = []

    async def run(said: bytes) -> Process:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            str(tmp_path / "module.py"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "LOGURU_LEVEL": "ERROR"},
        )
        children.append(child)
        assert child.stdin is not None
        child.stdin.write(said)
        await child.stdin.drain()
        return child

    yield run
    for child in children:
        with suppress(ProcessLookupError):
            child.kill()
        await child.wait()


async def ready(child: Process) -> None:
    assert child.stdout is not None
    assert await asyncio.wait_for(child.stdout.readline(), PATIENCE_SECS) == b"ready\n"


async def ended(child: Process) -> tuple[int | None, str, str]:
    """Wait for the end, with stdin left open; returns (exit code, rest of stdout, stderr)."""
    assert child.stdout is not None
    assert child.stderr is not None
    async with asyncio.timeout(PATIENCE_SECS):
        stdout, stderr = await asyncio.gather(child.stdout.read(), child.stderr.read())
        return await child.wait(), stdout.decode(), stderr.decode()


async def test_term_ends_it_after_it_has_cleaned_up(start: Start) -> None:
    child = await start(b'{"how": "serves"}\n')
    await ready(child)
    child.send_signal(signal.SIGTERM)
    assert await ended(child) == (0, "cleaned up\n", "")


async def test_it_ends_with_its_parent(start: Start) -> None:
    child = await start(b'{"how": "serves"}\n')
    await ready(child)
    assert child.stdin is not None
    child.stdin.close()
    assert await ended(child) == (0, "cleaned up\n", "")


@pytest.mark.parametrize("said", [b"nonsense\n", b"{}\n", b"\n"])
async def test_what_cannot_be_understood_is_said_plainly(start: Start, said: bytes) -> None:
    assert await ended(await start(said)) == (
        1,
        "",
        "The first line of stdin must be a JSON object with how, socket, lingering, log.\n",
    )


async def test_what_goes_wrong_is_one_sentence_and_no_traceback(start: Start) -> None:
    assert await ended(await start(b'{"how": "fails"}\n')) == (1, "", "The model is not there; build it.\n")


async def test_what_goes_wrong_is_told_to_programs_as_they_read_it(start: Start) -> None:
    said = b'{"how": "fails", "log": {"format": "json", "process": "retrieval"}}\n'
    code, _, stderr = await ended(await start(said))
    line = json.loads(stderr)
    assert (code, line["process"], line["message"]) == (1, "retrieval", "The model is not there; build it.")


async def test_a_child_logs_as_it_is_told(start: Start) -> None:
    child = await start(b'{"how": "serves", "log": {"format": "json", "level": "INFO", "process": "speech"}}\n')
    await ready(child)
    child.terminate()
    _, _, stderr = await ended(child)
    assert [json.loads(line)["message"] for line in stderr.splitlines()] == ["The process ends as it was told to"]


async def test_each_thing_that_goes_wrong_is_one_sentence(start: Start) -> None:
    code, _, stderr = await ended(await start(b'{"how": "fails in two ways"}\n'))
    assert (code, stderr) == (1, "The model is not there.\nThe database is gone.\n")


async def test_a_database_that_refuses_is_not_asked_again(database: Database, database_url: str) -> None:
    async with AsyncConnectionPool(
        database_url, min_size=0, max_size=1, open=False, kwargs={"options": "-c default_transaction_read_only=on"}
    ) as pool:
        with pytest.raises(SchemaError):
            await migrated(Database(pool))


async def test_a_database_that_is_not_there_is_waited_for() -> None:
    pool = AsyncConnectionPool(
        "postgresql://127.0.0.1:1/x?connect_timeout=1", min_size=0, max_size=1, timeout=0.1, open=False
    )
    async with pool:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(migrated(Database(pool)), 0.5)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="jarvis-child-") as folder:
        yield Path(folder)


def lingering(folder: Path, how: str) -> bytes:
    """A child that stays for the calls in this folder, uses a file there, and leaves a note at its end."""
    then = [sys.executable, "-c", f"open({str(folder / 'note')!r}, 'w').close()"]
    told = {"calls_dir": str(folder), "uses": [str(folder / "users"), str(folder / "missing")], "then": then}
    (folder / "users").touch()
    return json.dumps({"how": how, "socket": str(folder / "child"), "lingering": told}).encode() + b"\n"


def a_call(folder: Path) -> socket.socket:
    """The control socket of a bot in a call."""
    bot = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    bot.bind(str(folder / "0123456789ab.sock"))
    bot.listen(100)
    return bot


async def orphaned(start: Start, folder: Path, *, how: str = "serves") -> Process:
    """A child whose parent is gone."""
    child = await start(lingering(folder, how))
    await ready(child)
    assert child.stdin is not None
    child.stdin.close()
    return child


async def stays(child: Process) -> bool:
    """Whether it looks twice and more for calls, and still runs."""
    with suppress(TimeoutError):
        await asyncio.wait_for(child.wait(), 2.5 * TEND_SECS)
    return child.returncode is None


async def note(folder: Path) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not (folder / "note").exists():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_left_alone_without_a_call_it_ends_and_does_what_is_to_be_done_then(start: Start, folder: Path) -> None:
    assert (await ended(await orphaned(start, folder)))[0] == 0
    await note(folder)


async def test_left_alone_it_stays_until_the_last_call_is_over(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await orphaned(start, folder)
        assert await stays(child)
    assert (await ended(child))[0] == 0
    await note(folder)


async def test_left_alone_it_ends_when_a_successor_has_taken_over(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await orphaned(start, folder)
        assert await stays(child)
        with SharedAddress(folder / "child").bind():
            SharedAddress(folder / "child").publish()
            assert (await ended(child))[0] == 0


async def test_told_to_end_it_does_not_stay_for_calls(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await start(lingering(folder, "serves"))
        await ready(child)
        child.send_signal(signal.SIGTERM)
        assert (await ended(child))[0] == 0
    assert not (folder / "note").exists()


def in_use(path: Path) -> bool:
    """Whether somebody holds a flock on the file."""
    with path.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def test_left_alone_it_shows_what_it_uses_until_its_end(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await orphaned(start, folder)
        async with asyncio.timeout(PATIENCE_SECS):
            while not in_use(folder / "users"):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    await ended(child)
    assert not in_use(folder / "users")


async def test_while_its_parent_lives_it_leaves_it_to_that_to_show_what_is_used(start: Start, folder: Path) -> None:
    await ready(await start(lingering(folder, "serves")))
    assert not in_use(folder / "users")


async def test_left_alone_and_told_to_end_it_does_what_is_to_be_done_then(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await orphaned(start, folder)
        assert await stays(child)
        child.send_signal(signal.SIGTERM)
        assert (await ended(child))[0] == 0
    await note(folder)


async def test_left_alone_it_does_what_is_to_be_done_then_even_where_it_fails(start: Start, folder: Path) -> None:
    with a_call(folder):
        child = await orphaned(start, folder, how="fails later")
        assert await stays(child)
        (folder / "fail").touch()
        assert (await ended(child))[0] == 1
    await note(folder)
