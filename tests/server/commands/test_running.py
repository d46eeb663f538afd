"""`jarvis ps`, `top`, `end` and `drain` against a server that speaks its interface, and against what is none."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner, Result

from server.cli import app
from server.commands.running import counted

ROOT = Path(__file__).parents[3]
KEY = "the-operators-key"
NOW = datetime.now(UTC).isoformat()
CALL = {
    "id": "6f1c0b8e5d2a4c79",
    "state": "connected",
    "channel": "webrtc",
    "caller": None,
    "metadata": {},
    "created_at": NOW,
    "connected_at": NOW,
    "turns": 3,
    "floor": "bot",
    "v2v_ms": 640,
    "cpu_percent": 21.5,
    "memory_mb": 44.8,
    "bots": 2,
    "server": "0f4f9c3f",
}
SERVER = {
    "id": "0f4f9c3f",
    "address": "127.0.0.1:7860",
    "state": "ready",
    "sessions": 1,
    "warm_bots": 1,
    "started_at": NOW,
    "answering": True,
}
CAPACITY = {
    "max_sessions": 4,
    "live": 1,
    "free": 3,
    "limited_by": None,
    "cpu_percent": 20.0,
    "max_cpu_percent": 85.0,
    "available_mb": 3000,
    "call_cpu_percent": 11.0,
    "call_memory_mb": 45.0,
}


class Server(BaseHTTPRequestHandler):
    """Answers as the real one does; `status` replaces every answer's, `body` its body.

    `calls` are on; `beside` are the other servers of its host; while it `hangs` it answers nothing. While it drains one
    call ends with each look, a `long` one with the second; it ends with the last one, or at once where it `leaves`.
    """

    calls: ClassVar[list[dict[str, Any]]] = []
    status: ClassVar[int | None] = None
    body: ClassVar[bytes | None] = None
    capacity: ClassVar[dict[str, Any]] = CAPACITY
    beside: ClassVar[list[dict[str, Any]]] = []
    waiting: ClassVar[int] = 0
    hangs: ClassVar[threading.Event | None] = None
    leaves: ClassVar[bool] = False
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        draining = "POST /api/ingress/drain" in self.asked
        servers = [] if draining and not self.calls else [SERVER | {"sessions": len(self.calls)}]
        servers += self.beside
        self._answer(
            200, {"sessions": self.calls, "servers": servers, "capacity": self.capacity, "waiting": self.waiting}
        )
        if draining and self.calls and not self.calls[-1].pop("long", False):
            self.calls.pop()

    def do_POST(self) -> None:
        self._answer(202, {"draining": True, "live_sessions": len(self.calls), "limit_secs": 1800})
        if self.leaves:
            self.server.shutdown()
            self.server.server_close()

    def do_DELETE(self) -> None:
        there = self.path.rpartition("/")[2] in [call["id"] for call in self.calls if not call.get("gone")]
        busy = any(call.get("busy") for call in self.calls if self.path.endswith(call["id"]))
        self._answer(503 if busy else 204 if there else 410, None)

    def do_PATCH(self) -> None:
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        there = not any(call.get("gone") for call in self.calls)
        known = change.get("llm") != "nobody"
        said = None if known else {"detail": "This call has no nobody as its llm; it has extractive."}
        type(self).asked.append(json.dumps(change))
        self._answer(410 if not there else 204 if known else 422, said)

    def _answer(self, status: int, body: Any) -> None:
        type(self).asked.append(f"{self.command} {self.path}")
        if self.hangs:
            self.hangs.wait(10)
        known = self.headers["Authorization"] == f"Bearer {KEY}"
        self.send_response((type(self).status or status) if known else 401)
        self.end_headers()
        if body is not None:
            self.wfile.write(type(self).body or json.dumps(body).encode())

    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def server(tmp_path: Path) -> Iterator[type[Server]]:
    """A server on loopback, and its key where the commands look for it."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "operator.key").write_text(KEY)
    handler = type("Handler", (Server,), {"asked": [], "calls": []})
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    handler.url = f"http://127.0.0.1:{http.server_port}"  # pyright: ignore[reportAttributeAccessIssue]
    yield handler
    http.shutdown()
    http.server_close()


def jarvis(server: Any, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--url", server.url])


@contextmanager
def begun(server: Any, *arguments: str, **streams: Any) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, which is gone afterwards."""
    command = [sys.executable, "-m", "server", *arguments, "--url", server.url]
    environment = os.environ | {"TERM": "xterm"}
    with subprocess.Popen(command, text=True, env=environment, cwd=ROOT, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def until_said(stream: Any, words: str) -> str:
    """What the stream says up to the line with these words."""
    lines: list[str] = []
    for line in stream:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError(f"{words!r} was not said, but {''.join(lines)}")


def until_shown(terminal: int, words: bytes) -> None:
    """Returns when the terminal shows these words."""
    shown = b""
    while words not in shown:
        assert select.select([terminal], [], [], 10)[0], shown
        shown += os.read(terminal, 4096)


@pytest.mark.parametrize(("number", "said"), [(0, "0 calls"), (1, "1 call"), (2, "2 calls")])
def test_a_number_goes_with_its_noun(number: int, said: str):
    assert counted(number, "call", "calls") == said


def test_ps_lists_the_calls_and_how_many_more_fit(server: Any):
    server.calls = [CALL]
    said = jarvis(server, "ps").output
    assert all(part in said for part in (CALL["id"], "Jarvis speaks", "640 ms", "22 %", "45 MB"))
    assert "1 of 4 lines taken; 3 more fit" in said
    assert "server 0f4f9c3f at 127.0.0.1:7860: ready" in said


def test_eighty_characters_hold_a_whole_id(server: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "80")
    server.calls = [CALL | {"state": "reconnecting", "v2v_ms": 12345, "cpu_percent": 100.0, "memory_mb": 512.0}]
    server.beside = [SERVER | {"id": "a5d2c1b0", "answering": False}]
    said = jarvis(server, "ps").output
    assert all(part in said for part in (CALL["id"], "reconnecting", "12345 ms", "100 %", "512 MB"))


def test_ps_says_whose_a_call_is_where_servers_are_several(server: Any):
    server.calls, server.beside = [CALL | {"server": "a5d2c1b0"}], [SERVER | {"id": "a5d2c1b0", "answering": False}]
    row = next(line for line in jarvis(server, "ps").output.splitlines() if CALL["id"] in line)
    assert row.endswith("a5d2c1b0")


def test_ps_says_that_nobody_calls(server: Any):
    assert "Nobody calls." in jarvis(server, "ps").output


@pytest.mark.parametrize(
    ("limit", "said"),
    [("max_sessions", "all lines are taken"), ("cpu", "CPU 20 % busy"), ("memory", "3000 MB of memory")],
)
def test_ps_says_what_keeps_the_next_caller_out(server: Any, limit: str, said: str):
    server.capacity = CAPACITY | {"free": 0, "limited_by": limit}
    assert said in jarvis(server, "ps").output


@pytest.mark.parametrize(("waiting", "said"), [(1, "3 more fit; 1 waits in line"), (2, "3 more fit; 2 wait in line")])
def test_ps_says_how_many_wait(server: Any, waiting: int, said: str):
    server.waiting = waiting
    assert said in jarvis(server, "ps").output


def test_ps_as_json_is_what_the_server_said(server: Any):
    server.calls = [CALL]
    assert json.loads(jarvis(server, "ps", "--json").stdout)["sessions"][0]["turns"] == 3


def test_top_shows_one_look(server: Any):
    server.calls = [CALL]
    said = jarvis(server, "top", "--once").output
    assert all(part in said for part in ("CPU 20 % of 85", "3000 MB free", "Jarvis speaks"))


def test_top_in_a_pipe_shows_look_after_look_and_waits_for_a_server_that_is_away(server: Any):
    server.calls = [CALL]
    with begun(server, "top", "--interval", "0.2", stdout=subprocess.PIPE) as watching:
        until_said(watching.stdout, CALL["id"])
        server.status = 500
        until_said(watching.stdout, "Trying again.")
        server.status = None
        until_said(watching.stdout, CALL["id"])
        watching.send_signal(signal.SIGINT)
        watching.communicate(timeout=10)
        assert watching.returncode == 0


def test_top_on_a_terminal_ends_with_q(server: Any):
    ours, its = pty.openpty()
    with begun(server, "top", "--interval", "60", stdin=its, stdout=its, stderr=its) as watching:
        until_shown(ours, b"Nobody calls.")
        os.write(ours, b"q")
        assert watching.wait(10) == 0
    assert termios.tcgetattr(its)[3] & termios.ICANON  # the terminal is as it was
    os.close(its)
    os.close(ours)


def test_end_takes_the_beginning_of_an_id(server: Any):
    server.calls = [CALL]
    result = jarvis(server, "end", "6f1c")
    assert (result.exit_code, result.output) == (0, f"ended: {CALL['id']}\n")
    assert f"DELETE /api/ingress/session/{CALL['id']}" in server.asked


def test_end_all_ends_every_call(server: Any):
    server.calls = [CALL, CALL | {"id": "other"}]
    assert jarvis(server, "end", "--all").output == f"ended: {CALL['id']}\nended: other\n"


def test_end_all_says_that_nobody_calls(server: Any):
    result = jarvis(server, "end", "--all")
    assert (result.exit_code, result.output) == (0, "Nobody calls.\n")


def test_a_call_that_cannot_be_ended_now_does_not_keep_the_others(server: Any):
    server.calls = [CALL | {"busy": True}, CALL | {"id": "other"}]
    result = jarvis(server, "end", "--all")
    assert (result.exit_code, "answered with 503" in result.output, "ended: other" in result.output) == (1, True, True)


def test_a_call_that_ended_meanwhile_is_said(server: Any):
    server.calls = [CALL | {"gone": True}]
    result = jarvis(server, "end", "6f1c")
    assert (result.exit_code, "had ended already" in result.output) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["nobody"], "There is no call"), ([], "Say which calls"), (["6f1c", "--all"], "Say which calls")],
)
def test_end_says_what_it_needs(server: Any, arguments: list[str], said: str):
    server.calls = [CALL]
    result = jarvis(server, "end", *arguments)
    assert (result.exit_code, said in result.output) == (1, True)


def test_two_calls_that_begin_alike_are_not_ended_by_chance(server: Any):
    server.calls = [CALL, CALL | {"id": "6f1c9"}]
    assert "2 calls begin with '6f1c'" in jarvis(server, "end", "6f1c").output
    assert not any(asked.startswith("DELETE") for asked in server.asked)


def test_drain_shows_the_calls_until_the_server_has_ended(server: Any):
    server.calls = [CALL, CALL | {"id": "other", "long": True}]
    assert jarvis(server, "drain").output.splitlines() == [
        "No new calls are taken. 2 calls go on, for 30 minutes at most.",
        "2 calls go on",
        "1 call goes on",
        "The server has ended.",
    ]


def test_drain_knows_a_server_that_left_nobody_behind(server: Any):
    server.calls, server.leaves = [CALL], True
    result = jarvis(server, "drain")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "The server has ended.")


def test_a_drain_that_is_no_longer_watched_goes_on(server: Any):
    server.calls = [CALL | {"id": str(number)} for number in range(100)]
    with begun(server, "drain", stderr=subprocess.PIPE) as draining:
        until_said(draining.stderr, "99 calls go on")
        draining.send_signal(signal.SIGINT)
        until_said(draining.stderr, "The server goes on draining.")
        assert draining.wait(10) == 130


def test_a_drain_that_takes_longer_than_it_may_is_said(server: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.commands.drain.STOP_SECS", -1800.0)
    server.calls = [CALL]
    result = jarvis(server, "drain")
    assert (result.exit_code, "The server has not ended" in result.output) == (1, True)


def test_drain_need_not_wait(server: Any):
    assert "ended" not in jarvis(server, "drain", "--no-wait").output


@pytest.mark.parametrize("command", [["ps"], ["top", "--once"], ["end", "--all"], ["drain"]], ids=lambda c: c[0])
class TestEveryCommand:
    def test_says_where_it_found_no_server(self, server: Any, command: list[str]):
        server.url = "http://127.0.0.1:9"
        result = jarvis(server, *command)
        assert (result.exit_code, "No server answers at http://127.0.0.1:9" in result.output) == (1, True)

    def test_does_not_wait_for_a_server_that_hangs(
        self, server: Any, command: list[str], monkeypatch: pytest.MonkeyPatch
    ):
        monkeypatch.setattr("server.commands.running.ASK_SECS", 0.1)
        server.hangs = threading.Event()
        result = jarvis(server, *command)
        server.hangs.set()
        assert (result.exit_code, "did not answer within" in result.output) == (1, True)

    def test_says_that_the_key_is_another_servers(self, server: Any, command: list[str], tmp_path: Path):
        (tmp_path / "data" / "operator.key").write_text("another")
        result = jarvis(server, *command)
        assert (result.exit_code, "does not know this key" in result.output) == (1, True)

    def test_says_that_there_is_no_key(self, server: Any, command: list[str], tmp_path: Path):
        (tmp_path / "data" / "operator.key").unlink()
        result = jarvis(server, *command)
        assert (result.exit_code, "operator.key can't be read" in result.output) == (1, True)

    @pytest.mark.parametrize(("status", "body"), [(500, None), (200, b"<html>"), (200, b"{}")])
    def test_says_that_what_answers_is_not_right(
        self, server: Any, command: list[str], status: int, body: bytes | None
    ):
        server.status, server.body = status, body
        result = jarvis(server, *command)
        assert (result.exit_code, "Jarvis can't go on." in result.output) == (1, True)
        assert KEY not in result.output


def test_a_command_loads_no_pipeline():
    check = "import sys, server.cli; sys.exit('pipecat' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], cwd=ROOT, check=False).returncode == 0
