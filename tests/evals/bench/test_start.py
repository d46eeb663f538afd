"""How soon a first word is heard."""

from contextlib import asynccontextmanager
from typing import Any

import pytest

from evals.bench import start as module
from evals.bench.errors import BenchError
from evals.bench.figures import Figure
from evals.caller.errors import CallError


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """The servers that ran; each first word comes a second later than the one before."""
    servers: list[dict[str, str]] = []
    seconds = iter(range(100))

    @asynccontextmanager
    async def running(_path: Any, **variables: str):
        servers.append(variables)
        yield type("Jarvis", (), {"url": "http://127.0.0.1:1"})

    async def first_word(_ingress: Any) -> tuple[float, float, float]:
        secs = float(next(seconds))
        return secs, secs, secs

    monkeypatch.setattr(module, "running", running)
    monkeypatch.setattr(module, "_first_word", first_word)
    monkeypatch.setattr(module, "REFILL_SECS", 0.0)
    return servers


async def test_first_words_are_told_with_a_bot_that_waits_and_without(ran: list[dict[str, str]]):
    found = [each async for each in module.start(runs=2, progress=lambda _: None)]
    words = {each.of: each for each in found if isinstance(each, Figure) and each.name.endswith("first word")}
    # The first call to each server is no measure of the others.
    assert {of: each.values for of, each in words.items()} == {"warm": (1000.0, 2000.0), "cold": (4000.0, 5000.0)}
    assert [each["JARVIS_WARM_BOTS"] for each in ran if "JARVIS_WARM_BOTS" in each] == ["1", "0"]


async def test_servers_are_started_for_the_first_time_and_again(ran: list[dict[str, str]]):
    found = [each async for each in module.start(runs=3, progress=lambda _: None)]
    runs = {each.name: len(each.values) for each in found if isinstance(each, Figure) and "server" in each.name}
    assert runs == {"server start, first time": 3, "server start, again": 3}


async def test_a_call_that_is_refused_says_why():
    class Refusing:
        async def create(self) -> None:
            raise CallError("All lines are busy.")

    with pytest.raises(BenchError, match="All lines are busy"):
        await module._first_word(Refusing())  # type: ignore[arg-type]
