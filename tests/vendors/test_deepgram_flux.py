"""The server in Flux' place, asked over a plain websocket, as its documentation shows it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.vendors.deepgram import KEY, silence, spoken
from tests.vendors.deepgram_flux import DeepgramFlux
from tests.vendors.faults import Fault, Faults

SOON_SECS = 5.0
EAGER = "&eager_eot_threshold=0.5"


@asynccontextmanager
async def connected(url: str, more: str = "", *, key: str = KEY) -> AsyncIterator[ClientConnection]:
    query = f"model=flux-general-en&encoding=linear16&sample_rate=16000{more}"
    address = f"{url.replace('http', 'ws', 1)}/v2/listen?{query}"
    async with connect(address, additional_headers={"Authorization": f"Token {key}"}) as connection:
        yield connection


async def messages(connection: ClientConnection) -> list[dict[str, Any]]:
    """What comes to the end of a stream that is closed."""
    await connection.send(json.dumps({"type": "CloseStream"}))
    async with asyncio.timeout(SOON_SECS):
        return [json.loads(message) async for message in connection]


def events(told: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(each["event"], each["transcript"]) for each in told if each["type"] == "TurnInfo"]


async def test_a_turn_begins_grows_and_ends_by_itself() -> None:
    async with DeepgramFlux(transcripts=["is it open"]).serving() as url, connected(url) as connection:
        await connection.send(spoken(0.9) + silence(0.4))
        told = await messages(connection)
    growing = [("StartOfTurn", ""), ("Update", "is"), ("Update", "is it"), ("Update", "is it open")]
    assert events(told) == [*growing, ("EndOfTurn", "is it open")]
    assert (told[0]["type"], told[-1]["trigger"], told[-1]["turn_index"]) == ("Connected", "model", 0)
    assert [each["sequence_id"] for each in told] == list(range(len(told)))
    assert len({each["request_id"] for each in told}) == 1


async def test_a_guess_is_withdrawn_where_the_turn_goes_on() -> None:
    async with DeepgramFlux(transcripts=["one"]).serving() as url, connected(url, EAGER) as connection:
        await connection.send(spoken(0.2) + silence(0.16) + spoken(0.2) + silence(0.4))
        told = await messages(connection)
    ends = [event for event, _ in events(told) if event not in ("StartOfTurn", "Update")]
    assert ends == ["EagerEndOfTurn", "TurnResumed", "EagerEndOfTurn", "EndOfTurn"]


async def test_a_turn_ends_when_it_is_told_to() -> None:
    server = DeepgramFlux(transcripts=["one", "two"], is_sure=False)
    async with server.serving() as url, connected(url) as connection:
        for _ in range(2):
            await connection.send(spoken(0.2) + silence(0.3))
            await connection.send(json.dumps({"type": "ForceEndTurn"}))
        await connection.send(json.dumps({"type": "ForceEndTurn"}))
        told = await messages(connection)
    ends = [(each["transcript"], each["trigger"], each["turn_index"]) for each in told if each.get("trigger")]
    assert ends == [("one", "manual", 0), ("two", "manual", 1)]


async def test_a_turn_that_it_is_not_sure_of_ends_in_a_long_silence() -> None:
    server = DeepgramFlux(transcripts=["one"], is_sure=False)
    async with server.serving() as url, connected(url, "&eot_timeout_ms=1000") as connection:
        await connection.send(spoken(0.2) + silence(1.1))
        told = await messages(connection)
    assert told[-1]["trigger"] == "timeout"
    assert server.heard == [spoken(0.2)]


async def test_a_message_that_is_none_of_its_own_ends_the_connection() -> None:
    async with DeepgramFlux().serving() as url, connected(url) as connection:
        await connection.send(json.dumps({"type": "Finalize"}))
        told = await messages(connection)
    assert (told[-1]["type"], told[-1]["code"]) == ("Error", "UNPARSABLE_CLIENT_MESSAGE")


@pytest.mark.parametrize(
    ("fault", "key", "more", "status"),
    [
        ("unauthorized", KEY, "", 401),
        (None, "dg-other", "", 401),
        ("rate_limited", KEY, "", 429),
        ("server_error", KEY, "", 500),
        (None, KEY, "&eot_threshold=0.95", 400),
    ],
)
async def test_a_handshake_is_refused_as_told(fault: Fault | None, key: str, more: str, status: int) -> None:
    async with DeepgramFlux(faults=Faults(fault)).serving() as url:
        with pytest.raises(InvalidStatus) as refusal:
            async with connected(url, more, key=key):
                pass
    response = refusal.value.response
    assert (response.status_code, "dg-error" in response.headers) == (status, True)
    assert response.headers.get("Retry-After") == ("1" if status == 429 else None)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("stall", []),
        ("stall_midway", [("StartOfTurn", ""), ("Update", "one")]),
        ("empty", [("StartOfTurn", ""), ("EndOfTurn", "")]),
    ],
)
async def test_an_answer_is_cut_as_told(fault: Fault, told: list[tuple[str, str]]) -> None:
    server = DeepgramFlux(transcripts=["one two"], faults=Faults(fault))
    async with server.serving() as url, connected(url) as connection:
        await connection.send(spoken(0.6) + silence(0.4))
        assert events(await messages(connection)) == told


@pytest.mark.parametrize(("fault", "error"), [("drop", ConnectionClosed), ("garbage", json.JSONDecodeError)])
async def test_a_connection_breaks_as_told(fault: Fault, error: type[Exception]) -> None:
    server = DeepgramFlux(transcripts=["one two"], faults=Faults(fault))
    async with server.serving() as url, connected(url) as connection:
        await connection.send(spoken(0.6) + silence(0.4))
        with pytest.raises(error):
            await messages(connection)


async def test_a_half_open_connection_does_not_even_say_that_it_is_one() -> None:
    server = DeepgramFlux(faults=Faults("half_open"))
    async with server.serving() as url, connected(url) as connection:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(connection.recv(), 0.1)
        server.hang_up()
