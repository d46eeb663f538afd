"""A clock that rings once."""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

from pipecat.processors.frame_processor import FrameProcessor

from processors.alarm import Alarm
from tests.virtual_time import in_virtual_time


class Owner:
    """Counts how often it was rung for."""

    def __init__(self) -> None:
        self.rang = 0
        self.alarm = Alarm(cast(FrameProcessor, self), self.ring)

    def get_event_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def create_task(self, ring: Coroutine[Any, Any, None], _name: str) -> "asyncio.Task[None]":
        return asyncio.create_task(ring)

    async def ring(self) -> None:
        self.rang += 1


@in_virtual_time
async def test_it_rings_once_when_its_time_is_over():
    owner = Owner()
    owner.alarm.set(1.0)
    await asyncio.sleep(0.9)
    before = owner.rang
    await asyncio.sleep(5)
    assert (before, owner.rang) == (0, 1)


@in_virtual_time
async def test_set_anew_it_counts_from_then():
    owner = Owner()
    owner.alarm.set(1.0)
    await asyncio.sleep(0.9)
    owner.alarm.set(1.0)
    await asyncio.sleep(0.9)
    before = owner.rang
    await asyncio.sleep(5)
    assert (before, owner.rang) == (0, 1)


@in_virtual_time
async def test_cleared_it_does_not_ring():
    owner = Owner()
    owner.alarm.set(1.0)
    owner.alarm.clear()
    await asyncio.sleep(5)
    assert owner.rang == 0
