"""Pipecat's eval harness at the bot: what it has to say first, what it is told, and that it comes once."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pipecat.evals.serializer import EvalConnectionFlags, eval_connect_message
from pipecat.frames.frames import OutputAudioRawFrame, TTSSpeakFrame

from bot import evaluation
from bot.channels import EvalJoin, WebSocketJoin
from bot.errors import OfferError, SessionTakenError
from bot.evaluation import EvalChannel
from bot.wire import Close
from tests.patient import run_test

WAIT_SECS = 5.0
TEXT = EvalConnectionFlags(skip_tts=True)
AUDIO = EvalConnectionFlags(capture_bot_audio=True)
SOUND = OutputAudioRawFrame(audio=bytes(640), sample_rate=24_000, num_channels=1)

Socket = aiohttp.ClientWebSocketResponse


class Line:
    """A channel that the harness was answered by, and its control route."""

    def __init__(self, channel: EvalChannel, client: TestClient[Any, Any], pc_id: str):
        self.channel = channel
        self._client = client
        self._pc_id = pc_id

    def greeted(self) -> None:
        self.channel._witness.spoke.set()

    async def connect(self) -> Socket:
        return await self._client.ws_connect("/audio", params={"pc_id": self._pc_id})

    async def joined(self, wishes: EvalConnectionFlags, *, greeted: bool = True) -> Socket:
        """A harness' websocket that said what it wants, and that the bot knows of."""
        if greeted:
            self.greeted()
        socket = await self.connect()
        await socket.send_str(eval_connect_message(wishes))
        async with asyncio.timeout(WAIT_SECS):
            while not self.channel._socket.connected:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        return socket


@asynccontextmanager
async def answered() -> AsyncIterator[Line]:
    channel = EvalChannel()

    async def attach(request: web.Request) -> web.StreamResponse:
        return await channel.attach(request.query["pc_id"], request)

    app = web.Application()
    app.router.add_get("/audio", attach)
    async with TestClient(TestServer(app)) as client:
        yield Line(channel, client, (await channel.answer(EvalJoin()))["pc_id"])
        await channel.close("hang_up")


async def spoken(channel: EvalChannel) -> list[str]:
    """What the voice is given of a greeting."""
    (before_voice,) = channel.before_voice()
    down, _ = await run_test(before_voice, frames_to_send=[TTSSpeakFrame("Hello.")])
    return [each.text for each in down if isinstance(each, TTSSpeakFrame)]


async def test_a_second_harness_is_refused():
    channel = EvalChannel()
    await channel.answer(EvalJoin())
    with pytest.raises(SessionTakenError):
        await channel.answer(EvalJoin())


async def test_a_caller_is_not_for_this_channel():
    with pytest.raises(OfferError, match="eval harness"):
        await EvalChannel().answer(WebSocketJoin())


async def test_a_websocket_of_nobody_who_was_answered_is_refused():
    async with answered() as line:
        line._pc_id = "eval-other"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await line.connect()


async def test_a_connection_that_was_lost_is_not_made_again():
    async with answered() as line:
        await (await line.joined(TEXT)).close(code=Close.CALLER_LOST)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await line.connect()


@pytest.mark.parametrize("first", ["no json", "[]", json.dumps({"label": "rtvi-ai", "type": "client-ready"}), b"\0"])
async def test_who_does_not_say_first_what_it_wants_is_let_go(first: str | bytes):
    async with answered() as line:
        socket = await line.connect()
        await (socket.send_bytes(first) if isinstance(first, bytes) else socket.send_str(first))
        assert (await socket.receive(timeout=WAIT_SECS)).data == Close.ABUSE


async def test_who_says_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluation, "WISHES_SECS", 0.0)
    async with answered() as line:
        assert (await (await line.connect()).receive(timeout=WAIT_SECS)).data == Close.ABUSE


async def test_what_the_harness_sends_comes_to_the_pipeline_once_the_bot_has_greeted():
    async with answered() as line:
        await (await line.joined(TEXT, greeted=False)).send_str("{}")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(line.channel._socket.receive(), 0.05)
        line.greeted()
        assert await line.channel._socket.receive() == {"type": "websocket.receive", "text": "{}"}


async def test_a_greeting_that_does_not_come_is_not_waited_for_long(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(evaluation, "GREETING_SECS", 0.0)
    async with answered() as line:
        await (await line.joined(TEXT, greeted=False)).send_str("{}")
        async with asyncio.timeout(WAIT_SECS):
            assert (await line.channel._socket.receive())["text"] == "{}"


async def test_the_call_ends_with_the_connection():
    async with answered() as line:
        await (await line.joined(TEXT)).close(code=Close.CALLER_LOST)
        async with asyncio.timeout(WAIT_SECS):
            assert (await line.channel._socket.receive())["type"] == "websocket.disconnect"


async def test_the_harness_is_told_why_the_call_ended():
    async with answered() as line:
        socket = await line.joined(TEXT)
        await line.channel.close("error")
        closed = await socket.receive(timeout=WAIT_SECS)
        assert (closed.data, closed.extra) == (Close.ERROR, "error")


async def test_the_voice_is_silent_only_where_the_harness_wants_it():
    async with answered() as line:
        await line.joined(TEXT)
        assert await spoken(line.channel) == []
    async with answered() as line:
        await line.joined(AUDIO)
        assert await spoken(line.channel) == ["Hello."]


async def test_the_bots_sound_is_sent_only_where_the_harness_wants_it():
    async with answered() as line:
        await line.joined(TEXT)
        assert await line.channel._serializer.serialize(SOUND) is None
    async with answered() as line:
        await line.joined(AUDIO)
        sent = await line.channel._serializer.serialize(SOUND)
        assert isinstance(sent, str)
        assert json.loads(sent)["type"] == "eval-bot-audio"


async def test_what_the_bot_reports_is_told_from_the_beginning():
    async with answered() as line:
        line.channel.reported({"type": "answered", "pc_id": None})
        socket = await line.joined(TEXT)
        line.channel.reported({"type": "gap"})
        told = [(await socket.receive_json(timeout=WAIT_SECS))["data"] for _ in range(2)]
    assert told == [
        {"type": "report", "report": {"type": "answered", "pc_id": None}},
        {"type": "report", "report": {"type": "gap"}},
    ]
