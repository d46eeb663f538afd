"""The server in Gemini's place, asked by Google's own client."""

import asyncio

import pytest
from google import genai
from google.genai.errors import APIError
from google.genai.types import HttpOptions

from tests.vendors.faults import Fault, Faults
from tests.vendors.google_genai import KEY, GoogleGenAI


async def answer(google: GoogleGenAI, *, key: str = KEY) -> str:
    async with google.serving() as url:
        client = genai.Client(api_key=key, http_options=HttpOptions(base_url=url)).aio
        try:
            stream = await client.models.generate_content_stream(model="gemini", contents="When?")
            return "".join([chunk.text or "" async for chunk in stream])
        finally:
            await client.aclose()


async def test_an_answer_is_made_of_what_was_asked():
    google = GoogleGenAI(lambda body: f"You asked: {body['contents'][0]['parts'][0]['text']} I don't know that.")
    assert await answer(google) == "You asked: When? I don't know that."


@pytest.mark.parametrize(
    ("google", "key", "told"),
    [
        (GoogleGenAI(), "another", (400, "INVALID_ARGUMENT")),
        (GoogleGenAI(faults=Faults("unauthorized")), KEY, (400, "INVALID_ARGUMENT")),
        (GoogleGenAI(faults=Faults("rate_limited")), KEY, (429, "RESOURCE_EXHAUSTED")),
        (GoogleGenAI(faults=Faults("server_error")), KEY, (500, "INTERNAL")),
    ],
)
async def test_it_refuses_as_told(google: GoogleGenAI, key: str, told: tuple[int, str]):
    with pytest.raises(APIError) as refusal:
        await answer(google, key=key)
    assert (refusal.value.code, refusal.value.status) == told


@pytest.mark.parametrize("fault", ["refuse", "drop", "garbage"])
async def test_it_breaks_off_as_told(fault: Fault):
    with pytest.raises(Exception, match=r".*"):
        await answer(GoogleGenAI(faults=Faults(fault)))


@pytest.mark.parametrize("fault", ["stall", "stall_midway", "half_open"])
async def test_it_stops_as_told(fault: Fault):
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(answer(GoogleGenAI(faults=Faults(fault))), 0.5)


async def test_it_has_nothing_to_say_when_told_to():
    assert await answer(GoogleGenAI(faults=Faults("empty"))) == ""
