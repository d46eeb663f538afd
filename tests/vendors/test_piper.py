"""The server in Piper's place, asked over HTTP."""

import asyncio
import io
import wave

import aiohttp
import pytest

from tests.vendors.faults import Fault, Faults
from tests.vendors.piper import Piper


async def spoken(url: str, *, timeout_secs: float = 10.0) -> tuple[int, bytes]:
    timeout = aiohttp.ClientTimeout(total=timeout_secs)
    body = {"text": "Good morning, caller", "length_scale": 2.0}
    async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json=body) as response:
        return response.status, await response.read()


async def test_a_text_is_a_wav_file_as_long_as_it_has_words():
    async with Piper().serving() as url:
        _, wav = await spoken(url)
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnframes()) == (22_050, round(22_050 * 3 * 0.25 * 2.0))


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("rate_limited", 429), ("server_error", 500)])
async def test_it_refuses_as_told(fault: Fault, status: int):
    async with Piper(faults=Faults(fault=fault)).serving() as url:
        assert (await spoken(url))[0] == status


@pytest.mark.parametrize("fault", ["refuse", "drop"])
async def test_it_cuts_the_connection_off(fault: Fault):
    async with Piper(faults=Faults(fault=fault)).serving() as url:
        with pytest.raises(aiohttp.ClientError):
            await spoken(url)


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open"])
async def test_it_says_nothing_more(fault: Fault):
    async with Piper(faults=Faults(fault=fault)).serving() as url:
        with pytest.raises(asyncio.TimeoutError):
            await spoken(url, timeout_secs=0.3)


async def test_garbage_is_not_audio():
    async with Piper(faults=Faults(fault="garbage")).serving() as url:
        assert b"RIFF" not in (await spoken(url))[1]


@pytest.mark.parametrize(("fault", "rate_hz", "is_silent"), [("empty", 22_050, True), ("wrong_rate", 11_025, False)])
async def test_audio_is_missing_or_at_half_the_rate(fault: Fault, rate_hz: int, is_silent: bool):
    async with Piper(faults=Faults(fault=fault)).serving() as url:
        _, wav = await spoken(url)
    with wave.open(io.BytesIO(wav)) as file:
        assert (file.getframerate(), file.getnframes() == 0) == (rate_hz, is_silent)
