"""What is kept of real calls, over real audio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from evals.caller.ingress import Ingress, Session
from evals.program import Jarvis
from tests.e2e.conftest import written
from tests.e2e.test_lost import CREATE, MEMBERSHIP, Caller, until

pytestmark = pytest.mark.e2e

CALLS = "/api/ingress/calls"


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


def newest(jarvis: Jarvis) -> dict[str, Any]:
    """The record of the call that was created last, once it has ended."""
    _, listed = asked(jarvis, "GET", f"{CALLS}?limit=1")
    return asyncio.run(has_ended(jarvis, listed["calls"][0]["id"]))


async def test_a_call_is_kept_while_it_runs_with_who_called(jarvis: Jarvis):
    async with on_a_call_of(jarvis, caller="Ada", metadata={"shop": "north"}) as caller:
        await until(lambda: asked(jarvis, "GET", f"{CALLS}/{caller.session.id}")[0] == 200)
        call = (await asyncio.to_thread(record, jarvis, caller.session.id))["call"]
        assert (call["caller"], call["metadata"]) == ("Ada", {"shop": "north"})
        assert (call["ended_at"], call["end_reason"]) == (None, None)
    assert (await has_ended(jarvis, caller.session.id))["call"]["end_reason"] == "hang_up"


async def test_a_call_that_its_server_lost_is_kept_once_and_whole(own_jarvis: Jarvis):
    async with on_a_call_of(own_jarvis, caller="Ada") as caller:
        caller.types(MEMBERSHIP)
        await caller.hears("49 dollars")
        own_jarvis.kill()
        await caller.ask("q14")
        await caller.hears("70 dollars")
        await asyncio.to_thread(own_jarvis.start)
    found = await has_ended(own_jarvis, caller.session.id)
    assert [turn["role"] for turn in found["turns"]] == ["assistant", "user", "assistant", "user", "assistant"]
    # Turns are those that were spoken.
    assert (found["call"]["caller"], found["call"]["end_reason"], found["call"]["turns"]) == ("Ada", "hang_up", 1)
    listed = await asyncio.to_thread(own_jarvis.command, "calls", "--caller", "Ada", "--json")
    assert caller.session.id in listed.out


@pytest.mark.parametrize("own_jarvis", [{"JARVIS_KEEP_CALLS_DAYS": "0"}], indirect=True)
def test_where_nothing_is_to_be_kept_nothing_is(own_jarvis: Jarvis):
    assert written(own_jarvis, "Do you sell electric scooters or roller skates?")
    assert asked(own_jarvis, "GET", CALLS)[1] == {"calls": [], "next": None}
    assert asked(own_jarvis, "GET", "/api/rag/gaps?state=all")[1] == {"gaps": []}
