"""A call ends once its goodbye was heard, and goes on where the caller does."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

import pytest
from pipecat.frames.frames import Frame, LLMFullResponseEndFrame
from pipecat.pipeline.worker import PipelineWorker

from bot.reports import Floor
from bot.talk.parting import part_after_goodbye
from processors.frames import GoodbyeFrame
from tests.virtual_time import run


class Worker:
    """The part of a worker that tells which frames came to its end."""

    def __init__(self) -> None:
        self.types: tuple[type[Frame], ...] = ()
        self.heard: Callable[[object, Frame], Awaitable[None]] | None = None

    def add_reached_downstream_filter(self, types: tuple[type[Frame], ...]) -> None:
        self.types += types

    def event_handler(self, name: str) -> Any:
        assert name == "on_frame_reached_downstream"

        def keep(handler: Any) -> Any:
            self.heard = handler

        return keep


async def ended(frame: Frame, *floors: Floor) -> list[str]:
    worker, reasons, told = Worker(), [], iter(floors)

    async def end(reason: str) -> None:
        reasons.append(reason)

    part_after_goodbye(cast("PipelineWorker", worker), floor=lambda: next(told), end=end)
    assert worker.heard is not None
    assert GoodbyeFrame in worker.types
    await worker.heard(worker, frame)
    return reasons


@pytest.mark.parametrize(
    ("floors", "reasons"),
    [
        (("nobody", "nobody"), ["goodbye"]),
        (("thinking", "thinking"), ["goodbye"]),
        (("nobody", "caller"), []),
        (("nobody", "thinking"), []),
    ],
)
def test_who_speaks_up_keeps_the_call(floors: tuple[Floor, ...], reasons: list[str]):
    assert run(ended(GoodbyeFrame(), *floors)) == reasons


def test_other_frames_end_nothing():
    assert run(ended(LLMFullResponseEndFrame())) == []
