"""Calls by programs that behave badly."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from evals.program import Jarvis

pytestmark = pytest.mark.e2e

WAIT_SECS = 20.0
SILENCE = bytes(640)

Socket = aiohttp.ClientWebSocketResponse


class Program:
    """A program that does with its websocket what it likes."""

    def __init__(self, jarvis: Jarvis, http: aiohttp.ClientSession):
        self._http = http
        self.jarvis = jarvis
        self.session = jarvis.request("POST", "/api/ingress/session/create", {"channel": "websocket"})[1]
        self.connection: str | None = None

    async def connect(self, *, connection: str | None = None) -> Socket:
        """A websocket that the bot is ready on."""
        params = {} if connection is None else {"connection": connection}
        headers = {"Authorization": f"Bearer {self.session['token']}"}
        socket = await self._http.ws_connect(self.session["audio_url"], params=params, headers=headers)
        self.connection = (await self.message(socket, "bot-ready"))["data"]["connection"]
        return socket

    async def refused(self, *, connection: str | None = None) -> int:
        """The status with which another websocket is refused."""
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await self.connect(connection=connection)
        return refusal.value.status

    async def message(self, socket: Socket, kind: str) -> dict[str, Any]:
        """The next message of that type; the program is silent meanwhile."""
        async with asyncio.timeout(WAIT_SECS):
            while True:
                came = await socket.receive()
                assert came.type in (aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY), came
                if came.type is aiohttp.WSMsgType.TEXT and (message := json.loads(came.data))["type"] == kind:
                    return message

    async def said(self, socket: Socket, words: str) -> None:
        """Returns when the bot has said these words."""
        heard = ""
        while words not in heard:
            heard += (await self.message(socket, "bot-tts-text"))["data"]["text"] + " "

    def state(self) -> str:
        path = f"/api/ingress/session/{self.session['id']}"
        return self.jarvis.request("GET", path, token=self.session["token"])[1]["state"]


@asynccontextmanager
async def program(jarvis: Jarvis) -> AsyncIterator[Program]:
    async with aiohttp.ClientSession() as http:
        calling = Program(jarvis, http)
        yield calling
        path = f"/api/ingress/session/{calling.session['id']}"
        jarvis.request("DELETE", path, token=calling.session["token"])


async def test_a_question_may_be_asked_in_writing(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        await calling.said(socket, "Jarvis")
        await socket.send_json({"type": "text", "text": "How much is a membership for one person?"})
        citation = (await calling.message(socket, "server-message"))["data"]
        assert (citation["type"], citation["source"]) == ("citation", "membership.md")
        await calling.said(socket, "forty-nine dollars")


async def test_nonsense_is_told_and_the_call_goes_on(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        for nonsense in (b"\0", b"", bytes(70_000), bytes(10_000_000), bytes(640) * 3_000):
            await socket.send_bytes(nonsense)
        await socket.send_str("no json")
        await socket.send_json({"type": "sing"})
        told = [(await calling.message(socket, "error"))["data"]["code"] for _ in range(4)]
        assert told == ["odd_length", "too_large", "not_json", "unknown_message"]
        await socket.send_json({"type": "text", "text": "How much is a membership for one person?"})
        await calling.said(socket, "forty-nine dollars")


async def test_a_message_beyond_all_measure_closes_the_connection_and_not_the_call(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        with suppress(aiohttp.ClientError, ConnectionError):
            await socket.send_bytes(bytes(17 * 2**20))
        with pytest.raises(AssertionError, match="CLOSE"):
            await calling.message(socket, "never")
        again = await calling.connect(connection=calling.connection)
        await calling.said(again, "lost you")


async def test_a_file_sent_at_once_is_told_as_too_fast(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        for _ in range(30 * 50):
            await socket.send_bytes(SILENCE)
        assert (await calling.message(socket, "error"))["data"]["code"] == "too_fast"
        assert calling.state() == "connected"


async def test_a_second_program_with_the_same_token_is_refused(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        assert await calling.refused() == 409
        assert await calling.refused(connection="ws-other") == 409
        await calling.said(socket, "Jarvis")


async def test_a_page_can_not_join_a_programs_call(jarvis: Jarvis):
    async with program(jarvis) as calling:
        path = f"/api/ingress/session/{calling.session['id']}/offer"
        status, problem, _ = jarvis.request("POST", path, {"sdp": "v=0"}, token=calling.session["token"])
        assert (status, problem["title"]) == (409, "This call has another channel")


async def test_a_program_that_lost_its_connection_goes_on_with_the_call(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        await calling.said(socket, "Jarvis")
        transport = socket.get_extra_info("socket")
        assert transport is not None
        socket._response.connection.transport.abort()  # pyright: ignore[reportOptionalMemberAccess]
        again = await calling.connect(connection=calling.connection)
        await calling.said(again, "lost you")
        assert calling.state() == "connected"


async def test_a_program_whose_bot_died_goes_on_with_the_next(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        await calling.said(socket, "Jarvis")
        await socket.send_json({"type": "text", "text": "How much is a membership for one person?"})
        await calling.message(socket, "bot-tts-text")
        first = calling.connection
        jarvis.bot_of(calling.session["id"]).kill()
        async with asyncio.timeout(WAIT_SECS):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSED:
                pass
        assert socket.close_code == 1012
        again = await calling.connect(connection=first)
        assert calling.connection != first
        await calling.said(again, "forty-nine dollars")


async def test_the_operator_ends_a_programs_call_with_a_word_to_it(jarvis: Jarvis):
    async with program(jarvis) as calling:
        socket = await calling.connect()
        path = f"/api/ingress/session/{calling.session['id']}"
        await asyncio.to_thread(jarvis.request, "DELETE", path, token=jarvis.operator_key())
        assert (await calling.message(socket, "server-message"))["data"]["reason"] == "operator"
        async with asyncio.timeout(WAIT_SECS):
            while (message := await socket.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert (message.data, message.extra) == (1000, "operator")


async def test_a_websocket_whose_other_end_is_dead_is_noticed_and_the_call_goes_on(jarvis: Jarvis):
    async with program(jarvis) as calling:
        address = urlsplit(calling.session["audio_url"])
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        lines = (
            f"GET {address.path} HTTP/1.1",
            f"Host: {address.netloc}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            f"Authorization: Bearer {calling.session['token']}",
        )
        writer.write("".join(f"{line}\r\n" for line in (*lines, "")).encode())
        began, came = time.monotonic(), b""
        async with asyncio.timeout(2 * WAIT_SECS):
            while piece := await reader.read(65_536):  # and answers no ping
                came += piece
        writer.close()
        assert b"101 Switching Protocols" in came
        assert 15 < time.monotonic() - began < 35
        named = re.search(rb'"connection": "([^"]+)"', came)
        assert named
        await calling.said(await calling.connect(connection=named[1].decode()), "lost you")


async def test_a_program_goes_on_with_its_call_on_the_next_server(own_jarvis: Jarvis):
    async with aiohttp.ClientSession() as http:
        calling = Program(own_jarvis, http)
        socket = await calling.connect()
        await calling.said(socket, "Jarvis")
        own_jarvis.kill()
        async with asyncio.timeout(WAIT_SECS):
            while (await socket.receive()).type is not aiohttp.WSMsgType.CLOSED:
                pass
        await asyncio.to_thread(own_jarvis.start, port=urlsplit(own_jarvis.url).port or 0)
        again = await calling.connect(connection=calling.connection)
        await calling.said(again, "lost you")
        await again.send_json({"type": "end"})
        async with asyncio.timeout(WAIT_SECS):
            while (await again.receive()).type is not aiohttp.WSMsgType.CLOSE:
                pass
        assert again.close_code == 1000
