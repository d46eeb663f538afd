import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

from server.embedded.child import becomes, found
from server.embedded.errors import EmbeddedServiceError
from server.embedded.flock import is_locked
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis
from server.embedded.service import EmbeddedService

pytestmark = pytest.mark.integration

OTHER_PROGRAM = """
import asyncio, sys, pathlib
from server.embedded.{module} import {kind}

async def main():
    print(await {kind}(pathlib.Path(sys.argv[1])).start(), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture(params=[EmbeddedPostgres, EmbeddedRedis])
def kind(request: pytest.FixtureRequest) -> type[EmbeddedService]:
    return request.param


@pytest.fixture
async def user(kind: type[EmbeddedService], data_dir: Path) -> AsyncIterator[EmbeddedService]:
    service = kind(data_dir)
    yield service
    await service.stop()


@pytest.fixture
async def second(kind: type[EmbeddedService], data_dir: Path) -> AsyncIterator[EmbeddedService]:
    service = kind(data_dir)
    yield service
    await service.stop()


@pytest.fixture
def pids(kind: type[EmbeddedService], data_dir: Path) -> Callable[[], list[int]]:
    return lambda: found(folders=(data_dir / kind.name / "data",), names=kind.programs)


async def serves(url: str) -> bool:
    """Whether a client gets through with this URL, as the programs that use it do."""
    if url.startswith("redis"):
        async with Redis.from_url(url, retry=Retry(NoBackoff(), 0)) as client:
            return bool(await client.set("asked", 1))
    async with await psycopg.AsyncConnection.connect(url) as connection:
        return await (await connection.execute("SELECT 1")).fetchone() == (1,)


async def killed_owner(kind: type[EmbeddedService], data_dir: Path) -> str:
    """Start the service in another program and kill that program; the URL it had."""
    script = OTHER_PROGRAM.format(module=kind.name, kind=kind.__name__)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(data_dir), stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    assert program.stdout
    url = (await program.stdout.readline()).decode().strip()
    program.kill()
    await program.wait()
    return url


async def test_a_started_service_serves_its_url(user: EmbeddedService) -> None:
    assert await serves(await user.start())


async def test_the_password_shows_neither_in_the_arguments_nor_to_other_users(
    user: EmbeddedService, data_dir: Path, pids: Callable[[], list[int]]
) -> None:
    await user.start()
    password = data_dir / user.name / "password"
    assert password.stat().st_mode & 0o077 == 0
    assert password.read_text().strip() not in " ".join(psutil.Process(pids()[0]).cmdline())


async def test_every_user_knows_the_process(
    user: EmbeddedService, second: EmbeddedService, pids: Callable[[], list[int]]
):
    assert second.pid is None
    await user.start()
    assert [user.pid, second.pid] == pids() * 2


async def test_the_process_has_a_session_of_its_own(user: EmbeddedService, pids: Callable[[], list[int]]) -> None:
    await user.start()
    assert os.getsid(pids()[0]) == pids()[0]


async def test_a_second_user_attaches(
    user: EmbeddedService, second: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    url = await user.start()
    before = pids()
    assert (await second.start(), pids()) == (url, before)


async def test_users_who_start_at_once_share_one_process(
    user: EmbeddedService, second: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    urls = await asyncio.gather(user.start(), second.start())
    assert len(set(urls)) == len(pids()) == 1


async def test_the_starter_may_leave_first(user: EmbeddedService, second: EmbeddedService) -> None:
    await user.start()
    url = await second.start()
    await user.stop()
    assert await serves(url)


async def test_the_last_one_out_stops_the_process(
    user: EmbeddedService, second: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    await user.start()
    await second.start()
    await user.stop()
    await second.stop()
    assert pids() == []


async def test_stopping_without_having_started_leaves_others_alone(
    user: EmbeddedService, second: EmbeddedService
) -> None:
    url = await user.start()
    await second.stop()
    assert await serves(url)


async def test_a_killed_process_is_revived_by_starting_again(
    user: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    url = await user.start()
    os.kill(pids()[0], signal.SIGKILL)
    assert await user.start() == url
    assert await serves(url)


async def test_a_killed_process_is_revived_by_another_user(
    user: EmbeddedService, second: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    url = await user.start()
    os.kill(pids()[0], signal.SIGKILL)
    assert await second.start() == url
    assert await serves(url)


async def test_the_orphan_of_a_killed_program_is_attached_to_and_stopped_by_the_last_one_out(
    kind: type[EmbeddedService], data_dir: Path, user: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    url = await killed_owner(kind, data_dir)
    orphan = pids()
    assert (await user.start(), pids()) == (url, orphan)
    await user.stop()
    assert pids() == []


async def test_an_orphan_whose_password_file_is_lost_is_replaced(
    kind: type[EmbeddedService], data_dir: Path, user: EmbeddedService
) -> None:
    await killed_owner(kind, data_dir)
    (data_dir / kind.name / "password").unlink()
    assert await serves(await user.start())


async def test_a_lost_password_file_is_explained_while_others_use_the_service(
    user: EmbeddedService, second: EmbeddedService, data_dir: Path
) -> None:
    url = await user.start()
    (data_dir / user.name / "password").rename(data_dir / "kept")
    with pytest.raises(EmbeddedServiceError, match="End the other programs"):
        await second.start()
    (data_dir / "kept").rename(data_dir / user.name / "password")
    assert await serves(url)


async def test_a_taken_port_is_exchanged(user: EmbeddedService, data_dir: Path) -> None:
    await user.start()
    await user.stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", int((data_dir / user.name / "port").read_text())))
        other.listen()
        assert await serves(await user.start())


@pytest.mark.parametrize("text", ["", "abc", "99999999"])
async def test_a_damaged_port_file_is_replaced(user: EmbeddedService, data_dir: Path, text: str) -> None:
    (data_dir / user.name).mkdir(exist_ok=True)
    (data_dir / user.name / "port").write_text(text)
    assert await serves(await user.start())


async def test_lock_files_left_behind_do_not_block(user: EmbeddedService, data_dir: Path) -> None:
    folder = data_dir / user.name
    folder.mkdir(exist_ok=True)
    for name in ("users.lock", "starting.lock", "running.lock"):
        (folder / name).write_text("4711")
    assert await serves(await user.start())


async def never(self: EmbeddedService, *, port: int, password: str) -> bool:
    return await asyncio.Event().wait()


async def test_cancelling_a_start_leaves_nothing_behind(
    user: EmbeddedService, data_dir: Path, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(user), "_answers", never)
    starting = asyncio.create_task(user.start())
    await becomes(lambda: bool(pids()), within_secs=10)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert pids() == []
    assert not is_locked(data_dir / user.name / "users.lock")


async def test_a_process_whose_folder_was_deleted_is_ended(kind: type[EmbeddedService], data_dir: Path) -> None:
    doomed = data_dir / "doomed"
    service = kind(doomed)
    url = await service.start()
    shutil.rmtree(doomed)
    await service.stop()
    with pytest.raises((psycopg.OperationalError, RedisConnectionError)):
        await serves(url)


async def test_a_process_that_dies_is_started_again_on_its_port(
    user: EmbeddedService, pids: Callable[[], list[int]]
) -> None:
    url = await user.start()
    (dead,) = pids()
    os.kill(dead, signal.SIGKILL)
    assert await becomes(lambda: pids() == [], within_secs=10)
    assert await revived(user, url, within_secs=20)


@asynccontextmanager
async def kept(user: EmbeddedService) -> AsyncIterator[None]:
    keeping = asyncio.create_task(user.keep())
    try:
        yield
    finally:
        keeping.cancel()
        await asyncio.wait([keeping])


async def revived(user: EmbeddedService, url: str, *, within_secs: float) -> bool:
    """Whether the service answers again in time while it is kept."""
    async with kept(user):
        with suppress(TimeoutError):
            async with asyncio.timeout(within_secs):
                while not await answers(url):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                return True
    return False


async def test_a_port_that_another_takes_meanwhile_is_waited_for(
    user: EmbeddedService, data_dir: Path, pids: Callable[[], list[int]]
) -> None:
    url = await user.start()
    port = int((data_dir / user.name / "port").read_text())
    process = psutil.Process(pids()[0])
    process.kill()
    assert await becomes(lambda: process.status() == psutil.STATUS_ZOMBIE, within_secs=10)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        assert await becomes(lambda: bound(other, port), within_secs=10)  # its last thread may still hold the port
        other.listen()
        with pytest.raises(EmbeddedServiceError, match="did not start"):
            await user.start()
    assert await revived(user, url, within_secs=20)


def bound(sock: socket.socket, port: int) -> bool:
    try:
        sock.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True


async def test_a_service_that_cannot_be_looked_at_for_a_moment_is_kept_all_the_same(
    user: EmbeddedService, pids: Callable[[], list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = iter([EmbeddedServiceError("No more files can be opened.")])

    def look(self: EmbeddedService) -> bool:
        if error := next(looks, None):
            raise error
        return self._is_running()

    monkeypatch.setattr(EmbeddedService, "_is_alive", look)
    url = await user.start()
    os.kill(pids()[0], signal.SIGKILL)
    assert await revived(user, url, within_secs=20)


async def test_a_postgres_whose_helpers_are_busy_when_it_dies_is_started_again(data_dir: Path) -> None:
    async with EmbeddedPostgres(data_dir) as url:
        postgres = EmbeddedPostgres(data_dir)
        await postgres.start()
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            helper = psutil.Process(connection.info.backend_pid)
            busy = asyncio.create_task(connection.execute("DO $$ BEGIN LOOP END LOOP; END $$"))
            begun = helper.cpu_times().user
            assert await becomes(lambda: helper.cpu_times().user > begun, within_secs=10)
            os.kill(helper.ppid(), signal.SIGKILL)
            back = await revived(postgres, url, within_secs=25)
            with suppress(psutil.NoSuchProcess):
                helper.kill()
            with suppress(psycopg.Error):
                await busy
        await postgres.stop()
    assert back


async def test_a_process_that_lives_is_left_alone(user: EmbeddedService, pids: Callable[[], list[int]]) -> None:
    await user.start()
    before = pids()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(user.keep(), 1.2)
    assert pids() == before


async def test_what_a_killed_program_left_is_stopped_where_nobody_uses_it(
    kind: type[EmbeddedService], data_dir: Path, pids: Callable[[], list[int]]
) -> None:
    await killed_owner(kind, data_dir)
    assert pids()
    await kind(data_dir).stop_unused()
    assert await becomes(lambda: pids() == [], within_secs=5)


async def test_what_another_program_uses_is_not_stopped(user: EmbeddedService, second: EmbeddedService) -> None:
    url = await user.start()
    await second.stop_unused()
    assert await serves(url)


async def test_nothing_is_stopped_where_nothing_ever_ran(kind: type[EmbeddedService], tmp_path: Path) -> None:
    await kind(tmp_path / "never").stop_unused()
    assert not (tmp_path / "never").exists()


async def answers(url: str) -> bool:
    try:
        return await serves(url)
    except (psycopg.OperationalError, RedisConnectionError):
        return False
