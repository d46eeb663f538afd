"""Calls by the client of `docs/audio-ingest.md`, run as it stands there, and by programs that behave badly."""

import asyncio
import json
import re
import time
import wave
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import numpy as np
import pytest
import soundfile
import soxr

from evals.caller.audio import RATE_HZ, voiced_runs
from evals.documented import CLIENT, Held, documented, hold
from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e

MEMBERSHIP, RENTAL, REFUNDS, HOURS = "q18", "q14", "q01", "q07"
WAIT_SECS = 20.0
SILENCE = bytes(640)

Socket = aiohttp.ClientWebSocketResponse


def recording(question: str) -> Path:
    return RECORDINGS / "slt" / f"{question}.flac"


def converse(jarvis: Jarvis, artifacts: Path, **sound: Any) -> Held:
    """Two questions whose answers are heard out, then one that is asked over the answer to another."""
    return asyncio.run(
        hold(
            jarvis.url,
            [recording(MEMBERSHIP), recording(RENTAL)],
            interrupting=[recording(REFUNDS), recording(MEMBERSHIP)],
            wav_out=artifacts / "call.wav",
            **sound,
        )
    )


def types(held: Held) -> list[str]:
    return [message["type"] for message in held.messages]


@pytest.mark.parametrize("sound", [{}, {"opus": True, "rate_hz": 48_000}], ids=["pcm", "opus"])
def test_the_documented_client_holds_a_whole_conversation(jarvis: Jarvis, artifacts: Path, sound: dict[str, Any]):
    held = converse(jarvis, artifacts, **sound)
    report = held.report
    (artifacts / "report.json").write_text(json.dumps(report.to_json(), indent=1))
    first, second, interrupted, after = report.turns
    assert types(held)[0] == "bot-ready"
    assert report.greeting is not None
    assert report.greeting.said.startswith("Hello, this is Jarvis")
    assert "49 dollars" in first.said
    assert first.citations[0].source == "membership.md"
    assert "70 dollars" in second.said
    assert second.citations[0].source == "rental.md"
    assert interrupted.yield_ms is not None
    assert interrupted.yield_ms <= 300
    assert after.citations[0].source == "membership.md"
    assert "user-transcription" in types(held)
    assert (held.close_code, held.close_reason, report.errors) == (1000, "hang_up", ())
    assert end_reason(jarvis, report.session_id) == "hang_up"


def test_at_8_khz_a_conversation_goes_to_its_end(jarvis: Jarvis, artifacts: Path):
    held = converse(jarvis, artifacts, rate_hz=8_000)
    assert all(turn.answered for turn in held.report.turns)
    assert sum(bool(turn.citations) for turn in held.report.turns) >= 2
    assert held.report.turns[2].yield_ms is not None
    assert held.report.turns[2].yield_ms <= 300
    assert held.close_code == 1000


def test_the_documented_command_saves_what_it_hears_of_a_wav_file(jarvis: Jarvis, tmp_path: Path):
    client = documented(CLIENT)
    speech, rate_hz = soundfile.read(recording(HOURS), dtype="int16")
    spoken, saved = tmp_path / "in.wav", tmp_path / "out.wav"
    soundfile.write(spoken, np.concatenate([np.zeros(rate_hz * 5, np.int16), speech]), rate_hz)
    said: list[Mapping[str, Any]] = []
    with wave.open(str(spoken)) as microphone, wave.open(str(saved), "wb") as file:
        loudspeaker = client.Loudspeaker(rate_hz)
        asyncio.run(client.call(jarvis.url, microphone, loudspeaker, hear=said.append))
        file.setparams((1, 2, rate_hz, 0, "NONE", ""))
        file.writeframes(loudspeaker.played)
    heard, _ = soundfile.read(saved, dtype="int16")
    assert sum(run.stop - run.start for run in voiced_runs(soxr.resample(heard, rate_hz, RATE_HZ))) > 3 * RATE_HZ
    words = " ".join(message["data"]["text"] for message in said if message["type"] == "bot-tts-text")
    assert "8 in the morning" in words


def end_reason(jarvis: Jarvis, session_id: str) -> str:
    """Why the call ended, as the server logs it a moment after the caller has hung up."""
    deadline = time.monotonic() + WAIT_SECS
    while time.monotonic() < deadline:
        if told := re.search(rf"session {session_id} ended: (\w+)", jarvis.log.read_text(errors="replace")):
            return told[1]
        time.sleep(0.05)
    raise AssertionError("the call did not end")


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
        await calling.said(socket, "49 dollars")


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
        await calling.said(socket, "49 dollars")


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
        await calling.said(again, "49 dollars")


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
