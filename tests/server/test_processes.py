"""Children of the server: started, started again, stopped, never left behind."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from server import processes
from server.errors import SetupError
from server.processes import ONE_THREAD, SupervisedProcess

pytestmark = pytest.mark.integration

PATIENCE_SECS = 10.0
SERVES = """
import json, os, sys
settings = json.loads(sys.stdin.readline())
print("ready", flush=True)
open(settings["told"], "a").write(f"{os.getpid()} {settings['word']} {os.environ['OMP_NUM_THREADS']}\\n")
sys.stdin.read()
"""
DEAF = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True: time.sleep(1)
"""
TELLS_ITS_END = """
import json, signal, sys
told = json.loads(sys.stdin.readline())["told"]
def note(word):
    open(told, "w").write(word)
    raise SystemExit
signal.signal(signal.SIGTERM, lambda *_: note("told to end"))
print("ready", flush=True)
sys.stdin.read()
note("left alone")
"""
MODULES = {
    "tells_its_end": TELLS_ITS_END,
    "serves": SERVES,
    "deaf": DEAF,
    "ends": "raise SystemExit(3)",
    "chats": "print('hello', flush=True); import sys; sys.stdin.read()",
    "hangs": "import time\nwhile True: time.sleep(1)",
}

Start = Callable[[str], SupervisedProcess]


@pytest.fixture
async def child(tmp_path: Path) -> AsyncIterator[Start]:
    """Makes a supervised child of one of the modules above; all are stopped at the end."""
    async with AsyncExitStack() as stack:

        def make(module: str) -> SupervisedProcess:
            (tmp_path / f"{module}.py").write_text(MODULES[module])
            process = SupervisedProcess(
                module,
                module=module,
                settings={"told": str(tmp_path / "told"), "word": "hi"},
                environment={**os.environ, "PYTHONPATH": str(tmp_path)},
            )
            stack.push_async_callback(process.stop)
            return process

        yield make


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not true():  # noqa: ASYNC110  (another process makes it true)
            await asyncio.sleep(0.01)


def children() -> list[int]:
    return [p.pid for p in psutil.Process().children() if p.status() != psutil.STATUS_ZOMBIE]


async def test_a_child_reads_its_settings_and_is_kept_to_one_thread(child: Start, tmp_path: Path):
    process = child("serves")
    await process.start()
    await until(lambda: (tmp_path / "told").exists() and (tmp_path / "told").read_text().endswith("\n"))
    assert (tmp_path / "told").read_text() == f"{process.pid} hi {ONE_THREAD['OMP_NUM_THREADS']}\n"


async def test_a_child_that_is_killed_is_started_again(child: Start):
    process = child("serves")
    await process.start()
    first = process.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: process.restarts == 1)
    assert process.pid not in (None, first)


async def test_who_waits_for_a_child_is_told_that_it_is_new(child: Start):
    process = child("serves")
    process.on_ready.append(back := asyncio.Event())
    await process.start()
    assert not back.is_set()
    os.kill(process.pid or 0, signal.SIGKILL)
    await asyncio.wait_for(back.wait(), PATIENCE_SECS)


async def test_a_stopped_child_is_gone_and_stays_so(child: Start):
    before = children()
    process = child("serves")
    await process.start()
    await process.stop()
    assert (process.pid, children()) == (None, before)


async def test_a_stopped_child_is_told_so_and_does_not_take_itself_for_left_alone(child: Start, tmp_path: Path):
    process = child("tells_its_end")
    await process.start()
    await process.stop()
    assert (tmp_path / "told").read_text() == "told to end"


async def test_a_child_is_stopped_while_it_waits_to_be_started_again(child: Start):
    before = children()
    process = child("serves")
    await process.start()
    os.kill(process.pid or 0, signal.SIGKILL)
    await until(lambda: process.pid is None)
    await process.stop()
    assert children() == before


async def test_a_child_that_hears_nothing_is_killed(child: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "STOP_SECS", 0.1)
    process = child("deaf")
    await process.start()
    await process.stop()
    assert process.pid is None


@pytest.mark.parametrize("module", ["ends", "chats"])
async def test_a_child_that_never_says_ready_is_an_error(child: Start, module: str):
    before = children()
    with pytest.raises(SetupError, match=f"The {module} process did not come up"):
        await child(module).start()
    assert children() == before


async def test_a_child_that_says_nothing_in_time_is_an_error(child: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "READY_SECS", 0.1)
    monkeypatch.setattr(processes, "STOP_SECS", 0.1)
    before = children()
    with pytest.raises(SetupError, match="did not come up"):
        await child("hangs").start()
    assert children() == before


async def test_giving_up_on_a_start_leaves_no_child(child: Start, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(processes, "STOP_SECS", 0.1)
    before = children()
    starting = asyncio.create_task(child("hangs").start())
    await until(lambda: len(children()) > len(before))
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert children() == before


async def test_a_child_ends_with_the_server_that_started_it(tmp_path: Path):
    (tmp_path / "serves.py").write_text(SERVES)
    told = tmp_path / "told"
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c",
        "import asyncio, os\n"
        "from server.processes import SupervisedProcess\n"
        "async def main():\n"
        f"    settings = {{'told': {str(told)!r}, 'word': 'hi'}}\n"
        f"    environment = {{**os.environ, 'PYTHONPATH': {str(tmp_path)!r}}}\n"
        "    await SupervisedProcess('x', module='serves', settings=settings, environment=environment).start()\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())",
    )  # fmt: skip
    await until(lambda: told.exists() and told.read_text().endswith("\n"))
    pid = int(told.read_text().split()[0])
    server.kill()
    await server.wait()
    await until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
