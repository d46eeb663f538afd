"""A program's websocket at the bot: who is joined, what goes through, and what becomes of a line that breaks."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from pipecat.frames.frames import EndFrame, Frame, InputAudioRawFrame, OutputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.transports.websocket.fastapi import FastAPIWebsocketInputTransport
from pipecat.workers.runner import WorkerRunner

from bot.channels import WebRtcOffer, WebSocketJoin
from bot.errors import OfferError, SessionTakenError
from bot.websocket import WebSocketChannel
from bot.wire import Close, SampleRate

FIRST = WebSocketJoin()
AGAIN = WebSocketJoin(anew=True)
PIECE = b"\x01\x00" * 320
WAIT_SECS = 5.0

Socket = aiohttp.ClientWebSocketResponse


class Line:
    """A channel that a caller was answered by, its control route, and Pipecat's view of it."""

    def __init__(self, channel: WebSocketChannel, client: TestClient[Any, Any], pc_id: str):
        self.channel = channel
        self.pc_id = pc_id
        self._client = client
        socket = channel._socket
        assert socket is not None
        self.pipecat = socket

    async def connect(self) -> Socket:
        """A caller's websocket that was told hello."""
        socket = await self._client.ws_connect("/audio", params={"pc_id": self.pc_id})
        assert (await socket.receive_json(timeout=WAIT_SECS))["type"] == "bot-ready"
        return socket

    async def lost(self) -> None:
        """Returns when the bot has noticed that nobody is there."""
        await until(lambda: not self.pipecat.connected)


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_SECS):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@asynccontextmanager
async def joined(join: WebSocketJoin = FIRST) -> AsyncIterator[Line]:
    channel = WebSocketChannel()

    async def attach(request: web.Request) -> web.StreamResponse:
        return await channel.attach(request.query["pc_id"], request)

    app = web.Application()
    app.router.add_get("/audio", attach)
    async with TestClient(TestServer(app)) as client:
        yield Line(channel, client, (await channel.answer(join))["pc_id"])
        await channel.close("hang_up")


async def test_a_second_caller_is_refused():
    channel = WebSocketChannel()
    await channel.answer(FIRST)
    with pytest.raises(SessionTakenError):
        await channel.answer(FIRST)


async def test_a_caller_who_comes_back_keeps_the_connections_name():
    channel = WebSocketChannel()
    assert await channel.answer(FIRST) == await channel.answer(AGAIN)


async def test_the_caller_of_a_bot_that_died_is_joined_to_the_next():
    assert (await WebSocketChannel().answer(AGAIN))["pc_id"].startswith("ws-")


async def test_who_comes_back_with_another_sound_is_told_with_which():
    channel = WebSocketChannel()
    await channel.answer(FIRST)
    with pytest.raises(OfferError, match="codec=pcm and sample_rate=16000"):
        await channel.answer(WebSocketJoin(codec="opus", anew=True))


async def test_an_offer_is_not_for_this_channel():
    with pytest.raises(OfferError, match="joined by a websocket"):
        await WebSocketChannel().answer(WebRtcOffer(sdp="v=0"))


async def test_a_websocket_of_nobody_who_was_answered_is_refused():
    async with joined() as line:
        line.pc_id = "ws-other"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await line.connect()


async def test_a_caller_is_told_first_how_to_come_back():
    join = WebSocketJoin(codec="opus", sample_rate=SampleRate.FULLBAND)
    async with joined(join) as line:
        socket = await line._client.ws_connect("/audio", params={"pc_id": line.pc_id})
        hello = await socket.receive_json(timeout=WAIT_SECS)
    told = {name: hello["data"][name] for name in ("connection", "codec", "sample_rate")}
    assert told == {"connection": line.pc_id, "codec": "opus", "sample_rate": 48_000}


async def test_messages_go_both_ways():
    async with joined() as line:
        socket = await line.connect()
        await socket.send_bytes(PIECE)
        await socket.send_str("{}")
        assert await line.pipecat.receive() == {"type": "websocket.receive", "bytes": PIECE}
        assert await line.pipecat.receive() == {"type": "websocket.receive", "text": "{}"}
        await line.pipecat.send_bytes(PIECE)
        await line.pipecat.send_text("hello")
        assert await socket.receive_bytes() == PIECE
        assert await socket.receive_str() == "hello"


async def test_a_caller_who_closes_hangs_up():
    async with joined() as line:
        await (await line.connect()).close()
        assert (await line.pipecat.receive())["type"] == "websocket.disconnect"


async def test_a_caller_who_says_so_hangs_up():
    async with joined() as line:
        await line.connect()
        await line.pipecat.let_go(Close.ENDED)
        assert (await line.pipecat.receive())["type"] == "websocket.disconnect"


async def test_a_caller_whose_line_broke_may_come_back():
    async with joined() as line:
        first = await line.connect()
        await first.send_bytes(PIECE)
        await line.pipecat.receive()
        await first.close(code=Close.CALLER_LOST)
        await line.lost()
        assert line.channel.lost_at is None
        second = await line.connect()
        await second.send_bytes(PIECE)
        assert (await line.pipecat.receive())["bytes"] == PIECE
        assert line.channel.lost_at is not None


async def test_a_caller_who_does_not_come_back_has_hung_up(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("bot.websocket.RECONNECT_SECS", 0.0)
    async with joined() as line:
        await (await line.connect()).close(code=Close.CALLER_LOST)
        async with asyncio.timeout(WAIT_SECS):
            assert (await line.pipecat.receive())["type"] == "websocket.disconnect"


async def test_what_is_said_while_nobody_is_there_is_lost():
    async with joined() as line:
        await (await line.connect()).close(code=Close.CALLER_LOST)
        await line.lost()
        await line.pipecat.send_text("lost")
        socket = await line.connect()
        await line.pipecat.send_text("heard")
        assert await socket.receive_str() == "heard"


async def test_a_line_that_comes_back_replaces_the_one_before():
    async with joined() as line:
        first = await line.connect()
        second = await line.connect()
        assert (await first.receive()).type is aiohttp.WSMsgType.CLOSE
        assert first.close_code == Close.REPLACED
        await line.pipecat.send_bytes(PIECE)
        assert await second.receive_bytes() == PIECE


async def test_abuse_closes_the_line_and_not_the_call():
    async with joined() as line:
        socket = await line.connect()
        letting_go = asyncio.create_task(line.pipecat.let_go(Close.ABUSE))
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        await letting_go
        assert socket.close_code == Close.ABUSE
        await line.lost()
        await line.connect()


@pytest.mark.parametrize(
    ("reason", "code"),
    [("idle", Close.ENDED), ("hang_up", Close.ENDED), ("shutdown", Close.SHUTDOWN), ("error", Close.ERROR)],
)
async def test_a_caller_is_told_why_the_call_ended(reason: str, code: Close):
    async with joined() as line:
        socket = await line.connect()
        closing = asyncio.create_task(line.channel.close(reason))
        message = await socket.receive()
        await closing
    assert (message.data, message.extra) == (code, reason)


class Echo(FrameProcessor):
    """Says what it hears."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            frame = OutputAudioRawFrame(audio=frame.audio, sample_rate=frame.sample_rate, num_channels=1)
        await self.push_frame(frame, direction)


@asynccontextmanager
async def echoing(line: Line) -> AsyncIterator[list[str]]:
    """A pipeline on this line, and what happened on it."""
    transport, happened = line.channel.transport(), []
    worker = PipelineWorker(
        Pipeline([transport.input(), Echo(), transport.output()]),
        params=PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000),
    )

    @transport.event_handler("on_client_connected")
    async def on_client_connected(_transport: object, _client: object) -> None:
        happened.append("connected")

    @transport.event_handler("on_client_disconnected")
    async def on_client_disconnected(_transport: object, _client: object) -> None:
        happened.append("disconnected")

    runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run())
    try:
        yield happened
        await worker.queue_frame(EndFrame())
    finally:
        async with asyncio.timeout(WAIT_SECS):
            await running


async def next_sound(socket: Socket) -> bytes:
    while (message := await socket.receive(timeout=WAIT_SECS)).type is not aiohttp.WSMsgType.BINARY:
        assert message.type is aiohttp.WSMsgType.TEXT, message
    return message.data


async def test_a_pipeline_hears_and_says_sound_over_one_line_after_another():
    async with joined() as line, echoing(line) as happened:
        for count in (1, 2):
            socket = await line.connect()
            await until(lambda count=count: happened == ["connected"] * count)
            await socket.send_bytes(PIECE)
            assert await next_sound(socket) == PIECE
            await socket.close(code=Close.CALLER_LOST)
            await line.lost()
        await (await line.connect()).close()
        await until(lambda: happened == ["connected"] * 3 + ["disconnected"])


async def test_a_caller_who_connects_before_the_pipeline_runs_is_connected_once_it_does():
    async with joined() as line:
        await line.connect()
        async with echoing(line) as happened:
            await until(lambda: happened == ["connected"])


async def test_a_long_message_is_heard_in_pieces_of_20_ms():
    async with joined() as line, echoing(line):
        socket = await line.connect()
        await socket.send_bytes(PIECE * 10)
        assert [len(await next_sound(socket)) for _ in range(10)] == [640] * 10


async def test_sound_of_another_rate_is_heard_at_the_pipelines(monkeypatch: pytest.MonkeyPatch):
    heard: list[InputAudioRawFrame] = []

    async def hear(_transport: object, frame: InputAudioRawFrame) -> None:
        heard.append(frame)

    monkeypatch.setattr(FastAPIWebsocketInputTransport, "push_audio_frame", hear)
    async with joined() as line, echoing(line) as happened:
        await line.connect()
        await until(lambda: happened == ["connected"])
        frame = InputAudioRawFrame(audio=bytes(48_000), sample_rate=24_000, num_channels=1)
        await line.channel.transport().input().push_audio_frame(frame)
    assert {each.sample_rate for each in heard} == {16_000}
    assert 31_000 < sum(len(each.audio) for each in heard) <= 32_000


async def test_nonsense_leaves_the_pipeline_alone():
    async with joined() as line, echoing(line):
        socket = await line.connect()
        for nonsense in (b"\x00", b"", bytes(10_000_000)):
            await socket.send_bytes(nonsense)
        await socket.send_str("no json")
        await socket.send_bytes(PIECE)
        told = [json.loads(await socket.receive_str(timeout=WAIT_SECS))["data"]["code"] for _ in range(3)]
        assert told == ["odd_length", "too_large", "not_json"]
        assert await next_sound(socket) == PIECE
