"""The server in Daily's place, asked for rooms and tokens by Pipecat's own helper."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from pipecat.transports.daily.utils import (
    DailyRESTHelper,
    DailyRoomParams,
    DailyRoomProperties,
    DailyRoomSipParams,
)

from tests.vendors.daily_rest import KEY, DailyREST
from tests.vendors.faults import Fault, Faults

DIAL_IN = DailyRoomParams(
    name="call-1", privacy="private", properties=DailyRoomProperties(sip=DailyRoomSipParams(display_name="Caller"))
)


@asynccontextmanager
async def asking(daily: DailyREST, *, api_key: str = KEY) -> AsyncIterator[DailyRESTHelper]:
    timeout = aiohttp.ClientTimeout(total=0.5)
    async with daily.serving() as url, aiohttp.ClientSession(timeout=timeout) as session:
        yield DailyRESTHelper(daily_api_key=api_key, daily_api_url=url, aiohttp_session=session)


async def test_a_room_that_was_made_is_found_until_it_is_deleted() -> None:
    daily = DailyREST()
    async with asking(daily) as helper:
        made = await helper.create_room(DailyRoomParams(name="call-1"))
        assert await helper.get_room_from_url(made.url) == made
        await helper.delete_room_by_url(made.url)
        with pytest.raises(Exception, match="not found"):
            await helper.get_room_from_url(made.url)
    assert daily.rooms == {}


async def test_a_room_for_dial_in_says_where_calls_are_sent_to() -> None:
    daily = DailyREST()
    async with asking(daily) as helper:
        room = await helper.create_room(DIAL_IN)
    assert (room.name, room.privacy) == ("call-1", "private")
    assert room.config.sip_endpoint.startswith("sip:")
    sip = daily.rooms["call-1"]["config"]["sip"]
    assert (sip["display_name"], sip["sip_mode"], sip["num_endpoints"]) == ("Caller", "dial-in", 1)


async def test_a_room_without_sip_has_no_address() -> None:
    async with asking(DailyREST()) as helper:
        assert (await helper.create_room(DailyRoomParams())).config.sip_endpoint == ""


async def test_a_token_is_for_its_room_and_expires() -> None:
    daily = DailyREST()
    async with asking(daily) as helper:
        room = await helper.create_room(DailyRoomParams())
        token = await helper.get_token(room.url, 60, owner=False)
    properties = daily.tokens[token]
    assert (properties["room_name"], properties["is_owner"]) == (room.name, False)
    assert properties["exp"] == pytest.approx(time.time() + 60, abs=5)


async def test_a_room_of_the_same_name_and_one_that_is_over_are_refused() -> None:
    async with asking(DailyREST()) as helper:
        await helper.create_room(DIAL_IN)
        for params in (DIAL_IN, DailyRoomParams(properties=DailyRoomProperties(exp=1.0))):
            with pytest.raises(Exception, match="status: 400"):
                await helper.create_room(params)


async def test_a_token_for_a_room_that_is_not_there_is_refused() -> None:
    async with asking(DailyREST()) as helper:
        with pytest.raises(Exception, match="status: 400"):
            await helper.get_token("https://jarvis-test.daily.co/nowhere")


async def test_another_key_is_refused() -> None:
    async with asking(DailyREST(), api_key="another") as helper:
        with pytest.raises(Exception, match="status: 401"):
            await helper.create_room(DailyRoomParams())


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", "status: 401"),
        ("rate_limited", "status: 429"),
        ("server_error", "status: 500"),
        ("garbage", "mimetype"),
        ("refuse", "disconnected"),
    ],
)
async def test_a_fault_fails_one_request_and_the_next_is_served(fault: Fault, error: str) -> None:
    async with asking(DailyREST(faults=Faults(fault, times=1))) as helper:
        with pytest.raises(Exception, match=error):
            await helper.create_room(DIAL_IN)
        assert (await helper.create_room(DIAL_IN)).name == "call-1"
