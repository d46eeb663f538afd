"""Audio on its way from a client."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect

from server.asr import intake as module
from server.asr.intake import PART_BYTES, Intake
from server.errors import Problem


async def taken(intake: Intake) -> list[bytes]:
    return [part async for part in intake.parts()]


async def test_audio_comes_in_order_and_in_small_parts():
    intake = Intake(limit_bytes=2**20)
    await intake.add(b"a" * (PART_BYTES + 1))
    await intake.add(b"")
    await intake.add(b"b")
    await intake.end()
    assert await taken(intake) == [b"a" * PART_BYTES, b"a", b"b"]


async def test_more_than_is_taken_ends_it_with_a_problem():
    intake = Intake(limit_bytes=2**20)
    await intake.add(bytes(2**20 + 1))
    with pytest.raises(Problem, match="too large"):
        await taken(intake)


async def test_a_client_that_leaves_is_told_as_that():
    intake = Intake(limit_bytes=2**20)
    await intake.add(b"a")
    await intake.end(ClientDisconnect())
    with pytest.raises(ClientDisconnect):
        await taken(intake)


async def test_a_client_that_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PATIENCE_SECS", 0.01)
    with pytest.raises(Problem) as problem:
        await taken(Intake(limit_bytes=2**20))
    assert problem.value.status == 408


async def test_a_fast_client_waits_for_who_uses_its_audio():
    intake = Intake(limit_bytes=2**30)
    adding = asyncio.create_task(intake.add(bytes(PART_BYTES * 100)))
    parts = intake.parts()
    await anext(parts)
    assert not adding.done()
    adding.cancel()
