"""What happens to a host in mid-call, with a Jarvis that is played."""

import asyncio
import fcntl
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import psutil
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.program import ProgramError
from evals.scenarios import host as module
from evals.scenarios.errors import SuiteError
from evals.scenarios.host import Down, HostEvent
from evals.scenarios.keys import HostAt
from evals.scenarios.stand import Stand
from tests.evals.scenarios.given import scenario

BUSY = {"title": "All lines are busy", "detail": "Try again in a moment."}


class Childless:
    """A process; the one that runs the tests has children of other tests."""

    def children(self, recursive: bool) -> list[psutil.Process]:
        return []


class Program:
    """A server of so many lines, one of them taken; it ends as it is told to."""

    def __init__(self, *, lines: int, code: int | None) -> None:
        self.environment = {"JARVIS_DATA_DIR": "/nowhere", "JARVIS_MAX_SESSIONS": str(lines)}
        self.asked: list[str] = []
        self._code = code

    @property
    def process(self) -> psutil.Process:
        return cast(psutil.Process, Childless())

    def ended(self, within_secs: float) -> int | None:
        self.asked.append("ended")
        return self._code

    def stop(self) -> None:
        self.asked.append("stop")

    def bot_of(self, session: str) -> psutil.Process:
        raise ProgramError("no bot has that session")


class Played:
    """A stand over HTTP; `calls` are those that run beside the one that is held."""

    def __init__(self, *, lines: int = 2, code: int | None = 0, refuses: bool = True, retry: bool = True) -> None:
        self.program, self.key = Program(lines=lines, code=code), "key"
        self.calls: set[str] = set()
        self.http = cast(aiohttp.ClientSession, None)
        self._lines, self._refuses, self._retry = lines, refuses, retry
        self._draining = False
        app = web.Application()
        app.router.add_post("/api/ingress/session/create", self._create)
        app.router.add_delete("/api/ingress/session/{id}", self._end)
        app.router.add_post("/api/ingress/drain", self._drain)
        self.server = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    def start_again(self) -> None:
        self.program.asked.append("start")

    async def is_whole(self) -> bool:
        return not self.calls

    async def _create(self, request: web.Request) -> web.Response:
        if self._refuses and (self._draining or len(self.calls) + 1 == self._lines):
            return web.json_response(BUSY, status=503, headers={"Retry-After": "15"} if self._retry else {})
        self.calls.add(f"s{len(self.calls)}")
        return web.json_response({"id": f"s{len(self.calls) - 1}", "token": "t"}, status=201)

    async def _end(self, request: web.Request) -> web.Response:
        self.calls.discard(request.match_info["id"])
        return web.Response(status=204)

    async def _drain(self, request: web.Request) -> web.Response:
        self._draining = True
        return web.json_response({}, status=202)


@pytest.fixture
async def stood() -> AsyncIterator[Callable[..., Any]]:
    made: list[Played] = []

    async def make(**options: Any) -> Played:
        made.append(played := Played(**options))
        await played.server.start_server()
        played.http = aiohttp.ClientSession()
        return played

    yield make
    for each in made:
        await each.http.close()
        await each.server.close()


async def happened(folder: Path, played: Played, host: str) -> list[str]:
    """What is said against a call of two turns, and that nothing of it is left."""
    held = scenario(folder, keys=f"x_host: {host}")
    event = HostEvent(held.keys.x_host, cast(Stand, played))
    async with event.mended():
        await event.before(0, "s")
        await event.before(1, "s")
    assert not played.calls
    return [f"{each.place.line}: {each.reason}" for each in event.failures(held)]


async def test_the_caller_after_the_last_line_is_refused_and_the_lines_are_free_again(tmp_path: Path, stood: Any):
    full = "{turn: 1, event: full, another: {status: 503, says: lines are busy}}"
    assert await happened(tmp_path, await stood(lines=4), full) == []


async def test_a_host_that_takes_more_calls_than_it_has_lines_fails(tmp_path: Path, stood: Any):
    full = "{turn: 1, event: full, another: {status: 503}}"
    assert await happened(tmp_path, await stood(refuses=False), full) == ["3: another caller got 201 instead of 503"]


@pytest.mark.parametrize(
    ("options", "another", "reason"),
    [
        ({}, "{status: 503, says: no room}", "which does not say 'no room'"),
        ({"retry": False}, "{status: 503}", "and was not told when to try again"),
        ({}, "{status: 201}", "instead of 201"),
    ],
)
async def test_another_caller_who_is_refused_otherwise_fails(
    tmp_path: Path, stood: Any, options: dict[str, bool], another: str, reason: str
):
    (told,) = await happened(tmp_path, await stood(**options), f"{{turn: 1, event: drain, another: {another}}}")
    assert told.startswith("3: another caller got 503 (All lines are busy: Try again in a moment.)")
    assert told.endswith(reason)


async def test_a_server_that_drained_is_started_again_for_what_it_kept(
    tmp_path: Path, stood: Any, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "left_of", lambda family: [])
    played = await stood()
    assert await happened(tmp_path, played, "{turn: 1, event: drain}") == []
    assert played.program.asked == ["ended", "start"]


@pytest.mark.parametrize(
    ("code", "left", "reason"),
    [
        (None, [], "the server still ran 20 s after its last call"),
        (1, [], "the server ended with 1 after its last call, and not with 0"),
        (0, ["redis-server"], "the server left processes behind: redis-server"),
    ],
)
async def test_a_server_that_does_not_end_well_with_its_last_call_fails(
    tmp_path: Path, stood: Any, monkeypatch: pytest.MonkeyPatch, code: int | None, left: list[str], reason: str
):
    monkeypatch.setattr(module, "left_of", lambda family: left)
    assert await happened(tmp_path, await stood(code=code), "{turn: 1, event: drain}") == [f"3: {reason}"]


async def test_a_bot_that_is_not_there_cant_be_killed(tmp_path: Path, stood: Any):
    killed = HostAt.model_validate({"turn": 1, "event": "bot_killed"})
    with pytest.raises(SuiteError, match="could not be killed: no bot has that session"):
        await HostEvent(killed, cast(Stand, await stood())).before(1, "s")


async def test_a_host_that_does_not_come_back_fails(tmp_path: Path, stood: Any, monkeypatch: pytest.MonkeyPatch):
    class PlayedDown:
        def __init__(self, folder: Path) -> None:
            assert folder == Path("/nowhere/redis")

        def end(self) -> None:
            pass

    async def never(self: Played) -> bool:
        return False

    monkeypatch.setattr(module, "Down", PlayedDown)
    monkeypatch.setattr(module, "WHOLE_SECS", 0.1)
    monkeypatch.setattr(Played, "is_whole", never)
    (told,) = await happened(tmp_path, await stood(), "{turn: 0, event: redis_down, until: 1}")
    assert told.startswith("3: the host was not whole again")


async def test_a_call_that_is_broken_off_leaves_the_database_to_whoever_ends_it(
    tmp_path: Path, stood: Any, monkeypatch: pytest.MonkeyPatch
):
    ended: list[str] = []

    class PlayedDown:
        def __init__(self, folder: Path) -> None:
            pass

        def end(self) -> None:
            ended.append("down")

    monkeypatch.setattr(module, "Down", PlayedDown)
    event = HostEvent(HostAt(turn=0, event="redis_down"), cast(Stand, await stood()))

    async def call() -> None:
        async with event.mended():
            await event.before(0, "s")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await call()
    assert ended == ["down"]


LISTENS = "import socket, time; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """What listens as a database of the folder `postgres` does."""
    folder = tmp_path / "postgres"
    (folder / "data").mkdir(parents=True)
    (folder / "starting.lock").touch()
    process = subprocess.Popen(
        [sys.executable, "-S", "-c", f"{LISTENS}; time.sleep(60)"],
        cwd=folder / "data",
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    (folder / "port").write_text(process.stdout.readline())
    (folder / "pid").write_text(f"{process.pid}\n")
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def is_free(folder: Path) -> bool:
    """Whether a database could be started."""
    with (folder / "starting.lock").open("r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_a_database_is_killed_and_nobody_starts_it_until_it_may_come_back(
    tmp_path: Path, database: subprocess.Popen[str]
):
    down = Down(tmp_path / "postgres")
    assert (database.wait(5), is_free(tmp_path / "postgres")) == (-9, False)
    down.end()
    assert is_free(tmp_path / "postgres")


def test_a_process_of_another_folder_is_left_alone(tmp_path: Path, database: subprocess.Popen[str]):
    (tmp_path / "postgres" / "pid").write_text(str(psutil.Process().pid))
    with pytest.raises(SuiteError, match="is not the postgres of the Jarvis under test"):
        Down(tmp_path / "postgres")
    assert (database.poll(), is_free(tmp_path / "postgres")) == (None, True)
