"""What is kept of real calls, over real audio."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from evals.caller.ingress import Ingress, Session
from evals.program import Jarvis
from tests.e2e.test_lost import CREATE, Caller, until

pytestmark = pytest.mark.e2e

CALLS = "/api/ingress/calls"


@pytest.fixture
def own_jarvis() -> Iterator[Jarvis]:
    """A server whose records are this test's alone."""
    data_dir = Path(tempfile.mkdtemp(prefix="jarvis-records-"))
    data_dir.chmod(0o755)
    jarvis = Jarvis(data_dir)
    jarvis.start()
    yield jarvis
    jarvis.stop()
    shutil.rmtree(data_dir, ignore_errors=True)


def asked(jarvis: Jarvis, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    """Status and body of what the operator asked for."""
    status, answer, _ = jarvis.request(method, path, body, jarvis.operator_key())
    return status, answer


def record(jarvis: Jarvis, call_id: str) -> dict[str, Any]:
    status, found = asked(jarvis, "GET", f"{CALLS}/{call_id}")
    assert status == 200
    return found


@asynccontextmanager
async def on_a_call_of(jarvis: Jarvis, **details: Any) -> AsyncIterator[Caller]:
    """A caller who was greeted, on a call that was created with these details."""
    _, created = await asyncio.to_thread(asked, jarvis, "POST", CREATE, details)
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        caller = Caller(ingress, Session.model_validate(created))
        try:
            await caller.join()
            await caller.hears("How can I help?")
            yield caller
        finally:
            await ingress.hang_up(caller.session)
            await caller.line.close()


async def has_ended(jarvis: Jarvis, call_id: str) -> dict[str, Any]:
    """The record of a call that ended."""
    await until(lambda: record(jarvis, call_id)["call"]["ended_at"])
    return record(jarvis, call_id)


async def test_a_call_is_kept_with_what_was_said_when_and_on_what_it_rests(jarvis: Jarvis):
    async with on_a_call_of(jarvis, caller="Ada", metadata={"shop": "north"}) as caller:
        caller.ask("q03")
        await caller.hears("6 working days")
        await until(lambda: len(record(jarvis, caller.session.id)["turns"]) >= 2)
        running = await asyncio.to_thread(record, jarvis, caller.session.id)
        assert (running["call"]["ended_at"], running["call"]["end_reason"]) == (None, None)
        caller.ask("q14")  # cuts the answer off
        await caller.hears("70 dollars")
    found = await has_ended(jarvis, caller.session.id)
    call, turns = found["call"], found["turns"]
    assert (call["caller"], call["metadata"], call["end_reason"]) == ("Ada", {"shop": "north"}, "hang_up")
    assert (call["turns"], call["bots"]) == (2, 1)
    assert call["v2v_p50_ms"] <= call["v2v_max_ms"]
    assert [turn["role"] for turn in turns] == ["assistant", "user", "assistant", "user", "assistant"]
    assert turns[0]["text"].startswith("Hello, this is Jarvis")
    assert "money" in turns[1]["text"].lower()
    assert "6 working days" in turns[2]["text"]
    assert turns[2]["sources"][0]["title"] == "Returns policy"
    assert "6 working days" in turns[2]["sources"][0]["quote"]
    assert [set(turn["latencies"]) >= {"v2v"} for turn in turns] == [False, False, True, False, True]
    times = [[datetime.fromisoformat(turn[name]) for name in ("started_at", "ended_at")] for turn in turns]
    assert all(started < ended for started, ended in times)
    assert all(one[0] < other[0] for one, other in pairwise(times))
    waited = (times[2][0] - times[1][1]).total_seconds()
    assert waited == pytest.approx(turns[2]["latencies"]["v2v"], abs=0.02)


async def test_a_call_that_its_server_lost_is_kept_once_and_whole(own_jarvis: Jarvis):
    async with on_a_call_of(own_jarvis, caller="Ada") as caller:
        caller.ask("q18")
        await caller.hears("49 dollars")
        own_jarvis.kill()
        caller.ask("q14")
        await caller.hears("70 dollars")
        await asyncio.to_thread(own_jarvis.start)
    found = await has_ended(own_jarvis, caller.session.id)
    assert [turn["role"] for turn in found["turns"]] == ["assistant", "user", "assistant", "user", "assistant"]
    assert (found["call"]["caller"], found["call"]["end_reason"], found["call"]["turns"]) == ("Ada", "hang_up", 2)
    listed = await asyncio.to_thread(own_jarvis.command, "calls", "--caller", "Ada", "--json")
    assert caller.session.id in listed.out
