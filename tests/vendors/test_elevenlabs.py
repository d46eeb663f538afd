"""The server in ElevenLabs' place, asked as its documentation says."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from tests.vendors.elevenlabs import MOST_CONTEXTS, ElevenLabs
from tests.vendors.faults import Fault, Faults
from tests.vendors.voice import Speech

TEXT = "Hello, world. "
HEADERS = {"xi-api-key": ElevenLabs.KEY}
SOCKET = "/v1/text-to-speech/anne/multi-stream-input?model_id=eleven_flash_v2_5&output_format=pcm_24000"
STREAM = "/v1/text-to-speech/anne/stream/with-timestamps?output_format=pcm_24000"
SOUND = Speech(TEXT, 24_000, voice="anne").pcm


# Who answers nothing answers no close either.
LEAVES = aiohttp.ClientWSTimeout(ws_close=0.1)  # pyright: ignore[reportCallIssue]


@asynccontextmanager
async def socket(vendor: ElevenLabs, *, is_auto: bool = True) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        vendor.serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.ws_connect(f"{url}{SOCKET}&auto_mode={str(is_auto).lower()}", timeout=LEAVES) as client,
    ):
        yield client


async def say(client: aiohttp.ClientWebSocketResponse, *texts: str, name: str = "one", **settings: Any) -> None:
    await client.send_json({"text": " ", "context_id": name, **settings})
    for text in texts:
        await client.send_json({"text": text, "context_id": name})
    await client.send_json({"context_id": name, "close_context": True})


async def until_final(client: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    messages = [await client.receive_json(timeout=5)]
    while not messages[-1]["isFinal"]:
        messages.append(await client.receive_json(timeout=5))
    return messages


async def until_silence(client: aiohttp.ClientWebSocketResponse) -> list[dict[str, Any]]:
    messages: list[dict[str, Any]] = []
    with suppress(TimeoutError):
        while True:
            messages.append(await client.receive_json(timeout=0.1))
    return messages


def sound(messages: list[dict[str, Any]]) -> bytes:
    return b"".join(base64.b64decode(message["audio"]) for message in messages if message.get("audio"))


async def test_a_text_is_spoken_with_the_times_of_its_characters():
    async with socket(ElevenLabs()) as client:
        await say(client, TEXT)
        *messages, final = await until_final(client)
    assert sound(messages) == SOUND
    assert "".join(char for message in messages for char in message["alignment"]["chars"]) == TEXT
    assert messages[0]["alignment"]["charStartTimesMs"] == [0, 67, 133]
    assert messages[1]["normalizedAlignment"]["charDurationsMs"] == [67, 67, 67]
    assert final == {"isFinal": True, "contextId": "one"}


async def test_what_is_no_sentence_waits_to_be_flushed():
    async with socket(ElevenLabs(), is_auto=False) as client:
        for message in ({"text": "Hello, "}, {"text": "world. "}, {"flush": True}, {"close_context": True}):
            await client.send_json({"context_id": "one", **message})
        messages = await until_final(client)
    assert sound(messages) == SOUND


async def test_contexts_are_told_apart():
    async with socket(ElevenLabs()) as client:
        await say(client, TEXT, name="one")
        await say(client, "Bye. ", name="two")
        messages = await until_final(client) + await until_final(client)
    assert (
        sound([message for message in messages if message["contextId"] == "two"])
        == Speech("Bye. ", 24_000, voice="anne").pcm
    )


async def test_it_speaks_as_fast_as_it_is_told_first():
    async with socket(ElevenLabs()) as client:
        await say(client, TEXT, voice_settings={"speed": 1.2})
        messages = await until_final(client)
    assert sound(messages) == Speech(TEXT, 24_000, 1.2, "anne").pcm


async def test_what_keeps_a_connection_alive_opens_no_context():
    async with socket(ElevenLabs()) as client:
        for message in ({"text": ""}, {"text": "", "context_id": "two"}):
            await client.send_json(message)
        await say(client, TEXT)
        messages = await until_final(client)
    assert {message["contextId"] for message in messages} == {"one"}


async def test_it_closes_when_it_is_asked_to():
    async with socket(ElevenLabs()) as client:
        await client.send_json({"close_socket": True})
        await client.receive(timeout=5)
    assert client.close_code == aiohttp.WSCloseCode.OK


@pytest.mark.parametrize(
    ("messages", "error"),
    [
        ([{"text": " ", "context_id": str(number)} for number in range(MOST_CONTEXTS + 1)], "max_active_conversations"),
        (
            [{"text": " ", "context_id": "1"}, {"text": "a", "context_id": "1", "voice_settings": {}}],
            "policy_violation",
        ),
    ],
)
async def test_what_it_does_not_take_ends_the_connection(messages: list[dict[str, Any]], error: str):
    async with socket(ElevenLabs()) as client:
        for message in messages:
            await client.send_json(message)
        assert (await client.receive_json(timeout=5))["error"] == error
        await client.receive(timeout=5)
    assert client.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


@pytest.mark.parametrize("fault", ["unauthorized", "rate_limited", "server_error"])
async def test_what_fails_on_an_open_connection_ends_it(fault: Fault):
    vendor = ElevenLabs()
    async with socket(vendor) as client:
        vendor.faults.fault = fault
        await say(client, TEXT)
        error = await client.receive_json(timeout=5)
        await client.receive(timeout=5)
    assert set(error) == {"message", "error", "code"}
    assert client.close_code == aiohttp.WSCloseCode.POLICY_VIOLATION


@pytest.mark.parametrize(("fault", "share"), [("stall", 0.0), ("stall_midway", 0.5), ("half_open", 0.0)])
async def test_a_stalled_answer_leaves_the_connection_open(fault: Fault, share: float):
    async with socket(ElevenLabs(faults=Faults(fault=fault))) as client:
        await say(client, TEXT)
        pcm = sound(await until_silence(client))
        assert not client.closed
    assert len(pcm) == pytest.approx(share * len(SOUND), rel=0.3)


async def test_a_dropped_answer_ends_the_connection():
    async with socket(ElevenLabs(faults=Faults(fault="drop"))) as client:
        await say(client, TEXT)
        messages = [message async for message in client]
    assert messages
    assert client.close_code != aiohttp.WSCloseCode.OK


async def test_garbage_is_no_json():
    async with socket(ElevenLabs(faults=Faults(fault="garbage"))) as client:
        await say(client, TEXT)
        with pytest.raises(ValueError, match="Expecting value"):
            await client.receive_json(timeout=5)


@pytest.mark.parametrize(("fault", "pcm"), [("empty", b""), ("wrong_rate", Speech(TEXT, 12_000, voice="anne").pcm)])
async def test_an_answer_is_empty_or_at_half_the_rate(fault: Fault, pcm: bytes):
    async with socket(ElevenLabs(faults=Faults(fault=fault))) as client:
        await say(client, TEXT)
        messages = await until_final(client)
    assert sound(messages) == pcm


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("rate_limited", 429), ("server_error", 500)])
async def test_a_handshake_is_refused(fault: Fault, status: int):
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        async with socket(ElevenLabs(faults=Faults(fault=fault, retry_after="7"))):
            pass
    assert refusal.value.status == status
    assert refusal.value.headers is not None
    assert refusal.value.headers.get("Retry-After") == ("7" if status == 429 else None)


async def test_a_connection_is_not_taken():
    with pytest.raises(aiohttp.ServerDisconnectedError):
        async with socket(ElevenLabs(faults=Faults(fault="refuse"))):
            pass


async def test_an_unknown_key_is_refused():
    async with (
        ElevenLabs().serving() as url,
        aiohttp.ClientSession() as session,
        session.post(f"{url}{STREAM}", json={"text": TEXT}, headers={"xi-api-key": "another"}) as response,
    ):
        error = await response.json()
    assert (response.status, error["detail"]["status"]) == (401, "invalid_api_key")


async def test_speech_comes_over_http_with_times_from_its_beginning():
    async with (
        ElevenLabs().serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(f"{url}{STREAM}", json={"text": TEXT}) as response,
    ):
        lines = [json.loads(line) async for line in response.content]
    assert b"".join(base64.b64decode(line["audio_base64"]) for line in lines) == SOUND
    assert lines[1]["alignment"]["character_start_times_seconds"] == pytest.approx([3 / 15, 4 / 15, 5 / 15])


async def test_speech_over_http_breaks_off():
    async with (
        ElevenLabs(faults=Faults(fault="drop")).serving() as url,
        aiohttp.ClientSession(headers=HEADERS) as session,
        session.post(f"{url}{STREAM}", json={"text": TEXT}) as response,
    ):
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()
