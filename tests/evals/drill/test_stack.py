"""The server of a drill."""

import subprocess
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from evals.drill.errors import DrillError
from evals.drill.stack import Stack
from evals.program import ProgramError

METRICS = """
# TYPE jarvis_failovers counter
jarvis_failovers_total{from="deepgram",reason="stalled",stage="stt",to="openai"} 2.0
jarvis_failovers_total{from="openai",reason="late",stage="llm",to="anthropic"} 5.0
# TYPE jarvis_provider_circuit gauge
jarvis_provider_circuit{provider="deepgram",stage="stt"} 0.0
"""


class FakeJarvis:
    """Writes down that it ran in its data directory."""

    url = ""

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        self.variables = variables

    def start(self) -> None:
        """Runs."""
        with (self.data_dir / "starts").open("a") as starts:
            starts.write("x")

    def stop(self) -> None:
        """Ends."""

    def operator_key(self) -> str:
        """Opens it."""
        return "k"


class BrokenJarvis(FakeJarvis):
    """Does not start."""

    def start(self) -> None:
        """Raises."""
        raise ProgramError("the port is taken")


async def test_a_renewed_one_begins_with_what_was_prepared(tmp_path: Path):
    async with aiohttp.ClientSession() as http:
        running = Stack(tmp_path, {}, http, make=FakeJarvis)  # type: ignore[arg-type]
        await running.start()
        await running.renew()
    assert (tmp_path / "data" / "starts").read_text() == "xx"


async def test_one_that_does_not_start_says_why(tmp_path: Path):
    async with aiohttp.ClientSession() as http:
        running = Stack(tmp_path, {}, http, make=BrokenJarvis)  # type: ignore[arg-type]
        with pytest.raises(DrillError, match="the port is taken"):
            await running.start()


class StuckJarvis(FakeJarvis):
    """Does not end by itself."""

    killed = False

    def stop(self) -> None:
        """Takes too long."""
        if self.data_dir.name == "data":
            raise subprocess.TimeoutExpired("jarvis", 20)

    def kill(self) -> None:
        """Ends at once."""
        StuckJarvis.killed = True


async def test_one_that_does_not_end_is_killed(tmp_path: Path):
    async with aiohttp.ClientSession() as http:
        running = Stack(tmp_path, {}, http, make=StuckJarvis)  # type: ignore[arg-type]
        await running.start()
        await running.stop()
    assert StuckJarvis.killed


async def test_a_server_that_does_not_say_may_have_an_open_circuit(tmp_path: Path):
    async with aiohttp.ClientSession() as http:
        running = Stack(tmp_path, {}, http, make=FakeJarvis)  # type: ignore[arg-type]
        await running.start()
        running._running.url = "http://127.0.0.1:9"
        assert await running.has_open_circuit()


@pytest.mark.parametrize(("metrics", "is_open"), [(METRICS, False), (METRICS.replace("} 0.0", "} 2.0"), True)])
async def test_it_knows_who_took_over_and_whether_a_circuit_is_open(tmp_path: Path, metrics: str, is_open: bool):
    async def answer(request: web.Request) -> web.Response:
        assert request.headers["Authorization"] == "Bearer k"
        return web.Response(text=metrics)

    app = web.Application()
    app.add_routes([web.get("/metrics", answer)])
    async with TestServer(app) as server, aiohttp.ClientSession() as http:
        address = str(server.make_url("")).rstrip("/")

        def make(data_dir: Path, **variables: str) -> Any:
            jarvis = FakeJarvis(data_dir, **variables)
            jarvis.url = address
            return jarvis

        running = Stack(tmp_path, {}, http, make=make)
        await running.start()
        assert await running.failovers("stt") == 2.0
        assert await running.has_open_circuit() is is_open
