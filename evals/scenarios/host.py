"""What happens to a host in mid-call: a database is down, no line is free, the server drains, the bot is killed."""

import asyncio
import fcntl
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from evals.program import ProgramError, left_of
from evals.scenarios.checks import Failure
from evals.scenarios.errors import SuiteError
from evals.scenarios.format import Scenario
from evals.scenarios.keys import Another, HostAt
from evals.scenarios.stand import Stand

FOLDERS = {"database_down": "postgres", "redis_down": "redis"}
ASK_SECS, WHOLE_SECS, GONE_SECS, ENDED_SECS, LOOK_SECS = 10.0, 60.0, 5.0, 20.0, 0.05


@dataclass(frozen=True, slots=True)
class Answered:
    """What another caller got: the status, the reason in words, and whether it was told when to try again."""

    status: int
    reason: str
    has_retry: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a server that drained ended: None as code where it runs on; `left` are processes of it that do."""

    code: int | None
    left: tuple[str, ...]


class HostEvent:
    """What happens to the host of one call, where something does, and what was seen of it."""

    def __init__(self, wanted: HostAt | None, served: Stand) -> None:
        self._wanted = wanted
        self._served = served
        self._down: Down | None = None
        self._family: list[psutil.Process] | None = None
        self._taken: list[tuple[str, str]] = []
        self._answered: Answered | None = None
        self._ended: Ended | None = None
        self._is_whole = True

    async def before(self, turn: int, session: str) -> None:
        """What happens before this turn is asked; raises `SuiteError` where it can't be made to happen."""
        wanted = self._wanted
        if wanted is None:
            return
        if turn == wanted.until:
            await self._restore()
        if turn == wanted.turn:
            await self._happen(wanted, session)
            if wanted.another is not None and wanted.event != "full":
                self._answered = await self._call()

    @asynccontextmanager
    async def mended(self) -> AsyncIterator[None]:
        """A call; what happened to its host is undone after it."""
        self._answered, self._ended, self._is_whole = None, None, True
        try:
            yield
        except asyncio.CancelledError:
            # The whole Jarvis is thrown away then, and its end must not wait for the lock.
            if self._down is not None:
                self._down.end()
            raise
        except Exception:
            await self._mend()
            raise
        await self._mend()

    def failures(self, scenario: Scenario) -> Iterator[Failure]:
        """What was not as it must be."""
        wanted = self._wanted
        if wanted is None:
            return
        if wanted.another is not None and self._answered is not None:
            for reason in _of_another(self._answered, wanted.another):
                yield Failure(wanted.turn, "x_host", reason, scenario.place("x_host", "another"))
        reasons = [] if self._is_whole else [f"the host was not whole again within {WHOLE_SECS:.0f} s"]
        reasons += [] if self._ended is None else _of_an_end(self._ended)
        for reason in reasons:
            yield Failure(None, "x_host", reason, scenario.place("x_host"))

    async def _mend(self) -> None:
        for path, token in self._taken:
            await self._ask("DELETE", path, token)
        self._taken = []
        if self._family is not None:
            await self._let_end(self._family)
        if self._down is not None:
            await self._restore()

    async def _happen(self, wanted: HostAt, session: str) -> None:
        program = self._served.program
        match wanted.event:
            case "database_down" | "redis_down":
                data = Path(program.environment["JARVIS_DATA_DIR"])
                self._down = await asyncio.to_thread(Down, data / FOLDERS[wanted.event])
            case "full":
                await self._fill()
            case "drain":
                self._family = await asyncio.to_thread(program.process.children, recursive=True)
                status, _, _ = await self._ask("POST", "/api/ingress/drain", self._served.key)
                if status != 202:
                    raise SuiteError(f"the server could not be drained: it answered with {status}")
            case "bot_killed":
                try:
                    bot = await asyncio.to_thread(program.bot_of, session)
                    bot.kill()
                except (ProgramError, psutil.Error) as error:
                    raise SuiteError(f"the call's bot could not be killed: {error}") from None

    async def _fill(self) -> None:
        """Calls until a caller is refused, or should have been: the call that is held has one of the lines."""
        for _ in range(int(self._served.program.environment["JARVIS_MAX_SESSIONS"])):
            self._answered = await self._call(hang_up=False)
            if self._answered.status >= 400:
                return

    async def _call(self, *, hang_up: bool = True) -> Answered:
        status, headers, body = await self._ask("POST", "/api/ingress/session/create", self._served.key)
        if status == 201:
            call = (f"/api/ingress/session/{body['id']}", str(body["token"]))
            if hang_up:
                await self._ask("DELETE", *call)
            else:
                self._taken.append(call)
        reason = ": ".join(str(body[key]) for key in ("title", "detail") if status >= 400 and body.get(key))
        return Answered(status, reason, "Retry-After" in headers)

    async def _ask(self, method: str, path: str, token: str) -> tuple[int, Mapping[str, str], Any]:
        """Status, headers and JSON of an answer; raises `SuiteError` where there is none."""
        try:
            async with self._served.http.request(
                method,
                f"{self._served.url}{path}",
                json={},
                headers={"Authorization": f"Bearer {token}"},
                timeout=aiohttp.ClientTimeout(total=ASK_SECS),
            ) as response:
                is_json = "json" in response.content_type
                return response.status, response.headers, await response.json() if is_json else {}
        except (aiohttp.ClientError, TimeoutError) as error:
            raise SuiteError(f"{method} {path} was not answered: {type(error).__name__}") from None

    async def _restore(self) -> None:
        """The database comes back."""
        if self._down is not None:
            self._down.end()
            self._down = None
        self._is_whole = await _becomes(self._served.is_whole, within_secs=WHOLE_SECS)

    async def _let_end(self, family: list[psutil.Process]) -> None:
        """Waits for the server's end, and starts it again for what it kept to be looked at."""
        program, self._family = self._served.program, None
        code = await asyncio.to_thread(program.ended, ENDED_SECS)
        if code is None:
            await asyncio.to_thread(program.stop)
        self._ended = Ended(code, tuple(await asyncio.to_thread(left_of, family)))
        try:
            await asyncio.to_thread(self._served.start_again)
        except ProgramError as error:
            raise SuiteError(f"the server did not start again: {error}") from None


class Down:
    """An embedded database that is killed, and that nobody starts again until this ends. Making it blocks.

    Whoever starts one takes its turn at the lock `starting.lock` in its folder (`server/embedded/service.py`).
    """

    def __init__(self, folder: Path) -> None:
        with ExitStack() as stack, _explained(folder.name):
            self._lock = stack.enter_context((folder / "starting.lock").open("r+b"))
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            pid, port = (int((folder / name).read_text()) for name in ("pid", "port"))
            if not Path(f"/proc/{pid}/cwd").samefile(folder / "data"):
                raise SuiteError(f"process {pid} is not the {folder.name} of the Jarvis under test")
            process = psutil.Process(pid)
            for each in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    each.kill()
            _refuses(port)
            stack.pop_all()

    def end(self) -> None:
        """Whoever wants it may start it again."""
        self._lock.close()


def _of_another(got: Answered, wanted: Another) -> Iterator[str]:
    said = f"another caller got {got.status}" + (f" ({got.reason})" if got.reason else "")
    if got.status != wanted.status:
        yield f"{said} instead of {wanted.status}"
    elif wanted.says is not None and wanted.says.lower() not in got.reason.lower():
        yield f"{said}, which does not say {wanted.says!r}"
    elif got.status == 503 and not got.has_retry:
        yield f"{said}, and was not told when to try again"


def _of_an_end(ended: Ended) -> Iterator[str]:
    if ended.code is None:
        yield f"the server still ran {ENDED_SECS:.0f} s after its last call"
    elif ended.code != 0:
        yield f"the server ended with {ended.code} after its last call, and not with 0"
    if ended.left:
        yield f"the server left processes behind: {', '.join(ended.left)}"


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, psutil.Error) as error:
        raise SuiteError(f"the {name} of the Jarvis under test could not be ended: {error}") from None


def _refuses(port: int) -> None:
    """Returns once nobody listens there."""
    deadline = time.monotonic() + GONE_SECS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionError:
            return
        time.sleep(LOOK_SECS)
    raise OSError(f"something listens at port {port}")


async def _becomes(true: Callable[[], Awaitable[bool]], *, within_secs: float) -> bool:
    """Whether it comes true in time."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within_secs):
            while not await true():  # noqa: ASYNC110
                await asyncio.sleep(LOOK_SECS)
            return True
    return False
