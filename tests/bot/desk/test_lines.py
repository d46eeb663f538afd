"""How many requests are answered at once, and with which pipelines."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from pipecat.frames.frames import TextFrame

from bot.desk.errors import DeskBusyError, DeskUnavailableError
from bot.desk.line import Line
from bot.desk.lines import Lines


def a_line() -> Line:
    return Line([], takes=(TextFrame,))


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    lines = Lines(most=2, keep=a_line)
    yield lines
    await lines.close()


async def test_a_pipeline_that_answered_is_used_again(lines: Lines):
    async with lines.line() as first:
        pass
    async with lines.line() as second:
        assert second is first


async def test_a_pipeline_waits_for_the_first_request(lines: Lines):
    await lines.prepare()
    async with asyncio.timeout(0.005), lines.line() as line:
        assert line.alive


async def test_requests_at_once_have_a_pipeline_each(lines: Lines):
    async with lines.line() as first, lines.line() as second:
        assert first is not second


async def test_one_request_too_many_is_told_to_come_again(lines: Lines):
    async with lines.line(), lines.line():
        with pytest.raises(DeskBusyError, match="At most 2"):
            async with lines.line():
                pass
    async with lines.line():
        pass


@pytest.mark.parametrize("error", [DeskUnavailableError("x"), asyncio.CancelledError()])
async def test_a_pipeline_that_failed_or_was_left_is_not_used_again(lines: Lines, error: BaseException):
    used: list[Line] = []

    async def fail() -> None:
        async with lines.line() as failed:
            used.append(failed)
            raise error

    with pytest.raises(type(error)):
        await fail()
    async with lines.line() as next_one:
        assert next_one not in used
        assert next_one.alive


async def test_a_pipeline_that_died_while_it_waited_is_not_used(lines: Lines):
    async with lines.line() as dies:
        pass
    await dies.end()
    async with lines.line() as line:
        assert line.alive


async def test_a_pipeline_made_for_one_request_ends_with_it(lines: Lines):
    async with lines.line(a_line) as own:
        pass
    async with lines.line() as other:
        assert other is not own


async def test_at_the_end_no_pipeline_is_left(lines: Lines):
    async with lines.line() as line:
        pass
    await lines.close()
    assert not line.alive


async def test_a_pipeline_that_comes_up_behind_the_end_is_ended():
    made: list[Line] = []

    def make() -> Line:
        made.append(a_line())
        return made[-1]

    lines = Lines(most=1, keep=make)
    preparing = asyncio.create_task(lines.prepare())
    while not made:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await lines.close()
    await preparing
    assert [line.alive for line in made] == [False]
