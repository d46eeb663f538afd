"""Whose address it is, and when it may be shared."""

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from server.errors import SetupError
from server.listener import bound, local, shown
from server.settings import Settings


def settings(port: int, tmp_path: Path) -> Settings:
    return Settings(host="127.0.0.1", port=port, data_dir=tmp_path)


class Sharing(HTTPServer):
    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """The port of a server whose /readyz says so."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None: ...

    server = Sharing(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


async def test_what_is_written_to_a_caller_is_sent_at_once(tmp_path: Path):
    at_once = asyncio.get_running_loop().create_future()

    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        at_once.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    listener = bound(settings(0, tmp_path))
    async with await asyncio.start_server(answer, sock=listener):
        socket.create_connection(listener.getsockname(), timeout=1).close()
        assert await at_once


def test_a_free_address_is_bound_and_nobody_is_let_in_yet(tmp_path: Path):
    with bound(settings(0, tmp_path)) as listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(listener.getsockname(), timeout=1)


def test_the_address_of_a_draining_server_is_shared(tmp_path: Path):
    with answering(503, b'{"ready": false, "draining": true}') as port, bound(settings(port, tmp_path)) as listener:
        assert listener.getsockname()[1] == port


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b'{"draining": false}'), (503, b'{"ready": false, "draining": false}'), (503, b"busy"), (404, b"[]")],
)
def test_the_address_of_anybody_else_is_refused_with_a_way_out(tmp_path: Path, status: int, body: bytes):
    with answering(status, body) as port, pytest.raises(SetupError, match=f"jarvis run --port {port + 1}"):
        bound(settings(port, tmp_path))


def test_a_port_that_answers_nothing_is_refused(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SetupError, match="can't be used"):
        bound(settings(taken.getsockname()[1], tmp_path))


@pytest.mark.parametrize(("host", "here"), [("0.0.0.0", "127.0.0.1"), ("::1", "[::1]"), ("10.0.0.1", "10.0.0.1")])
def test_an_address_is_reached_from_this_host(host: str, here: str):
    assert local(host) == here


def test_an_address_that_is_all_addresses_is_shown_by_the_hosts_name():
    assert shown("0.0.0.0") == socket.gethostname()
