"""The desk as a process, with the embedded recogniser and voice."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.desk.client import DeskClient
from bot.desk.errors import DeskBusyError, DeskRequestError, DeskUnavailableError
from bot.desk.process import Desk
from bot.providers.cartesia import CartesiaTTS
from bot.providers.elevenlabs import ElevenLabsTTS
from bot.providers.prices import listed
from bot.settings import BotSettings, Retrieval
from bot.turns import TurnModels
from tests.vendors.cartesia import Cartesia
from tests.vendors.elevenlabs import ElevenLabs

RECORDING = Path(__file__).parents[2] / "fixtures" / "speech" / "rms" / "q01.flac"
ANY = {"format": "auto", "sample_rate": 16_000, "channels": 1}
HELLO = {"text": "The pool opens at seven."}
LONG = {"text": "The workshop repairs bicycles of every make. " * 100}


@dataclass
class Running:
    process: asyncio.subprocess.Process
    client: DeskClient
    socket: Path


@asynccontextmanager
async def child(module: str, settings: dict[str, Any]) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, stdin=PIPE, stdout=PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    try:
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"
        yield process
    finally:
        process.stdin.close()
        await process.wait()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Running]:
    """A desk whose recogniser and voice run, and whose documents can't be searched."""
    speech = {"socket": str(tmp_path / "s"), "cache_dir": str(tmp_path / "cache"), "recognisers": 1}
    prices = [row.model_dump(mode="json") for row in listed()]
    bot = {
        "retrieval": {"socket": str(tmp_path / "k")},
        "speech_socket": str(tmp_path / "s"),
        "budget": {"prices": prices},
    }
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(child("bot.speech.process", speech))
        settings = {"socket": str(tmp_path / "d"), "bot": bot}
        process = await stack.enter_async_context(child("bot.desk.process", settings))
        client = DeskClient(tmp_path / "d")
        stack.push_async_callback(client.aclose)
        yield Running(process, client, tmp_path / "d")


async def recording() -> AsyncIterator[bytes]:
    yield RECORDING.read_bytes()


async def spoken(client: DeskClient, request: dict[str, Any]) -> bytes:
    return b"".join([part async for part in client.synthesize(request)])


@dataclass
class Voices:
    """A desk whose first voice is Cartesia's, the next ElevenLabs'."""

    url: str
    first: Cartesia
    second: ElevenLabs
    http: aiohttp.ClientSession

    async def speak(self, **request: Any) -> tuple[int, str | None, bytes]:
        """The status, whether the take may be kept, and the speech."""
        async with self.http.post(f"{self.url}/synthesize", json={**HELLO, **request}) as answer:
            return answer.status, answer.headers.get("Cache-Control"), await answer.read()


@pytest.fixture
async def voices() -> AsyncIterator[Voices]:
    first, second = Cartesia(), ElevenLabs()
    async with AsyncExitStack() as stack:
        cartesia, elevenlabs = [await stack.enter_async_context(vendor.serving()) for vendor in (first, second)]
        settings = BotSettings(
            retrieval=Retrieval(socket=Path("k")),
            speech_socket=Path("s"),
            tts=(
                CartesiaTTS(api_key=SecretStr(first.KEY), base_url=cartesia, silence_secs=0.2),
                ElevenLabsTTS(api_key=SecretStr(second.KEY), base_url=elevenlabs),
            ),
        )
        desk = Desk(settings, models=cast(TurnModels, SimpleNamespace()))
        server = await stack.enter_async_context(TestServer(desk.app()))
        stack.push_async_callback(desk.close)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        yield Voices(str(server.make_url("")).rstrip("/"), first, second, http)


async def test_where_the_first_voice_fails_the_next_speaks_and_its_take_is_not_to_be_kept(voices: Voices):
    status, kept, usual = await voices.speak()
    assert (status, kept, voices.second.asked) == (200, None, [])
    voices.first.faults.fault = "server_error"
    status, kept, other = await voices.speak(voice="of the first's")
    assert (status, kept) == (200, "no-store")
    assert len(other) == pytest.approx(len(usual), rel=0.1)


async def test_speech_that_the_vendor_breaks_off_breaks_off(voices: Voices):
    voices.first.faults.fault = "drop"
    with pytest.raises(aiohttp.ClientPayloadError):
        await voices.speak()


async def test_a_voice_of_which_calls_say_that_it_fails_is_not_asked(voices: Voices):
    known = {"stage": "tts", "provider": "cartesia", "state": "open", "rest_secs": 60.0, "rests": 1}
    async with voices.http.post(f"{voices.url}/providers", json={"known": [known]}) as answer:
        assert answer.status == 204
    assert (await voices.speak())[1] == "no-store"
    assert voices.first.asked == []


@pytest.mark.integration
async def test_it_hears_speaks_and_answers_and_says_no_to_what_can_not_be(desk: Running):
    client = desk.client
    events = [event async for event in client.transcribe(recording(), form=ANY, longest_secs=60)]
    assert [event["type"] for event in events] == ["ready", "speech", "final", "end"]
    assert len(events[2]["words"]) > 5
    assert 1.0 < len(await spoken(client, HELLO)) / 2 / 24_000 < 3.0
    asked = {"messages": [{"role": "user", "content": "Hello!"}]}
    assert [event["type"] async for event in client.complete(asked)][-1] == "end"
    assert await client.health() == {"asr": True, "llm": True, "tts": True}
    (usage,) = await client.budget("free")
    assert {(each["stage"], float(each["usd"])) for each in usage["added"]} == {("stt", 0), ("tts", 0)}
    assert await client.budget("all") == []
    with pytest.raises(DeskUnavailableError, match="can't be searched"):
        [event async for event in client.complete({**asked, "collection": "default"})]
    with pytest.raises(DeskRequestError, match="voice"):
        await spoken(client, {**HELLO, "voice": "xx-none"})
    with pytest.raises(DeskRequestError, match="speed"):
        await spoken(client, {**HELLO, "speed": 9})
    assert await spoken(client, HELLO)


@pytest.mark.integration
async def test_who_leaves_makes_room_for_the_next(desk: Running):
    """More listeners leave in mid-speech than are served at once."""
    for _ in range(8):
        parts = desk.client.synthesize(LONG)
        await anext(parts)
        await parts.aclose()
    async with asyncio.timeout(10):
        while True:
            try:
                assert await spoken(desk.client, HELLO)
                break
            except DeskBusyError:
                await asyncio.sleep(0.05)


@pytest.mark.integration
async def test_more_at_once_than_are_taken_are_told_to_come_again(desk: Running):
    listeners = [desk.client.synthesize(LONG) for _ in range(4)]
    for listener in listeners:
        await anext(listener)
    with pytest.raises(DeskBusyError):
        await spoken(desk.client, HELLO)
    for listener in listeners:
        await listener.aclose()


@pytest.mark.integration
async def test_a_transcription_of_nonsense_leaves_no_process_behind(desk: Running):
    async def nonsense() -> AsyncIterator[bytes]:
        yield b"no audio at all" * 1000

    with pytest.raises(DeskRequestError, match="WAV"):
        [event async for event in desk.client.transcribe(nonsense(), form=ANY, longest_secs=60)]
    children = Path(f"/proc/{desk.process.pid}/task/{desk.process.pid}/children")
    assert children.read_text().strip() == ""


@pytest.mark.integration
@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.parametrize("end", ["sigterm", "parent gone"])
async def test_it_ends_cleanly(desk: Running, end: str, busy: bool):
    listener = desk.client.synthesize(LONG)
    if busy:
        await anext(listener)
    if end == "sigterm":
        desk.process.send_signal(signal.SIGTERM)
    else:
        assert desk.process.stdin is not None
        desk.process.stdin.close()
    async with asyncio.timeout(10):
        assert await desk.process.wait() == 0
    with pytest.raises(DeskUnavailableError):
        await desk.client.health()
    await listener.aclose()
