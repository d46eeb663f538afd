"""`/api/tts`: synthesis, whole and as it is spoken."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, aclosing
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from server.bodies import JsonRoute
from server.deps import ServicesDep, needs
from server.errors import described
from server.health.schemas import ServiceHealth, running
from server.streams import Streamed, begun, left, while_connected
from server.tts.schemas import ENCODINGS, MEDIA_TYPES, SpeechBody, SpeechStreamBody
from server.tts.service import Take, take
from server.tts.wav import header

PREFIX = "/api/tts"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: described(status, *said)
    for status, said in {
        400: ("The request broke off", "the body ended before its end"),
        413: ("The request is too large", "more than 1 MB"),
        415: ("The body is of the wrong type", "something else than JSON"),
        422: ("The request is not valid", "the answer names what is wrong; a voice that does not exist, for one"),
        503: ("The services can't answer now", "as many are spoken as are at once, or a part is down; see Retry-After"),
    }.items()
}
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_CACHE = {
    "X-Cache": {"schema": {"type": "string", "enum": ["hit", "miss"]}, "description": "whether it was made before"}
}

router = APIRouter(tags=["speech synthesis"], route_class=JsonRoute, dependencies=[needs("tts")])


def _spoken(*formats: str) -> dict[int | str, dict[str, Any]]:
    content = {MEDIA_TYPES[each].partition(";")[0]: _BINARY for each in formats}  # pyright: ignore[reportArgumentType]
    return {200: {"description": "speech", "content": content, "headers": _CACHE}}


@router.post(
    "/synthesize",
    summary="Speak a text",
    response_class=Response,
    responses=_PROBLEMS | _spoken("wav", "mp3", "opus"),
)
async def synthesize(request: Request, body: SpeechBody, held: ServicesDep) -> Response:
    """The text in the voice that calls have; what was said before comes from the cache for a day."""
    made = await take(body.to_request(ENCODINGS[body.format]), desk=held.desk.client, cache=held.speech_cache)
    speech = await while_connected(left(request), _whole(made.parts))
    if body.format == "wav":
        speech = header(len(speech)) + speech
    return Response(speech, media_type=MEDIA_TYPES[body.format], headers=_told(made))


@router.post(
    "/synthesize/stream",
    summary="Speak a text, the first words at once",
    response_class=StreamingResponse,
    responses=_PROBLEMS | _spoken("wav", "mp3", "opus", "pcm"),
)
async def synthesize_stream(request: Request, body: SpeechStreamBody, held: ServicesDep) -> Streamed:
    """The same in chunks, as it is spoken; speech that breaks off ends the connection."""
    made = await take(body.to_request(ENCODINGS[body.format]), desk=held.desk.client, cache=held.speech_cache)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(made.parts.aclose)
        parts = await while_connected(left(request), begun(made.parts))
        if body.format == "wav":
            parts = _with_header(parts)
        media_type = MEDIA_TYPES[body.format]
        return Streamed(parts, closing=stack.pop_all(), media_type=media_type, headers=_told(made))


def _told(made: Take) -> dict[str, str]:
    return {"X-Cache": "hit" if made.hit else "miss"}


async def _whole(parts: AsyncGenerator[bytes]) -> bytes:
    async with aclosing(parts):
        return b"".join([part async for part in parts])


async def _with_header(parts: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    yield header(None)
    async for part in parts:
        yield part


public = APIRouter(tags=["speech synthesis"])


@public.get("/healthz", summary="Whether texts can be spoken")
async def healthz(held: ServicesDep) -> ServiceHealth:
    """Whether the processes that speak run and answer; asks nobody, and needs no key."""
    return ServiceHealth.of({"desk": held.desk.able("tts"), **running(held.processes, "speech")})


tts = APIRouter(prefix=PREFIX)
for each in (router, public):
    tts.include_router(each)
