"""Messages between a caller's websocket and a bot's, and how each end learns of the other's."""

import asyncio
from typing import Any

import pytest
from starlette.websockets import WebSocketDisconnect

from bot.wire import Close
from server.ingress.launcher import BotGoneError, Closed
from server.ingress.relay import SOUND_SECS, TEXTS, Outbox, SlowError, relay
from server.ingress.scripted import ScriptedAudioLine


class ScriptedCaller:
    """A caller that says what it is told to, and keeps what it gets; one that is `stuck` takes nothing."""

    def __init__(self, *says: dict[str, Any]):
        self._says: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.say(*says)
        self.got: list[bytes | str] = []
        self.closed: Closed | None = None
        self.gone = False

    def say(self, *messages: dict[str, Any]) -> None:
        for message in messages:
            self._says.put_nowait(message)

    async def receive(self) -> dict[str, Any]:
        return await self._says.get()

    async def send_bytes(self, data: bytes) -> None:
        self._take(data)

    async def send_text(self, data: str) -> None:
        self._take(data)

    async def close(self, code: int = 1000, reason: str | None = None) -> None:
        self.closed = Closed(code, reason or "")

    def _take(self, data: bytes | str) -> None:
        if self.gone:
            raise WebSocketDisconnect(1006)
        self.got.append(data)


def said(data: bytes | str) -> dict[str, Any]:
    return {"type": "websocket.receive", "bytes" if isinstance(data, bytes) else "text": data}


def left(code: int, **reason: str) -> dict[str, Any]:
    return {"type": "websocket.disconnect", "code": code, **reason}


async def test_messages_go_both_ways_in_order():
    caller = ScriptedCaller(said(b"one"), said("two"), left(1000, reason=""))
    bot = ScriptedAudioLine(b"three", "four")
    async with asyncio.TaskGroup() as group:
        group.create_task(relay(caller, bot))
    assert bot.heard == [b"one", "two"]


async def test_what_the_bot_said_last_arrives_before_its_end():
    caller, bot = ScriptedCaller(), ScriptedAudioLine(b"one", "goodbye", Closed(1000, "idle"))
    await relay(caller, bot)
    assert caller.got == [b"one", "goodbye"]
    assert caller.closed == Closed(1000, "idle")


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (left(1000, reason=""), Close.ENDED),
        (left(1001, reason="bye"), Close.ENDED),
        (left(1005, reason=""), Close.ENDED),
        (left(1005), Close.CALLER_LOST),
        (left(1006), Close.CALLER_LOST),
        (left(1009, reason="too big"), Close.CALLER_LOST),
        (left(1012), Close.CALLER_LOST),
    ],
    ids=["closed", "went away", "closed without a code", "broke", "broke too", "too big a message", "server ends"],
)
async def test_the_bot_learns_whether_its_caller_hung_up_or_was_lost(message: dict[str, Any], told: Close):
    bot = ScriptedAudioLine()
    await relay(ScriptedCaller(message), bot)
    assert bot.closed == Closed(told)


async def test_a_bot_that_breaks_is_told_as_lost():
    caller = ScriptedCaller()
    await relay(caller, ScriptedAudioLine(Closed(1006)))
    assert caller.closed == Closed(Close.BOT_LOST, "bot_lost")


class DeafLine(ScriptedAudioLine):
    """A bot that takes nothing."""

    async def send(self, message: bytes | str) -> None:
        raise BotGoneError("takes nothing")


async def test_a_bot_that_takes_nothing_is_told_as_lost():
    caller = ScriptedCaller(said(b"one"))
    await relay(caller, DeafLine())
    assert caller.closed == Closed(Close.BOT_LOST, "bot_lost")


async def test_a_caller_that_takes_nothing_is_let_go_and_the_bot_told_so(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.ingress.relay.SEND_SECS", 0.0)

    class StuckCaller(ScriptedCaller):
        async def send_bytes(self, data: bytes) -> None:
            await asyncio.Event().wait()

    caller, bot = StuckCaller(), ScriptedAudioLine(b"one")
    await relay(caller, bot)
    assert (caller.closed, bot.closed) == (Closed(Close.TOO_SLOW, "too_slow"), Closed(Close.CALLER_LOST))


async def test_how_a_caller_left_is_read_even_where_sending_failed_first():
    caller, bot = ScriptedCaller(), ScriptedAudioLine(b"one")
    caller.gone = True
    relaying = asyncio.create_task(relay(caller, bot))
    for _ in range(10):
        await asyncio.sleep(0)
    caller.say(left(1000, reason=""))
    await relaying
    assert bot.closed == Closed(Close.ENDED)


async def test_a_relay_that_is_cancelled_leaves_the_call_to_be_joined_again():
    bot = ScriptedAudioLine()
    relaying = asyncio.create_task(relay(ScriptedCaller(), bot))
    await asyncio.sleep(0)
    relaying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await relaying
    assert bot.closed == Closed(Close.CALLER_LOST)


class Clock:
    """Time that is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_sound_that_was_not_taken_in_time_is_dropped_and_messages_are_not():
    clock = Clock()
    outbox = Outbox(clock=clock)
    for message in (b"old", "message", b"old too"):
        outbox.put(message)
    clock.now += SOUND_SECS + 0.1
    outbox.put(b"new")
    assert [await outbox.get() for _ in range(2)] == ["message", b"new"]


async def test_no_more_sound_is_held_than_comes_in_a_second():
    clock = Clock()
    outbox = Outbox(clock=clock)
    for _ in range(1000):
        clock.now += 0.02
        outbox.put(bytes(640))
    assert len(outbox) <= SOUND_SECS / 0.02 + 1


def test_too_many_messages_that_wait_are_too_much():
    outbox = Outbox()
    for _ in range(TEXTS):
        outbox.put("message")
    with pytest.raises(SlowError):
        outbox.put("message")


async def test_who_waits_for_a_message_gets_the_next_one():
    outbox = Outbox()
    waiting = asyncio.create_task(outbox.get())
    await asyncio.sleep(0)
    outbox.put("message")
    assert await waiting == "message"
