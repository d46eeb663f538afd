"""The real program, as its user runs it."""

import contextlib
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bot.providers.stages import vendors_variables

ROOT = Path(__file__).parents[1]
RECORDINGS = ROOT / "tests" / "fixtures" / "speech"
START_SECS = 120.0
STOP_SECS = 20.0
LEFT_SECS = 3.0
CALL_SECS = 120.0


class ProgramError(Exception):
    """The program did not do what it must; the message holds what it said."""


@dataclass(frozen=True)
class Outcome:
    """What a command came to."""

    code: int
    out: str
    err: str


class Jarvis:
    """A server with a data directory of its own, and the commands that use it."""

    def __init__(self, data_dir: Path, **environment: str):
        vendors = vendors_variables()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JARVIS_", "OPENAI_", "OTEL_")) and name not in vendors
        }
        # The callers of tests and measures use the same cores as the server, which must not refuse them for that.
        # They all come from one address, too.
        measured = {
            "JARVIS_MAX_CPU_PERCENT": "101",
            "JARVIS_PUBLIC_CALLS_PER_ADDRESS": "100000",
            "JARVIS_PUBLIC_CALLS_PER_MINUTE": "100000",
            "JARVIS_ADDRESS_REQUESTS_PER_MINUTE": "100000",
        }
        self.environment = kept | measured | {"JARVIS_DATA_DIR": str(data_dir)} | environment
        self.program: tuple[str, ...] = ("server",)
        """The module that serves, and what it is told before `run`."""
        self.log = data_dir / "server.log"
        self.url = ""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> psutil.Process:
        """The running server."""
        if self._process is None:
            raise ProgramError("the server was not started")
        return psutil.Process(self._process.pid)

    def start(self, *, port: int = 0) -> None:
        """Runs the server until it is ready; at a free port where none is named."""
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-m", *self.program, "run", "--port", str(port)],
                cwd=ROOT,
                env=self.environment,
                stderr=log,
                stdout=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECS
        while time.monotonic() < deadline:
            said = self.log.read_text(errors="replace")
            if link := re.search(r"Call it:\s+(http://\S+)/call", said):
                self.url = link[1]
                return
            if self._process.poll() is not None:
                raise ProgramError(f"the server ended:\n{said}")
            time.sleep(0.05)
        raise ProgramError(f"the server is not ready:\n{self.log.read_text(errors='replace')}")

    def stop(self, number: signal.Signals = signal.SIGINT) -> tuple[int, list[str]]:
        """Ends the server as Ctrl-C does: its exit code, and the names of processes of its that are left."""
        if self._process is None:
            return 0, []
        if (ended := self._process.poll()) is not None:
            return ended, []
        family = [self.process, *self.process.children(recursive=True)]
        self._process.send_signal(number)
        return self._process.wait(STOP_SECS), left_of(family[1:])

    def ended(self, within_secs: float) -> int | None:
        """The exit code of a server that ends by itself; None where it still runs by then."""
        if self._process is None:
            return 0
        try:
            return self._process.wait(within_secs)
        except subprocess.TimeoutExpired:
            return None

    def command(self, *arguments: str, seconds: float = CALL_SECS) -> Outcome:
        """One `jarvis` command."""
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "server", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def call(self, *questions: str, out: Path, options: Sequence[str] = ()) -> dict[str, Any]:
        """A call that speaks the recordings of these questions (q01 …): its report."""
        placed = self.command(*self.call_arguments(*questions, out=out), *options)
        if not placed.out:
            raise ProgramError(placed.err)
        return json.loads(placed.out)

    def call_arguments(self, *questions: str, out: Path) -> list[str]:
        """The arguments of `jarvis call` for recordings."""
        wavs = [part for q in questions for part in ("--wav", str(RECORDINGS / "slt" / f"{q}.flac"))]
        return ["call", "--url", self.url, "--json", "--out", str(out), *wavs]

    def request(
        self, method: str, path: str, body: Any = None, token: str | None = None
    ) -> tuple[int, dict[str, Any], dict[str, str]]:
        """One HTTP request: status, JSON body, headers."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310
                return response.status, _json(response.read()), dict(response.headers)
        except urllib.error.HTTPError as error:
            return error.code, _json(error.read()), dict(error.headers)

    def bot_of(self, session_id: str) -> psutil.Process:
        """The bot process that has the session."""
        for path in (Path(self.environment["JARVIS_DATA_DIR"]) / "run" / "bots").glob("*.sock"):
            with contextlib.suppress(OSError, ValueError):
                has, pid = _ask_bot(path)
                if has == session_id:
                    return psutil.Process(pid)
        raise ProgramError("no bot has that session")

    def operator_key(self) -> str:
        """The key for the operator's routes."""
        return (Path(self.environment["JARVIS_DATA_DIR"]) / "operator.key").read_text().strip()

    def kill(self) -> None:
        """Ends the server as a crash does."""
        self.process.kill()
        if self._process is not None:
            self._process.wait(STOP_SECS)

    def bots(self) -> list[psutil.Process]:
        """The bot processes, those in a call and those that wait."""
        family = self.process.children(recursive=True)
        parents = [p for p in family if p.ppid() == self.process.pid and "forkserver" in " ".join(p.cmdline())]
        return [child for parent in parents for child in parent.children()]


def _ask_bot(path: Path) -> tuple[str | None, int]:
    """The session that the bot on this control socket has, and the bot's process id."""
    with socket.socket(socket.AF_UNIX) as bot:
        bot.settimeout(2)
        bot.connect(str(path))
        pid, _, _ = struct.unpack("3i", bot.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
        bot.sendall(b"GET /session HTTP/1.0\r\nHost: bot\r\n\r\n")
        answer = b"".join(iter(lambda: bot.recv(65536), b""))
    return json.loads(answer.partition(b"\r\n\r\n")[2])["session_id"], pid


def left_of(family: Sequence[psutil.Process]) -> list[str]:
    """How those of these processes were started that soon still run. Blocks."""
    _, left = psutil.wait_procs(family, timeout=LEFT_SECS)
    return [command for p in left if (command := _command(p))]


def _command(process: psutil.Process) -> str:
    """How a process that runs was started; nothing of one that has ended, waited for or not."""
    with contextlib.suppress(psutil.Error):
        return " ".join(process.cmdline())[:80] if process.is_running() else ""
    return ""


def _json(body: bytes) -> dict[str, Any]:
    return json.loads(body) if body[:1] == b"{" else {}
