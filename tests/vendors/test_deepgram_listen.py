"""The server in Deepgram's place, listened to by Deepgram's own client."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from deepgram import AsyncDeepgramClient, DeepgramClientEnvironment
from deepgram.core import ApiError
from deepgram.listen.v1.types import ListenV1Metadata, ListenV1Results
from websockets.exceptions import ConnectionClosed

from tests.vendors.deepgram import KEY, silence, spoken
from tests.vendors.deepgram_listen import DeepgramListen
from tests.vendors.faults import Fault, Faults

SOON_SECS = 5.0


@asynccontextmanager
async def connected(url: str, *, api_key: str = KEY, **query: Any) -> AsyncIterator[Any]:
    place = url.replace("http", "ws", 1)
    environment = DeepgramClientEnvironment(base=url, production=place, agent=place, agent_rest=url)
    client = AsyncDeepgramClient(api_key=api_key, environment=environment)
    asked = {"model": "nova-3", "encoding": "linear16", "sample_rate": "16000", "endpointing": "false", **query}
    async with client.listen.v1.connect(**asked) as connection:
        yield connection


async def heard(connection: Any, *, until: type = ListenV1Metadata) -> list[Any]:
    """What comes until the last message."""
    messages = []
    async with asyncio.timeout(SOON_SECS):
        while not messages or not isinstance(messages[-1], until):
            messages.append(await connection.recv())
    return messages


def texts(messages: list[Any], *, final: bool) -> list[str]:
    results = [message for message in messages if isinstance(message, ListenV1Results)]
    return [each.channel.alternatives[0].transcript for each in results if each.is_final is final]


async def test_words_grow_as_the_audio_comes_and_are_final_when_asked_for() -> None:
    server = DeepgramListen(transcripts=["Is it open?"])
    async with server.serving() as url, connected(url, interim_results="true") as connection:
        await connection.send_media(spoken(0.9) + silence(0.2))
        await connection.send_finalize()
        await connection.send_close_stream()
        messages = await heard(connection)
    assert texts(messages, final=False) == ["Is", "Is it", "Is it open?"]
    (final,) = [each for each in messages if getattr(each, "from_finalize", None)]
    words = final.channel.alternatives[0].words
    assert [(word.word, word.punctuated_word) for word in words] == [("is", "Is"), ("it", "it"), ("open", "open?")]
    assert (words[0].start, words[2].start) == (0.0, 0.6)


async def test_each_utterance_has_the_next_words_and_its_own_audio() -> None:
    server, first, second = DeepgramListen(transcripts=["one", "two"]), spoken(0.4), spoken(0.6)
    async with server.serving() as url, connected(url) as connection:
        await connection.send_media(silence(0.3) + first + silence(0.5) + second + silence(0.2))
        await connection.send_close_stream()
        messages = await heard(connection)
    assert texts(messages, final=True) == ["one two"]
    assert server.heard == [first, second]


async def test_silence_ends_the_speech_where_endpointing_is_asked_for() -> None:
    async with DeepgramListen(transcripts=["one", "two"]).serving() as url:
        query = {"endpointing": "200", "utterance_end_ms": "1000", "interim_results": "true"}
        async with connected(url, **query) as connection:
            await connection.send_media(spoken(0.4) + silence(1.5) + spoken(0.4) + silence(0.3))
            await connection.send_close_stream()
            messages = await heard(connection)
    final = [each for each in messages if getattr(each, "speech_final", None)]
    assert [each.channel.alternatives[0].transcript for each in final] == ["one", "two"]
    assert [each.last_word_end for each in messages if each.type == "UtteranceEnd"] == [0.27]


async def test_out_of_transcripts_it_hears_what_is_usual() -> None:
    server = DeepgramListen(transcripts=["one"], usually="two")
    async with server.serving() as url, connected(url) as connection:
        await connection.send_media(spoken(0.4) + silence(0.5) + spoken(0.4) + silence(0.2))
        await connection.send_close_stream()
        messages = await heard(connection)
    assert texts(messages, final=True) == ["one two"]


async def test_words_are_final_no_sooner_than_told() -> None:
    query = {"endpointing": "10"}
    async with DeepgramListen(transcripts=["one"], final_secs=0.2).serving() as url, connected(url, **query) as client:
        await client.send_media(spoken(0.4) + silence(0.1))
        began = asyncio.get_running_loop().time()
        await client.send_finalize()
        final = await client.recv()
        took_secs = asyncio.get_running_loop().time() - began
    assert (final.from_finalize, final.channel.alternatives[0].transcript) == (True, "one")
    assert took_secs >= 0.09


async def test_a_finalize_without_audio_behind_it_is_not_answered() -> None:
    async with DeepgramListen().serving() as url, connected(url) as connection:
        await connection.send_finalize()
        await connection.send_close_stream()
        messages = await heard(connection)
    assert not any(getattr(each, "from_finalize", None) for each in messages)


async def test_a_connection_without_audio_or_keep_alive_is_closed() -> None:
    async with DeepgramListen(idle_secs=0.05).serving() as url, connected(url) as connection:
        with pytest.raises(ConnectionClosed) as closed:
            await heard(connection)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1011, "NET-0001")


@pytest.mark.parametrize(
    ("fault", "api_key", "query", "status"),
    [
        (None, "dg-other", {}, 401),
        ("unauthorized", KEY, {}, 401),
        ("rate_limited", KEY, {}, 429),
        ("server_error", KEY, {}, 500),
        (None, KEY, {"model": "whisper"}, 400),
        (None, KEY, {"encoding": "mulaw"}, 400),
        (None, KEY, {"utterance_end_ms": "1000"}, 400),
    ],
)
async def test_a_handshake_is_refused_as_told(fault: Fault | None, api_key: str, query: dict, status: int) -> None:
    async with DeepgramListen(faults=Faults(fault)).serving() as url:
        with pytest.raises(ApiError) as refusal:
            async with connected(url, api_key=api_key, **query):
                pass
    assert refusal.value.status_code == status


async def test_a_connection_is_refused_only_as_often_as_told() -> None:
    server = DeepgramListen(faults=Faults("refuse", times=1))
    async with server.serving() as url:
        with pytest.raises(Exception, match="HTTP"):
            async with connected(url):
                pass
        async with connected(url) as connection:
            await connection.send_close_stream()
            assert await heard(connection)
    assert len(server.connections) == 2


@pytest.mark.parametrize(("fault", "interims"), [("stall", []), ("stall_midway", ["one", "one two"])])
async def test_an_answer_stops_where_told(fault: Fault, interims: list[str]) -> None:
    server = DeepgramListen(transcripts=["one two three four"], faults=Faults(fault))
    async with server.serving() as url, connected(url, interim_results="true") as connection:
        await connection.send_media(spoken(1.2) + silence(0.2))
        await connection.send_finalize()
        await connection.send_close_stream()
        messages = await heard(connection)
    assert (texts(messages, final=False), texts(messages, final=True)) == (interims, [])


async def test_a_connection_drops_midway() -> None:
    server = DeepgramListen(transcripts=["one two three four"], faults=Faults("drop"))
    async with server.serving() as url, connected(url, interim_results="true") as connection:
        await connection.send_media(spoken(1.2))
        assert (await connection.recv()).channel.alternatives[0].transcript == "one"
        with pytest.raises(ConnectionClosed):
            await heard(connection)


async def test_garbage_is_no_json() -> None:
    server = DeepgramListen(transcripts=["one"], faults=Faults("garbage"))
    async with server.serving() as url, connected(url) as connection:
        await connection.send_media(spoken(0.3))
        with pytest.raises(json.JSONDecodeError):
            await connection.recv()


async def test_an_empty_answer_has_no_words() -> None:
    server = DeepgramListen(transcripts=["one"], faults=Faults("empty"))
    async with server.serving() as url, connected(url) as connection:
        await connection.send_media(spoken(0.3) + silence(0.2))
        await connection.send_finalize()
        assert texts([await connection.recv()], final=True) == [""]


async def test_a_half_open_connection_neither_answers_nor_closes() -> None:
    server = DeepgramListen(faults=Faults("half_open"))
    async with server.serving() as url, connected(url) as connection:
        await connection.send_close_stream()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)
        server.hang_up()


async def test_the_first_words_come_no_sooner_than_told() -> None:
    server = DeepgramListen(transcripts=["one"], faults=Faults(delay_secs=1.0))
    async with server.serving() as url, connected(url, interim_results="true") as connection:
        await connection.send_media(spoken(0.3))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)
