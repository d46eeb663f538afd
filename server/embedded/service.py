"""One process that several programs share: the first starts it, later ones attach, the last one out stops it."""

import asyncio
import subprocess
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from loguru import logger

from server.embedded.child import Command, Stage, becomes, end, found, free_port, spawn, works_in
from server.embedded.errors import EmbeddedServiceError, WrongPasswordError
from server.embedded.flock import POLL_SECS, Flock, is_locked
from server.embedded.folder import ServiceFolder

ANSWER_TIMEOUT_SECS = 60.0
TURN_TIMEOUT_SECS = 180.0
LAUNCH_ATTEMPTS = 5
WATCH_SECS = 0.5
LONGEST_REST_SECS = 30.0


class EmbeddedService(ABC):
    """What the embedded services have in common; a subclass says how its process is prepared, started and asked.

    Three locks in the service's folder carry the protocol. Every user holds `users` shared. Starting and stopping take
    turns under `starting`. The process itself inherits `running`, so that lock is free exactly when no process is left,
    however it or its parent ended. A user who leaves and can take `users` alone was the last.
    """

    name: str
    programs: frozenset[str]
    stages: tuple[Stage, ...]

    def __init__(self, data_dir: Path) -> None:
        self._folder = ServiceFolder(data_dir, service=self.name)
        self._users = Flock(self.users_lock)
        self._child: subprocess.Popen[bytes] | None = None
        self._promised_port: int | None = None

    @property
    def users_lock(self) -> Path:
        """The file on which whoever needs the service holds a shared flock."""
        return self._folder.lock("users")

    @property
    def pid(self) -> int | None:
        """The process that runs now, whoever started it."""
        pid = self._folder.read("pid") or ""
        return int(pid) if works_in(pid, self._folder.data) else None

    @abstractmethod
    async def _prepare(self, running: Flock) -> None:
        """Make sure of the password and of a folder that the process can start in."""

    @abstractmethod
    def _command(self, *, port: int, password: str) -> Command:
        """The process to start."""

    @abstractmethod
    async def _answers(self, *, port: int, password: str) -> bool:
        """Whether the process serves clients; raises WrongPasswordError when it refuses the password."""

    @abstractmethod
    def _url(self, *, port: int, password: str) -> str:
        """Where clients find the service."""

    async def start(self) -> str:
        """The service's URL, once it answers; called again, it revives a service that died, at the same URL.

        Raises EmbeddedServiceError when the service can't run.
        """
        await asyncio.to_thread(self._folder.make)
        async with self._turn():
            self._users.try_shared()
            try:
                url = await self._attach() or await self._launch()
            except BaseException:
                await self._leave()
                raise
            self._promised_port = self._known_port()
            return url

    async def stop(self) -> None:
        """Leave the service, and end its process if nobody else uses it."""
        self._promised_port = None
        if not self._users.held:
            return
        if not self._folder.path.exists():
            await self._abandon()
            return
        async with self._turn():
            await self._leave()

    async def stop_unused(self) -> None:
        """End the process where no program uses it, such as one that was killed left it."""
        if self._folder.path.exists():
            async with self._turn():
                await self._leave()

    async def keep(self) -> None:
        """Start the process again whenever it dies, until cancelled; on its port, so that clients find it again."""
        failures = 0
        while True:
            await asyncio.sleep(min(WATCH_SECS * 2**failures, LONGEST_REST_SECS))
            if not self._folder.path.exists():
                return  # deleted with all that was in it
            try:
                if self._users.held and await asyncio.to_thread(self._is_alive):
                    failures = 0
                    continue
                logger.error("the embedded {} died; starting it again", self.name)
                await self.start()
            except EmbeddedServiceError as error:
                failures += 1
                logger.error("the embedded {} is still down: {}", self.name, type(error).__name__)

    async def __aenter__(self) -> str:
        return await self.start()

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        turn = Flock(self._folder.lock("starting"))
        await turn.exclusive(timeout_secs=TURN_TIMEOUT_SECS, waiting_for=self.name)
        try:
            yield
        finally:
            turn.release()

    async def _leave(self) -> None:
        try:
            if self._users.try_exclusive():
                await self._end()
        finally:
            self._users.release()

    async def _abandon(self) -> None:
        """End our own process after its folder was deleted: nobody can find it any more, and it can't save anything."""
        self._users.release()
        if self._child:
            await self._end_child(self._child, stages=self.stages[1:])

    async def _attach(self) -> str | None:
        """The URL of the process that runs already; None if there is none (any more)."""
        if not self._is_running():
            return None
        port, password = self._known_port(), self._folder.read("password")
        if port and password:
            try:
                if await self._answers_while(self._is_whole, port=port, password=password):
                    return self._url(port=port, password=password)
                await self._end()
                return None
            except (TimeoutError, WrongPasswordError):
                logger.warning("embedded {} runs but does not serve us", self.name)
        alone = self._users.try_exclusive()
        self._users.try_shared()
        if not alone:
            raise EmbeddedServiceError(
                f"The embedded {self.name} of {self._folder.path} runs but can't be used from here: its password or "
                f"port file is lost, or it hangs, or it runs in another container. End the other programs that use "
                f"this data directory, then start again. Log: {self._folder.log}"
            )
        await self._end()
        return None

    async def _launch(self) -> str:
        running = Flock(self._folder.lock("running"))
        if not running.try_exclusive():
            raise EmbeddedServiceError(f"{self.name} could not be stopped. End it by hand, then start again.")
        try:
            if strays := self._pids():
                raise EmbeddedServiceError(
                    f"Process {strays[0]} uses {self._folder.data} but Jarvis did not start it. End it, then try again."
                )
            for _ in range(LAUNCH_ATTEMPTS):
                if url := await self._try_launch(running):
                    return url
        finally:
            running.close()
        raise self._failure("did not start")

    async def _try_launch(self, running: Flock) -> str | None:
        """The URL of a fresh process; None if it failed for a reason that is gone now."""
        await self._prepare(running)
        password = self._folder.read("password") or ""
        port = self._promised_port or free_port(self._known_port())
        self._folder.write("port", str(port))
        child = self._child = self._spawn(self._command(port=port, password=password), running, cwd=self._folder.data)
        try:
            self._folder.write("pid", str(child.pid))
            if await self._answers_while(lambda: child.poll() is None, port=port, password=password):
                return self._url(port=port, password=password)
        except WrongPasswordError:
            await self._end_child(child)
            self._folder.remove("password")
            return None
        except TimeoutError:
            await self._end_child(child)
            raise self._failure(f"did not answer within {ANSWER_TIMEOUT_SECS:.0f} s") from None
        except BaseException:
            await self._end_child(child)
            raise
        log_tail = self._folder.log_tail()
        if "Address already in use" in log_tail:
            self._folder.remove("port")
            return None
        raise self._failure("ended while starting")

    async def _answers_while(self, running: Callable[[], bool], *, port: int, password: str) -> bool:
        """Ask until the process answers or ends; raises TimeoutError when it does neither."""
        async with asyncio.timeout(ANSWER_TIMEOUT_SECS):
            while not await self._answers(port=port, password=password):
                if not running():
                    return False
                await asyncio.sleep(POLL_SECS)
        return True

    async def _run(self, command: Command, running: Flock, *, cwd: Path, timeout_secs: float) -> None:
        """Run a command to its end; raises EmbeddedServiceError unless it succeeds."""
        child = self._spawn(command, running, cwd=cwd)
        program = Path(command.argv[0]).name
        try:
            if not await becomes(lambda: child.poll() is not None, within_secs=timeout_secs):
                raise self._failure(f"can't start: {program} did not end within {timeout_secs:.0f} s")
        finally:
            await self._end_child(child)
        if child.returncode:
            raise self._failure(f"can't start: {program} failed")

    def _spawn(self, command: Command, running: Flock, *, cwd: Path) -> subprocess.Popen[bytes]:
        log_fd = self._folder.open_log()
        try:
            return spawn(command, cwd=cwd, account=self._folder.account, log_fd=log_fd, lock_fd=running.fd)
        except OSError as error:
            raise EmbeddedServiceError(
                f"{command.argv[0]} can't be run. It must exist, fit this machine, and not be on a disk mounted noexec."
            ) from error

    def _is_running(self) -> bool:
        return is_locked(self._folder.lock("running"))

    def _is_alive(self) -> bool:
        """Whether the process itself runs: a killed one is not, however long its helpers take to notice."""
        pid = self._folder.read("pid") or ""
        return self._is_running() and (works_in(pid, self._folder.data) or self._is_whole())

    def _is_whole(self) -> bool:
        """Whether more is running than the helpers of a process that was killed, which may be busy for long."""
        pids = [str(pid) for pid in self._pids()]
        return self._is_running() and (not pids or self._folder.read("pid") in pids)

    def _known_port(self) -> int | None:
        text = self._folder.read("port") or ""
        return int(text) if text.isdecimal() and 0 < int(text) < 65536 else None

    def _pids(self) -> list[int]:
        return found(folders=(self._folder.data, self._folder.unfinished), names=self.programs)

    async def _end(self) -> None:
        if self._is_running():
            await end(name=self.name, pids=self._pids, gone=lambda: not self._is_running(), stages=self.stages)
        if self._is_running():
            raise EmbeddedServiceError(
                f"{self.name} in {self._folder.path} could not be stopped from here. End it by hand, then try again."
            )
        if child := self._child:
            await becomes(lambda: child.poll() is not None, within_secs=1)

    async def _end_child(self, child: subprocess.Popen[bytes], *, stages: tuple[Stage, ...] = ()) -> None:
        if child.poll() is None:
            pids = [child.pid]
            stages = stages or self.stages
            await end(name=self.name, pids=lambda: pids, gone=lambda: child.poll() is not None, stages=stages)

    def _failure(self, what: str) -> EmbeddedServiceError:
        log_tail = self._folder.log_tail()
        if "No space left on device" in log_tail:
            advice = "The disk is full: free some space, or set JARVIS_DATA_DIR to a larger disk."
        else:
            advice = f"The reason is at the end of {self._folder.log}:"
        return EmbeddedServiceError(f"The embedded {self.name} {what}. {advice}\n{log_tail}")
