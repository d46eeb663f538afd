"""The end of a call whose caller said goodbye."""

import asyncio
from collections.abc import Awaitable, Callable

from pipecat.frames.frames import Frame
from pipecat.pipeline.worker import PipelineWorker

from bot.reports import Floor
from processors.frames import GoodbyeFrame

# What a caller hears is a little behind, and they may have one more question.
PARTING_SECS = 0.8


def part_after_goodbye(
    worker: PipelineWorker, *, floor: Callable[[], Floor], end: Callable[[str], Awaitable[None]]
) -> None:
    """Ends the call once the bot's goodbye was heard, unless the caller speaks up by then."""
    worker.add_reached_downstream_filter((GoodbyeFrame,))

    @worker.event_handler("on_frame_reached_downstream")
    async def on_frame_reached_downstream(_worker: object, frame: Frame) -> None:
        if not isinstance(frame, GoodbyeFrame):
            return
        before = floor()
        await asyncio.sleep(PARTING_SECS)
        if floor() == before:
            await end("goodbye")
