"""Answers that come bit by bit, and clients that leave."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.requests import ClientDisconnect

from server.errors import Problem
from server.streams import Streamed, begun, server_sent, while_connected


async def forever() -> None:
    await asyncio.Event().wait()


async def three() -> int:
    return 3


async def events(*parts: Any) -> AsyncGenerator[Any]:
    for part in parts:
        if isinstance(part, Exception):
            raise part
        yield part


async def test_work_is_done_while_the_client_stays():
    assert await while_connected(forever(), three()) == 3


async def test_work_is_cancelled_when_the_client_leaves():
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await forever()
        finally:
            cancelled.set()

    with pytest.raises(ClientDisconnect):
        await while_connected(three(), work())
    assert cancelled.is_set()


async def test_what_goes_wrong_before_the_first_part_is_raised():
    with pytest.raises(Problem):
        await begun(events(Problem(503, "x", "y")))


async def test_parts_that_have_begun_are_all_there():
    assert [part async for part in await begun(events(1, 2, 3))] == [1, 2, 3]
    assert [part async for part in await begun(events())] == []


async def test_a_problem_is_the_last_of_the_server_sent_events():
    sent = [part async for part in server_sent(events({"type": "text", "text": "a"}, Problem(503, "Down", "Wait.")))]
    assert sent == [
        b'event: text\ndata: {"text": "a"}\n\n',
        b'event: error\ndata: {"status": 503, "title": "Down", "detail": "Wait."}\n\n',
    ]


async def answered(parts: AsyncGenerator[bytes], *, leaves: bool) -> tuple[list[dict[str, Any]], bool]:
    """What is sent of an answer, and whether it was closed behind it."""
    closed = asyncio.Event()
    stack = AsyncExitStack()
    stack.callback(closed.set)
    sent: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"} if leaves else await asyncio.Event().wait()

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}}
    await asyncio.wait_for(Streamed(parts, closing=stack, media_type="a/b")(scope, receive, send), 5)
    return sent, closed.is_set()


async def test_an_answer_is_sent_to_its_end_and_closed():
    sent, closed = await answered(events(b"a", b"b"), leaves=False)
    assert [message.get("body") for message in sent] == [None, b"a", b"b", b""]
    assert (sent[-1]["more_body"], closed) == (False, True)


async def test_an_answer_to_a_client_who_left_is_closed():
    async def endless() -> AsyncGenerator[bytes]:
        yield b"a"
        await forever()

    _, closed = await answered(endless(), leaves=True)
    assert closed


async def test_an_answer_that_can_not_go_on_breaks_off():
    sent, closed = await answered(events(b"a", Problem(503, "x", "y")), leaves=False)
    assert (sent[-1]["more_body"], closed) == (True, True)
