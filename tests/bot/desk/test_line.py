"""A pipeline that answers one request at a time."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pipecat.frames.frames import DataFrame, ErrorFrame, Frame, LLMTextFrame, TextFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor

from bot.desk import line as module
from bot.desk.errors import DeskUnavailableError
from bot.desk.line import Line


class Shout(FrameProcessor):
    """Says each text loudly; "fail" fails, "hang" hangs."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, TextFrame):
            match frame.text:
                case "fail":
                    await self.push_error("it failed")
                case "hang":
                    await asyncio.Event().wait()
                case text:
                    frame = LLMTextFrame(text.upper())
        await self.push_frame(frame, direction)


class Refuses(FrameProcessor):
    """A service that can't be set up."""

    async def setup(self, setup: object) -> None:
        raise ConnectionError


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line([Shout()], takes=(LLMTextFrame,))
    await line.start()
    yield line
    await line.end()


async def test_what_comes_out_is_taken_in_order(line: Line):
    await line.put(TextFrame("a"), TextFrame("b"))
    frames = [await line.next(timeout_secs=5) for _ in range(2)]
    assert [frame.text for frame in frames if isinstance(frame, LLMTextFrame)] == ["A", "B"]


async def test_an_error_comes_out_as_a_frame(line: Line):
    await line.put(TextFrame("fail"))
    assert isinstance(await line.next(timeout_secs=5), ErrorFrame)


async def test_the_rest_is_all_that_is_still_on_its_way(line: Line):
    await line.put(TextFrame("a"), TextFrame("fail"))
    assert {type(frame) for frame in await line.rest()} == {LLMTextFrame, ErrorFrame}
    assert await line.rest() == []


async def test_a_line_answers_one_request_after_the_other(line: Line):
    for _ in range(3):
        await line.put(TextFrame("again"))
        assert isinstance(await line.next(timeout_secs=5), LLMTextFrame)
        assert await line.rest() == []


async def test_who_reads_slowly_holds_up_the_services(line: Line):
    await line.put(*(TextFrame(str(number)) for number in range(200)))
    await line.next(timeout_secs=5)
    await asyncio.sleep(0)
    assert len(line.waiting()) <= module.MOST_WAITING + 1
    texts = [await line.next(timeout_secs=5) for _ in range(100)]
    assert all(isinstance(frame, DataFrame) for frame in texts)


async def test_a_frame_that_does_not_come_is_waited_for_no_longer_than_said(line: Line):
    with pytest.raises(TimeoutError):
        await line.next(timeout_secs=0.01)


async def test_a_line_that_is_stuck_ends_all_the_same(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "SETTLE_SECS", 0.05)
    line = Line([Shout()], takes=(LLMTextFrame,))
    await line.start()
    await line.put(TextFrame("hang"))
    with pytest.raises(DeskUnavailableError, match="stuck"):
        await line.rest()
    await line.end()
    assert not line.alive


async def test_a_line_that_has_ended_says_so_to_who_waits():
    line = Line([Shout()], takes=(LLMTextFrame,))
    await line.start()
    await line.end()
    with pytest.raises(DeskUnavailableError):
        await line.next(timeout_secs=1)


async def test_services_that_can_not_be_set_up_are_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "START_SECS", 0.5)
    line = Line([Refuses()], takes=(LLMTextFrame,))
    with pytest.raises(DeskUnavailableError, match="did not start"):
        await line.start()
    assert not line.alive
