"""Bots as processes, with the real forkserver: warm, handed out, replaced, gone."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import psutil
import pytest

from bot.settings import BotSettings, Retrieval
from server.ingress import launcher as launcher_module
from server.ingress.launcher import BotGoneError, BotRefusedError, LocalBot, LocalLauncher, OutOfMemoryError

pytestmark = pytest.mark.integration

PATIENCE_SECS = 15.0
NOWHERE = Path("/nowhere")
SETTINGS = BotSettings(retrieval=Retrieval(socket=NOWHERE), speech_socket=NOWHERE, media_addresses=("127.0.0.1",))


@pytest.fixture
def sockets_dir() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="jarvis-bots-"))
    yield folder
    shutil.rmtree(folder)


def a_launcher(sockets_dir: Path, *, warm_bots: int = 1, bot_memory_mb: int = 0) -> LocalLauncher:
    return LocalLauncher(
        sockets_dir=sockets_dir, preload=SETTINGS.preload, warm_bots=warm_bots, bot_memory_mb=bot_memory_mb
    )


@pytest.fixture
async def launcher(sockets_dir: Path) -> AsyncIterator[LocalLauncher]:
    started = a_launcher(sockets_dir)
    await started.start()
    yield started
    await started.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECS):
        while not true():  # noqa: ASYNC110  (another process makes it true)
            await asyncio.sleep(0.01)


def waiting(launcher: LocalLauncher) -> list[LocalBot]:
    return [bot for bot in launcher._spares if bot.alive]


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


async def test_the_parent_of_all_bots_has_one_thread(launcher: LocalLauncher):
    parent = psutil.Process(waiting(launcher)[0].pid).parent()
    assert parent is not None
    assert parent.num_threads() == 1


async def test_a_bots_socket_is_its_owners_only(launcher: LocalLauncher, sockets_dir: Path):
    (path,) = sockets_dir.glob("*.sock")
    assert path.stat().st_mode & 0o777 == 0o600


async def test_a_session_gets_the_bot_that_waits_and_another_takes_its_place(launcher: LocalLauncher):
    (warm,) = waiting(launcher)
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    assert bot is warm
    await until(lambda: len(waiting(launcher)) == 1)
    assert waiting(launcher) != [warm]
    await bot.kill()


async def test_a_session_that_finds_no_bot_waiting_gets_a_new_one(launcher: LocalLauncher):
    bots = [await launcher.acquire(session_id=name, settings=SETTINGS) for name in ("a", "b")]
    assert bots[0].pid != bots[1].pid
    for bot in bots:
        await bot.kill()


async def test_a_bot_that_died_as_it_waited_is_replaced(launcher: LocalLauncher):
    (warm,) = waiting(launcher)
    os.kill(warm.pid, signal.SIGKILL)
    await until(lambda: waiting(launcher) not in ([], [warm]))
    assert gone(warm.pid)


async def test_a_bot_that_stalled_as_it_waited_is_replaced(launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(launcher_module, "SILENT_SECS", 1.5)
    (first,) = waiting(launcher)
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: waiting(launcher) not in ([], [first]))
    (warm,) = waiting(launcher)  # it is listened to with the shorter patience
    os.kill(warm.pid, signal.SIGSTOP)
    await until(lambda: waiting(launcher) not in ([], [warm]))
    assert gone(warm.pid)


async def test_a_stalled_bot_is_not_handed_out(launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch):
    (warm,) = waiting(launcher)
    warm._http._timeout = launcher_module.aiohttp.ClientTimeout(total=0.2)
    os.kill(warm.pid, signal.SIGSTOP)
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    assert bot is not warm
    assert gone(warm.pid)
    await bot.kill()


async def test_a_bot_takes_one_session(launcher: LocalLauncher):
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    body = {"session_id": "other", "settings": SETTINGS.model_dump(mode="json")}
    with pytest.raises(BotRefusedError) as refusal:
        await bot.request("POST", "/session", body)
    assert refusal.value.status == 409
    await bot.kill()


async def test_a_killed_bots_events_end_with_an_error(launcher: LocalLauncher):
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    events = bot.events()
    assert (await anext(events))["type"] == "heartbeat"
    os.kill(bot.pid, signal.SIGKILL)
    with pytest.raises(BotGoneError):
        await anext(events)
    await bot.stop()


async def test_a_bot_that_is_told_to_end_says_so_and_is_gone(launcher: LocalLauncher, sockets_dir: Path):
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    events = bot.events()
    await anext(events)
    await bot.request("POST", "/end", {"reason": "hang_up"})
    assert {"type": "ended", "reason": "hang_up"} in [event async for event in events]
    await bot.stop()
    assert gone(bot.pid)
    assert not (sockets_dir / f"{bot.id}.sock").exists()


async def test_a_host_without_memory_takes_no_more_calls(sockets_dir: Path):
    full = a_launcher(sockets_dir, bot_memory_mb=10**9)
    with pytest.raises(OutOfMemoryError, match="a bot needs 1000000000 MB"):
        await full.acquire(session_id="6f1c", settings=SETTINGS)


async def test_closing_leaves_no_bot_and_no_socket(sockets_dir: Path):
    launcher = a_launcher(sockets_dir, warm_bots=2)
    await launcher.start()
    pids = [bot.pid for bot in waiting(launcher)]
    await launcher.close()
    assert [gone(pid) for pid in pids] == [True, True]
    assert list(sockets_dir.iterdir()) == []


async def test_closing_while_a_bot_is_replaced_leaves_none(sockets_dir: Path):
    launcher = a_launcher(sockets_dir)
    await launcher.start()
    bot = await launcher.acquire(session_id="6f1c", settings=SETTINGS)
    parent = psutil.Process(bot.pid).parent()
    assert parent is not None
    await bot.kill()
    await launcher.close()
    await until(lambda: all(gone(child.pid) for child in parent.children()))
    assert list(sockets_dir.iterdir()) == []


async def test_sockets_that_a_dead_server_left_are_cleared_away(sockets_dir: Path):
    left = sockets_dir / "0123456789ab.sock"
    server = await asyncio.start_unix_server(lambda _r, _w: None, left)
    server.close()
    assert left.exists()
    launcher = a_launcher(sockets_dir)
    await launcher.start()
    await launcher.close()
    assert not left.exists()
