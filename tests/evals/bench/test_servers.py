"""The server that is measured."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from evals.bench import servers as module
from evals.bench.errors import BenchError
from evals.bench.servers import data_dir, running, variables, vendors
from evals.drill.errors import DrillError
from evals.program import ProgramError


class FakeJarvis:
    """Writes down what is done with it."""

    starts, ends = True, True
    did: list[str]

    def __init__(self, _path: Path, **variables: str) -> None:
        self.variables = variables
        FakeJarvis.did = []

    def start(self) -> None:
        """Runs, where it may."""
        if not self.starts:
            raise ProgramError("the port is taken")
        self.did.append("start")

    def stop(self) -> None:
        """Ends, where it may."""
        if not self.ends:
            raise subprocess.TimeoutExpired("jarvis", 20)
        self.did.append("stop")

    def kill(self) -> None:
        """Ends."""
        self.did.append("kill")


@pytest.fixture(autouse=True)
def jarvis(monkeypatch: pytest.MonkeyPatch) -> type[FakeJarvis]:
    class Fake(FakeJarvis):
        pass

    monkeypatch.setattr(module, "Jarvis", Fake)
    return Fake


async def test_it_is_ended_whatever_happens(tmp_path: Path, jarvis: type[FakeJarvis]):
    with pytest.raises(KeyError):
        async with running(tmp_path):
            raise KeyError
    assert FakeJarvis.did == ["start", "stop"]


async def test_one_that_does_not_end_is_killed(tmp_path: Path, jarvis: type[FakeJarvis]):
    jarvis.ends = False
    async with running(tmp_path):
        pass
    assert FakeJarvis.did == ["start", "kill"]


async def test_one_that_does_not_start_says_why(tmp_path: Path, jarvis: type[FakeJarvis]):
    jarvis.starts = False
    with pytest.raises(BenchError, match="the port is taken"):
        async with running(tmp_path):
            pass


async def test_embedded_parts_need_no_doubles():
    async with vendors("embedded", recogniser="deepgram") as served:
        assert served is None
    assert "JARVIS_STT" not in variables(None)


class FakeDoubles:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.variables = {"JARVIS_STT": "deepgram"}
        self.told: list[dict[str, Any]] = []

    def tell(self, **what: Any) -> Any:
        """Takes it."""
        self.told.append(what)

        async def answer() -> None: ...

        return answer() if "answer" in what else None


@pytest.mark.parametrize(("recogniser", "is_told_when"), [("deepgram", True), ("deepgram_flux", False)])
async def test_doubles_are_told_what_they_take(monkeypatch: pytest.MonkeyPatch, recogniser: str, is_told_when: bool):
    named: list[str] = []
    fake = FakeDoubles()

    @asynccontextmanager
    async def doubles(names: list[str]) -> AsyncIterator[FakeDoubles]:
        named.extend(names)
        yield fake

    monkeypatch.setattr(module, "doubles", doubles)
    async with vendors("doubles", recogniser=recogniser) as served:
        assert variables(served, X="1")["JARVIS_STT"] == "deepgram"
    assert named[0] == f"stt/{recogniser}"
    assert {"double": "llm/openai", "delay_secs": 0.3, "pace": 4.0} in fake.told
    assert any("final_secs" in each for each in fake.told) is is_told_when


async def test_without_the_source_nothing_is_measured(monkeypatch: pytest.MonkeyPatch):
    @asynccontextmanager
    async def doubles(_: Any) -> AsyncIterator[None]:
        raise DrillError("part of Jarvis' source")
        yield

    monkeypatch.setattr(module, "doubles", doubles)
    with pytest.raises(BenchError, match="source"):
        async with vendors("doubles", recogniser="deepgram"):
            pass


def test_a_data_directory_is_gone_afterwards():
    with data_dir() as path:
        (path / "file").write_text("x")
    assert not path.exists()
