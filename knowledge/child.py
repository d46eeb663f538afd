"""How a process that serves all calls lives: settings on stdin, `ready` on stdout, until told to end or left alone."""

import asyncio
import fcntl
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError

from knowledge.address import SharedAddress
from knowledge.errors import KnowledgeError
from knowledge.logs import LogSettings, configure

TEND_SECS = 1.0
CONNECT_SECS = 0.5

Settings = TypeVar("Settings", bound=BaseModel)


class Lingering(BaseModel):
    """What a process is told that calls need even while no server runs.

    When its parent is gone it stays as long as any socket in `calls_dir` accepts, unless a successor has taken its path
    over. So long it holds a shared flock on each of `uses`, which tells others what it still needs. However it ends
    then, it runs `then`.
    """

    calls_dir: Path
    uses: tuple[Path, ...] = ()
    then: tuple[str, ...] = ()


def run_child(serve: Callable[[Settings], Awaitable[None]], settings_type: type[Settings]) -> None:
    """Run until told to end; where that cannot go on, end with a sentence on stderr, or in the log, and exit code 1.

    SIGTERM ends it, and so does the end of stdin, since its parent is gone then; settings with a field `lingering` that
    is not None make it stay for the calls that go on. It logs as a field `log` says.
    """
    told: list[Settings] = []
    try:
        asyncio.run(_run(serve, settings_type, told))
    except* ValidationError:
        sys.exit(f"The first line of stdin must be a JSON object with {', '.join(settings_type.model_fields)}.")
    except* KnowledgeError as errors:
        sentences = [str(error) for error in _leaves(errors)]
        if getattr(told[0], "log", None) is None:
            sys.exit("\n".join(sentences))
        for sentence in sentences:
            logger.error("{}", sentence)
        sys.exit(1)


async def tended(address: SharedAddress) -> None:
    """Keep the address published until cancelled, except to a successor that lives."""
    while True:
        await asyncio.sleep(TEND_SECS)
        address.tend()


async def _run(
    serve: Callable[[Settings], Awaitable[None]], settings_type: type[Settings], told: list[Settings]
) -> None:
    """Serve until told to end; `told` is given the settings that stdin said."""
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    settings = settings_type.model_validate_json(await stdin.readline())
    told.append(settings)
    lingering: Lingering | None = getattr(settings, "lingering", None)
    log: LogSettings | None = getattr(settings, "log", None)
    if log is not None:
        configure(log)
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    serving = asyncio.ensure_future(serve(settings))
    ending = asyncio.create_task(terminated.wait())
    left = asyncio.create_task(_left_alone(stdin, lingering, getattr(settings, "socket", None)))
    await asyncio.wait([serving, ending, left], return_when=asyncio.FIRST_COMPLETED)
    for task in (ending, left, serving):
        task.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("The process ends as it was told to")
    finally:
        await asyncio.wait([left])
        if stdin.at_eof() and lingering is not None and lingering.then:
            _start(lingering.then)


async def _left_alone(stdin: asyncio.StreamReader, lingering: Lingering | None, path: Path | None) -> None:
    """Return when the parent is gone, and no call needs this process any more."""
    await stdin.read()
    if lingering is None or path is None:
        return
    logger.info("The server is gone; this process stays while calls go on")
    address = SharedAddress(path)
    with _used(lingering.uses):
        while address.is_published and await asyncio.to_thread(_any_accepts, lingering.calls_dir):  # noqa: ASYNC110
            await asyncio.sleep(TEND_SECS)


@contextmanager
def _used(paths: Sequence[Path]) -> Iterator[None]:
    """Hold a shared flock on each of the files; one that is not there, or that somebody has alone, is of no use."""
    with ExitStack() as held:
        for path in paths:
            with suppress(OSError):
                fcntl.flock(held.enter_context(path.open("rb")), fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield


def _any_accepts(folder: Path) -> bool:
    return any(_accepts(path) for path in folder.glob("*.sock"))


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(CONNECT_SECS)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _start(command: Sequence[str]) -> None:
    """Start a program that outlives this one."""
    subprocess.Popen(  # noqa: S603  (our own settings say what)
        list(command), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
    )


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in errors.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
