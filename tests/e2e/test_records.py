"""What is kept of real calls, over real audio."""

import asyncio
from collections.abc import AsyncIterator
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


def test_what_was_said_is_kept_with_when_and_on_what_it_rests(jarvis: Jarvis, artifacts: Path):
    heard = jarvis.call("q18", "q14", out=artifacts / "call.wav")
    found = newest(jarvis)
    call, turns = found["call"], found["turns"]
    assert (call["end_reason"], call["turns"], call["bots"], call["interruptions"]) == ("hang_up", 2, 1, 0)
    assert [turn["role"] for turn in turns] == ["assistant", "user", "assistant", "user", "assistant"]
    spoken = [heard["greeting"]["said"], *(turn["said"] for turn in heard["turns"])]
    assert [turn["text"].split() for turn in turns[::2]] == [each.split() for each in spoken]
    assert [turn["sources"][0]["title"] for turn in turns[2::2]] == ["Membership", "Bicycle rental"]
    assert any("49 dollars" in source["quote"] for source in turns[2]["sources"])
    assert [set(turn["latencies"]) >= {"v2v"} for turn in turns] == [False, False, True, False, True]
    times = [[datetime.fromisoformat(turn[name]) for name in ("started_at", "ended_at")] for turn in turns]
    assert all(started < ended for started, ended in times)
    assert all(before[1] <= after[0] for before, after in pairwise(times))
    for question, answer in ((1, 2), (3, 4)):
        waited = (times[answer][0] - times[question][1]).total_seconds()
        assert waited == pytest.approx(turns[answer]["latencies"]["v2v"], abs=0.05)


def test_of_an_answer_that_was_cut_off_only_what_was_heard_is_kept(jarvis: Jarvis, artifacts: Path):
    jarvis.call("q01", "q18", out=artifacts / "call.wav", options=("--barge-in", "1.5"))
    found = newest(jarvis)
    answers = [turn for turn in found["turns"][1:] if turn["role"] == "assistant"]
    assert (found["call"]["interruptions"], [turn["interrupted"] for turn in answers]) == (1, [True, False])
    assert 0 < len(answers[0]["text"]) < len(answers[1]["text"])


async def test_a_call_that_its_server_lost_is_kept_once_and_whole(own_jarvis: Jarvis):
    async with on_a_call_of(own_jarvis, caller="Ada") as caller:
        await caller.ask("q18")
        await caller.hears("49 dollars")
        own_jarvis.kill()
        await caller.ask("q14")
        await caller.hears("70 dollars")
        await asyncio.to_thread(own_jarvis.start)
    found = await has_ended(own_jarvis, caller.session.id)
    assert [turn["role"] for turn in found["turns"]] == ["assistant", "user", "assistant", "user", "assistant"]
    assert (found["call"]["caller"], found["call"]["end_reason"], found["call"]["turns"]) == ("Ada", "hang_up", 2)
    listed = await asyncio.to_thread(own_jarvis.command, "calls", "--caller", "Ada", "--json")
    assert caller.session.id in listed.out


@pytest.mark.parametrize("own_jarvis", [{"JARVIS_KEEP_CALLS_DAYS": "0"}], indirect=True)
def test_where_nothing_is_to_be_kept_nothing_is(own_jarvis: Jarvis, artifacts: Path):
    own_jarvis.call("u01", out=artifacts / "call.wav")
    assert asked(own_jarvis, "GET", CALLS)[1] == {"calls": [], "next": None}
    assert asked(own_jarvis, "GET", "/api/rag/gaps?state=all")[1] == {"gaps": []}
