"""The server in Aura's place, spoken to over a plain websocket, as its documentation shows it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.vendors.deepgram import GARBAGE, KEY
from tests.vendors.deepgram_speak import PIECE_SECS, SECS_PER_CHARACTER, DeepgramSpeak
from tests.vendors.faults import Fault, Faults

RATE_HZ = 24_000
SOON_SECS = 5.0
TEXT = "Good evening."
TEXT_BYTES = 2 * round(len(TEXT) * SECS_PER_CHARACTER * RATE_HZ)


@asynccontextmanager
async def connected(url: str, more: str = "", *, key: str = KEY) -> AsyncIterator[ClientConnection]:
    query = f"model=aura-2-thalia-en&encoding=linear16&sample_rate={RATE_HZ}{more}"
    address = f"{url.replace('http', 'ws', 1)}/v1/speak?{query}"
    async with connect(address, additional_headers={"Authorization": f"Token {key}"}) as connection:
        yield connection


async def send(connection: ClientConnection, *kinds: str) -> None:
    for kind in kinds:
        await connection.send(json.dumps({"type": kind, "text": TEXT} if kind == "Speak" else {"type": kind}))


async def answer(connection: ClientConnection) -> tuple[int, list[dict[str, Any]]]:
    """How many bytes of speech come until the connection closes, and the messages."""
    async with asyncio.timeout(SOON_SECS):
        parts = [part async for part in connection]
    speech = sum(len(part) for part in parts if isinstance(part, bytes))
    return speech, [json.loads(part) for part in parts if isinstance(part, str)]


async def test_a_text_is_spoken_when_it_is_flushed() -> None:
    server = DeepgramSpeak()
    async with server.serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush", "Speak", "Close")
        speech, told = await answer(connection)
    assert speech == TEXT_BYTES
    assert [each["type"] for each in told] == ["Metadata", "Flushed"]
    assert (told[0]["model_name"], told[1]["sequence_id"]) == ("aura-2-thalia-en", 0)
    assert [each["type"] for each in server.asked] == ["Speak", "Flush", "Speak", "Close"]


async def test_what_is_cleared_is_not_spoken() -> None:
    async with DeepgramSpeak(faults=Faults(delay_secs=0.5)).serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush", "Clear", "Close")
        speech, told = await answer(connection)
    assert (speech, [each["type"] for each in told]) == (0, ["Metadata", "Cleared"])


async def test_it_speaks_as_fast_as_it_is_asked_to() -> None:
    async with DeepgramSpeak().serving() as url, connected(url, "&speed=1.5") as connection:
        await send(connection, "Speak", "Flush", "Close")
        assert (await answer(connection))[0] == pytest.approx(TEXT_BYTES / 1.5, abs=2)


async def test_a_message_that_is_none_of_its_own_is_warned_of() -> None:
    async with DeepgramSpeak().serving() as url, connected(url) as connection:
        await send(connection, "KeepAlive", "Close")
        assert [each["type"] for each in (await answer(connection))[1]] == ["Metadata", "Warning"]


@pytest.mark.parametrize(
    ("fault", "key", "more", "status"),
    [
        ("unauthorized", KEY, "", 401),
        (None, "dg-other", "", 401),
        ("rate_limited", KEY, "", 429),
        ("server_error", KEY, "", 500),
        (None, KEY, "&speed=2", 400),
    ],
)
async def test_a_handshake_is_refused_as_told(fault: Fault | None, key: str, more: str, status: int) -> None:
    async with DeepgramSpeak(faults=Faults(fault)).serving() as url:
        with pytest.raises(InvalidStatus) as refusal:
            async with connected(url, more, key=key):
                pass
    assert refusal.value.response.status_code == status


@pytest.mark.parametrize(
    ("fault", "share", "kinds"),
    [
        ("stall", 0.0, ["Metadata"]),
        ("stall_midway", 0.5, ["Metadata"]),
        ("empty", 0.0, ["Metadata", "Flushed"]),
        ("wrong_rate", 0.5, ["Metadata", "Flushed"]),
    ],
)
async def test_an_answer_is_less_than_it_should_be_as_told(fault: Fault, share: float, kinds: list[str]) -> None:
    async with DeepgramSpeak(faults=Faults(fault)).serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush", "Close")
        speech, told = await answer(connection)
    assert speech == pytest.approx(TEXT_BYTES * share, abs=2 * RATE_HZ * PIECE_SECS)
    assert [each["type"] for each in told] == kinds


async def test_a_connection_drops_midway() -> None:
    async with DeepgramSpeak(faults=Faults("drop")).serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush")
        with pytest.raises(ConnectionClosed):
            await answer(connection)


async def test_garbage_is_no_json() -> None:
    async with DeepgramSpeak(faults=Faults("garbage")).serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush", "Close")
        assert [part async for part in connection][-1] == GARBAGE


async def test_a_half_open_connection_does_not_even_say_who_speaks() -> None:
    server = DeepgramSpeak(faults=Faults("half_open"))
    async with server.serving() as url, connected(url) as connection:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)
        server.hang_up()


async def test_speech_comes_at_the_pace_that_is_told() -> None:
    async with DeepgramSpeak(faults=Faults(pace=0.1)).serving() as url, connected(url) as connection:
        await send(connection, "Speak", "Flush")
        assert json.loads(await connection.recv())["type"] == "Metadata"
        assert len(await connection.recv()) == 2 * RATE_HZ * PIECE_SECS
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.2)
