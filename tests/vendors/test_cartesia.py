"""The server in Cartesia's place, asked as its documentation says."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from tests.vendors.cartesia import Cartesia
from tests.vendors.faults import Fault, Faults
from tests.vendors.voice import Speech

TEXT = "Hello, world."
HEADERS = {"X-API-Key": Cartesia.KEY, "Cartesia-Version": "2026-03-01"}
GENERATION = {
    "model_id": "sonic-3.6",
    "transcript": TEXT,
    "voice": {"mode": "id", "id": "anne"},
    "language": "en",
    "output_format": {"container": "raw", "encoding": "pcm_s16le", "sample_rate": 24_000},
}
SOUND = Speech(TEXT, 24_000, voice="anne").pcm


# Who answers nothing answers no close either.
LEAVES = aiohttp.ClientWSTimeout(ws_close=0.1)  # pyright: ignore[reportCallIssue]


@asynccontextmanager
async def socket(vendor: Cartesia) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        vendor.serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.ws_connect(f"{url}/tts/websocket", timeout=LEAVES) as client,
    ):
        yield client


def generation(name: str = "one", *, more: bool = False, **changes: Any) -> dict[str, Any]:
    return {**GENERATION, "context_id": name, "add_timestamps": True, "continue": more, **changes}


async def until_done(client: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    events = [await client.receive_json(timeout=5)]
    while not events[-1]["done"]:
        events.append(await client.receive_json(timeout=5))
    return events


async def until_silence(client: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        while True:
            messages.append(await client.receive_json(timeout=0.1))
    return messages


def sound(events: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(event["data"]) for event in events if event["type"] == "chunk")


async def test_a_transcript_is_spoken_with_the_times_of_its_words():
    async with socket(Cartesia()) as client:
        await client.send_json(generation())
        events = await until_done(client)
    times = [event["word_timestamps"] for event in events if event["type"] == "timestamps"]
    assert sound(events) == SOUND
    assert [word for each in times for word in each["words"]] == ["Hello,", "world."]
    assert [start for each in times for start in each["start"]] == pytest.approx([0.0, 7 / 15])
    assert events[-1] == {"type": "done", "done": True, "status_code": 206, "context_id": "one"}


async def test_a_context_goes_on_until_no_more_is_to_come():
    async with socket(Cartesia()) as client:
        for asked in (generation(more=True), generation(more=True), generation(transcript="")):
            await client.send_json(asked)
        events = await until_done(client)
    starts = [start for event in events if event["type"] == "timestamps" for start in event["word_timestamps"]["start"]]
    assert sound(events) == SOUND * 2
    assert starts == pytest.approx([0.0, 7 / 15, 13 / 15, 20 / 15])


async def test_each_transcript_that_is_not_held_back_is_marked_as_flushed():
    async with socket(Cartesia()) as client:
        await client.send_json(generation(max_buffer_delay_ms=0))
        events = await until_done(client)
    assert [event["flush_id"] for event in events if event["type"] == "flush_done"] == [1]


async def test_a_cancelled_context_is_silent_and_others_go_on():
    vendor = Cartesia(faults=Faults(delay_secs=0.05))
    async with socket(vendor) as client:
        await client.send_json(generation("one"))
        await client.send_json({"context_id": "one", "cancel": True})
        await client.send_json(generation("two"))
        events = await until_done(client)
    assert {event["context_id"] for event in events} == {"two"}


async def test_a_request_without_a_voice_is_an_error():
    async with socket(Cartesia()) as client:
        await client.send_json(generation(voice=None))
        (error,) = await until_done(client)
    assert (error["type"], error["status_code"], error["context_id"]) == ("error", 400, "one")


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("rate_limited", 429), ("server_error", 500)])
async def test_what_fails_on_an_open_connection_is_told_as_an_event(fault: Fault, status: int):
    vendor = Cartesia()
    async with socket(vendor) as client:
        vendor.faults.fault = fault
        await client.send_json(generation())
        (error,) = await until_done(client)
    assert (error["type"], error["status_code"]) == ("error", status)


@pytest.mark.parametrize(("fault", "share"), [("stall", 0.0), ("stall_midway", 0.5), ("half_open", 0.0)])
async def test_a_stalled_answer_leaves_the_connection_open(fault: Fault, share: float):
    async with socket(Cartesia(faults=Faults(fault=fault))) as client:
        await client.send_json(generation())
        pcm = sound(await until_silence(client))
        assert not client.closed
    assert len(pcm) == pytest.approx(share * len(SOUND), rel=0.3)


async def test_a_dropped_answer_ends_the_connection():
    async with socket(Cartesia(faults=Faults(fault="drop"))) as client:
        await client.send_json(generation())
        messages = [message async for message in client]
    assert messages
    assert client.close_code != aiohttp.WSCloseCode.OK


async def test_garbage_is_no_json():
    async with socket(Cartesia(faults=Faults(fault="garbage"))) as client:
        await client.send_json(generation())
        with pytest.raises(ValueError, match="Expecting value"):
            await client.receive_json(timeout=5)


@pytest.mark.parametrize(("fault", "pcm"), [("empty", b""), ("wrong_rate", Speech(TEXT, 12_000, voice="anne").pcm)])
async def test_an_answer_is_empty_or_at_half_the_rate(fault: Fault, pcm: bytes):
    async with socket(Cartesia(faults=Faults(fault=fault))) as client:
        await client.send_json(generation())
        events = await until_done(client)
    assert sound(events) == pcm


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("rate_limited", 429), ("server_error", 500)])
async def test_a_handshake_is_refused(fault: Fault, status: int):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with socket(Cartesia(faults=Faults(fault=fault, retry_after="7"))):
            pass
    assert refusal.value.status == status
    assert refusal.value.headers is not None
    assert refusal.value.headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_a_connection_is_not_taken():
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with socket(Cartesia(faults=Faults(fault="refuse"))):
            pass


async def test_an_unknown_key_is_refused():
    async with (
        Cartesia().serving() as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}/tts/bytes", json=GENERATION, headers={"X-API-Key": "another"}) as response,
    ):
        error = await response.json()
    assert response.status == 401
    assert set(error) == {"error_code", "title", "message", "request_id"}


async def test_speech_comes_over_http():
    async with (
        Cartesia().serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(f"{url}/tts/bytes", json=GENERATION) as response,
    ):
        assert await response.read() == SOUND


async def test_speech_over_http_breaks_off():
    async with (
        Cartesia(faults=Faults(fault="drop")).serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(f"{url}/tts/bytes", json=GENERATION) as response,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
