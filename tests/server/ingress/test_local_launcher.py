"""Bots as processes, with the real forkserver: warm, handed out, replaced, gone."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bot.settings import BotSettings, Retrieval
from knowledge.logs import LogSettings
from server.ingress import local_bot, local_launcher
from server.ingress.launcher import BotGoneError, BotRefusedError, LauncherError, Stray, Task
from server.ingress.local_bot import LocalBot
from server.ingress.local_launcher import LocalLauncher, backoff_secs

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


def a_launcher(sockets_dir: Path, *, warm_bots: int = 1) -> LocalLauncher:
    return LocalLauncher(
        sockets_dir=sockets_dir,
        preload=SETTINGS.preload,
        warm_bots=warm_bots,
        memory_limit_mb=512,
        log=LogSettings(process="bot"),
    )


def a_task(session_id: str = "6f1c") -> Task:
    return Task(session_id, SETTINGS, {"bots": 1})


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
    bot = await launcher.acquire(a_task())
    assert bot is warm
    await until(lambda: len(waiting(launcher)) == 1)
    assert waiting(launcher) != [warm]
    await bot.kill()


async def test_a_session_that_finds_no_bot_waiting_gets_a_new_one(launcher: LocalLauncher):
    bots = [await launcher.acquire(a_task(name)) for name in ("a", "b")]
    assert bots[0].pid != bots[1].pid
    for bot in bots:
        await bot.kill()


async def test_a_bot_that_died_as_it_waited_is_replaced(launcher: LocalLauncher):
    (warm,) = waiting(launcher)
    os.kill(warm.pid, signal.SIGKILL)
    await until(lambda: waiting(launcher) not in ([], [warm]))
    assert gone(warm.pid)
    assert (launcher.died_waiting, launcher.waiting_pids) == (1, [bot.pid for bot in waiting(launcher)])


async def test_a_bot_that_stalled_as_it_waited_is_replaced(launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(local_bot, "SILENT_SECS", 1.5)
    (first,) = waiting(launcher)
    os.kill(first.pid, signal.SIGKILL)
    await until(lambda: waiting(launcher) not in ([], [first]))
    (warm,) = waiting(launcher)  # it is listened to with the shorter patience
    os.kill(warm.pid, signal.SIGSTOP)
    await until(lambda: waiting(launcher) not in ([], [warm]))
    assert gone(warm.pid)


async def test_a_stalled_bot_is_not_handed_out(launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch):
    (warm,) = waiting(launcher)
    monkeypatch.setattr(local_launcher, "TAKE_SECS", 0.2)
    os.kill(warm.pid, signal.SIGSTOP)
    bot = await launcher.acquire(a_task())
    assert bot is not warm
    assert gone(warm.pid)
    await bot.kill()


async def test_a_bot_takes_one_session(launcher: LocalLauncher):
    bot = await launcher.acquire(a_task())
    body = {"session_id": "other", "settings": SETTINGS.model_dump(mode="json"), "call": {}, "story": None}
    with pytest.raises(BotRefusedError) as refusal:
        await bot.request("POST", "/session", body)
    assert refusal.value.status == 409
    await bot.kill()


async def test_a_killed_bots_events_end_with_an_error(launcher: LocalLauncher):
    bot = await launcher.acquire(a_task())
    events = bot.events()
    assert (await anext(events))["type"] == "heartbeat"
    os.kill(bot.pid, signal.SIGKILL)
    with pytest.raises(BotGoneError):
        await anext(events)
    await bot.stop()


async def test_a_killed_bot_is_gone_to_whoever_still_asks_it(launcher: LocalLauncher):
    bot = await launcher.acquire(a_task())
    await bot.kill()
    with pytest.raises(BotGoneError):
        await bot.request("POST", "/end", {"reason": "hang_up"})
    with pytest.raises(BotGoneError):
        await bot.audio("ws-1")


async def test_a_bot_that_is_told_to_end_says_so_and_is_gone(launcher: LocalLauncher, sockets_dir: Path):
    bot = await launcher.acquire(a_task())
    events = bot.events()
    await anext(events)
    await bot.request("POST", "/end", {"reason": "hang_up"})
    assert {"type": "ended", "reason": "hang_up"} in [event async for event in events]
    await bot.stop()
    assert gone(bot.pid)
    assert not (sockets_dir / f"{bot.id}.sock").exists()


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
    bot = await launcher.acquire(a_task())
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
    os.utime(left, (0, 0))
    assert left.exists()
    launcher = a_launcher(sockets_dir)
    await launcher.start()
    await launcher.close()
    assert not left.exists()


async def test_a_bot_that_is_just_coming_up_beside_a_new_server_keeps_its_socket(sockets_dir: Path):
    new = sockets_dir / "0123456789ab.sock"
    (await asyncio.start_unix_server(lambda _r, _w: None, new)).close()
    launcher = a_launcher(sockets_dir)
    await launcher.start()
    await launcher.close()
    assert new.exists()


async def test_a_bot_leads_a_group_of_its_own(launcher: LocalLauncher):
    (warm,) = waiting(launcher)
    assert os.getpgid(warm.pid) == warm.pid


async def test_another_server_finds_a_call_that_nobody_follows(launcher: LocalLauncher, sockets_dir: Path):
    bot = await launcher.acquire(a_task())
    (stray,) = await a_launcher(sockets_dir).strays(known=frozenset(spare.id for spare in waiting(launcher)))
    assert (stray.session_id, stray.call, stray.bot.id) == ("6f1c", {"bots": 1}, bot.id)
    await stray.bot.kill()
    await until(lambda: not bot.alive)
    await bot.kill()


async def test_a_call_that_is_followed_is_no_stray(launcher: LocalLauncher, sockets_dir: Path):
    bot = await launcher.acquire(a_task())
    events = bot.events()
    await anext(events)
    assert await a_launcher(sockets_dir).strays(known=frozenset()) == []
    await bot.kill()


async def test_a_bot_that_waits_is_no_stray(launcher: LocalLauncher, sockets_dir: Path):
    assert await a_launcher(sockets_dir).strays(known=frozenset()) == []


async def test_a_bot_is_reached_by_its_id_and_let_go_again(launcher: LocalLauncher, sockets_dir: Path):
    bot = await launcher.acquire(a_task())
    attached = await a_launcher(sockets_dir).attach(bot.id)
    assert attached is not None
    assert (await attached.request("GET", "/session"))["session_id"] == "6f1c"
    await attached.detach()
    assert bot.alive
    await bot.kill()


async def test_a_bot_that_is_gone_is_not_reached(sockets_dir: Path):
    assert await a_launcher(sockets_dir).attach("0123456789ab") is None


async def test_a_pool_whose_bots_do_not_start_rests_longer_and_longer(
    sockets_dir: Path, monkeypatch: pytest.MonkeyPatch
):
    launcher, rests = a_launcher(sockets_dir), list[float]()

    async def rest(secs: float) -> None:
        rests.append(secs)
        if len(rests) == 5:
            raise asyncio.CancelledError

    async def fails() -> LocalBot:
        raise LauncherError("A bot process ended as it started (exit code 1).")

    monkeypatch.setattr(launcher, "_spawn", fails)
    monkeypatch.setattr(local_launcher.asyncio, "sleep", rest)
    with pytest.raises(asyncio.CancelledError):
        await launcher._fill()
    assert rests[1:] == [backoff_secs(n) for n in (1, 2, 3, 4)] == sorted(rests[1:])


async def test_a_bot_that_dies_soon_after_it_came_up_counts_as_a_failure(launcher: LocalLauncher):
    (warm,) = waiting(launcher)
    os.kill(warm.pid, signal.SIGKILL)
    await until(lambda: launcher._failures == 1)


@pytest.mark.parametrize(("failures", "secs"), [(1, 0.1), (2, 0.2), (5, 1.6), (50, 30.0)])
def test_the_rest_doubles_up_to_half_a_minute(failures: int, secs: float):
    assert backoff_secs(failures) == pytest.approx(secs)


async def test_a_caller_is_not_kept_waiting_by_bots_that_do_not_take_the_call(
    launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch
):
    async def refuses(bot: LocalBot, _body: object) -> bool:
        await bot.kill()
        return False

    monkeypatch.setattr(local_launcher, "_takes", refuses)
    with pytest.raises(LauncherError, match="3 bots did not take the call"):
        await launcher.acquire(a_task())


async def test_a_bot_that_is_being_given_a_call_is_no_stray(launcher: LocalLauncher, monkeypatch: pytest.MonkeyPatch):
    takes, found = local_launcher._takes, list[list[Stray]]()

    async def asked_meanwhile(bot: LocalBot, body: dict[str, Any]) -> bool:
        taken = await takes(bot, body)
        found.append(await launcher.strays(known=frozenset()))
        return taken

    monkeypatch.setattr(local_launcher, "_takes", asked_meanwhile)
    bot = await launcher.acquire(a_task())
    assert found == [[]]
    await bot.kill()
