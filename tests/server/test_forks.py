"""Children that are forked: supervised like those that are not."""

import asyncio
import json
import multiprocessing
import signal
import socket
from collections.abc import AsyncIterator, Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil
import pytest

from server.errors import SetupError
from server.forks import ForkedProcess
from server.ingress.launcher import LauncherError

pytestmark = pytest.mark.integration

PATIENCE_SECS = 20.0


def serves(channel: socket.socket) -> None:
    """Says that it is ready, notes that it was left alone, and ends."""
    with channel.makefile("rw") as lines:
        told = json.loads(lines.readline())["told"]
        lines.write("ready\n")
        lines.flush()
        lines.read()
    Path(told).write_text("left alone")


def ends(_channel: socket.socket) -> None:
    """Does not come up."""
    raise SystemExit(3)


async def fork(target: Callable[..., None], *arguments: Any, name: str) -> BaseProcess:
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=target, args=arguments, name=name, daemon=True)
    await asyncio.to_thread(process.start)
    return process


async def no_fork(*_: Any, **__: Any) -> BaseProcess:
    raise LauncherError("No process could be forked.")


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[ForkedProcess]:
    process = ForkedProcess("x", fork=fork, target=serves, settings={"told": str(tmp_path / "told")})
    await process.start()
    yield process
    await process.stop()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not true():  # noqa: ASYNC110  (another process makes it true)
            await asyncio.sleep(0.01)


async def test_a_forked_child_is_told_its_settings_and_runs(child: ForkedProcess):
    assert child.pid is not None
    assert psutil.Process(child.pid).is_running()


async def test_a_forked_child_that_dies_is_forked_again(child: ForkedProcess):
    first = child.pid
    child.kill()
    await until(lambda: child.restarts == 1)
    assert child.pid not in (None, first)


async def test_a_forked_child_ends_when_it_is_told_to(child: ForkedProcess):
    pid = child.pid
    await child.stop()
    assert child.pid is None
    assert pid is not None
    assert not psutil.pid_exists(pid)


async def test_a_forked_child_notes_that_its_parent_is_gone(child: ForkedProcess, tmp_path: Path):
    assert child._process is not None
    assert child._process.stdin is not None
    child._process.stdin.close()
    await until((tmp_path / "told").exists)


@pytest.mark.parametrize(("fork", "target"), [(fork, ends), (no_fork, serves)], ids=["it ends", "no fork"])
async def test_a_child_that_does_not_come_up_is_an_error_that_names_it(fork: Any, target: Any):
    process = ForkedProcess("desk", fork=fork, target=target, settings={})
    with pytest.raises(SetupError, match="The desk process"):
        await process.start()


async def test_a_signal_to_a_child_that_has_ended_reaches_nobody(child: ForkedProcess):
    ended = child._process
    assert ended is not None
    ended.send_signal(signal.SIGKILL)
    await ended.wait()
    with pytest.raises(ProcessLookupError):
        ended.send_signal(signal.SIGKILL)
