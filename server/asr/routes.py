"""`/api/asr`: transcription, whole and as it is spoken."""

from contextlib import AsyncExitStack, aclosing
from typing import Annotated

from fastapi import APIRouter, Query, Request, WebSocket
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from bot.desk.requests import LONGEST_AUDIO_SECS, AudioForm
from server.asr.intake import Intake, body_of, messages_of
from server.asr.problems import responses
from server.asr.schemas import Transcript
from server.asr.service import heard, transcript
from server.asr.uploads import checked_type, request_body, upload_of
from server.bodies import MB, JsonRoute
from server.deps import ServicesDep, needs
from server.errors import Problem
from server.health.schemas import ServiceHealth, running
from server.services import Services
from server.streams import Streamed, begun, error_event, server_sent, while_connected

PREFIX = "/api/asr"
LONGEST_UPLOAD_SECS = 600.0
# An hour of stereo PCM at 48 kHz is more; who sends that much sends it at a lower rate.
MAX_STREAM_BYTES = 512 * MB
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013

Form = Annotated[AudioForm, Query()]
_EVENTS = """event: ready
data: {}

event: speech
data: {"start": 0.32}

event: final
data: {"text": "are you open on sundays", "start": 0.32, "end": 2.9, "confidence": 0.95, "language": "en-US", …}

event: end
data: {"duration": 3.1}

"""

router = APIRouter(tags=["speech recognition"], route_class=JsonRoute, dependencies=[needs("asr")])


@router.post(
    "/transcribe",
    summary="Transcribe a recording",
    responses=responses(),
    openapi_extra={"requestBody": request_body(or_form=True)},
)
async def transcribe(request: Request, form: Form, held: ServicesDep) -> Transcript:
    """The words of a recording with their times; at most 25 MB and ten minutes.

    WAV, FLAC, MP3, Ogg with Opus or Vorbis, and WebM are recognised by what is in them. Raw PCM needs `format=s16le`.
    """
    async with upload_of(request) as upload:
        events = heard(held.desk.client, upload.parts, form, longest_secs=LONGEST_UPLOAD_SECS)
        return await while_connected(upload.leaving(), transcript(events))


@router.post(
    "/transcribe/stream",
    summary="Transcribe speech while it comes",
    response_class=StreamingResponse,
    responses=responses()
    | {200: {"description": "server-sent events", "content": {"text/event-stream": {"example": _EVENTS}}}},
    openapi_extra={"requestBody": request_body()},
)
async def transcribe_stream(request: Request, form: Form, held: ServicesDep) -> Streamed:
    """Send audio in chunks as it is recorded, at most an hour of it; the answer begins before the request ends.

    Events: `ready` as soon as the audio can be read; `speech` where somebody begins to speak; `interim` with what is
    understood so far, from recognisers that tell it (the embedded one does not); `final` with the words of each stretch
    of speech, once it is over; `end`. A problem behind `ready` is the last event, `error`.
    """
    checked_type(request)
    async with AsyncExitStack() as stack:
        intake = await stack.enter_async_context(body_of(request, limit_bytes=MAX_STREAM_BYTES))
        events = heard(held.desk.client, intake.parts(), form, longest_secs=LONGEST_AUDIO_SECS)
        stack.push_async_callback(events.aclose)
        started = await while_connected(intake.left.wait(), begun(events))
        return Streamed(
            server_sent(started),
            closing=stack.pop_all(),
            media_type="text/event-stream",
            leaving=intake.left.wait,
        )


sockets = APIRouter(tags=["speech recognition"], dependencies=[needs("asr")])


@sockets.websocket("/transcribe/stream")
async def transcribe_socket(websocket: WebSocket, form: Form, held: ServicesDep) -> None:
    """The same over a websocket: audio in binary messages, `end` as text behind the last; events as JSON text."""
    await websocket.accept()
    async with messages_of(websocket, limit_bytes=MAX_STREAM_BYTES) as intake:
        try:
            await while_connected(intake.left.wait(), _tell(websocket, intake, form, held))
            await websocket.close()
        except (ClientDisconnect, WebSocketDisconnect):
            pass
        except Problem as problem:
            await websocket.send_json({"type": "error", **error_event(problem)})
            await websocket.close(TRY_AGAIN_LATER if problem.status == 503 else POLICY_VIOLATION)


async def _tell(websocket: WebSocket, intake: Intake, form: AudioForm, held: Services) -> None:
    async with aclosing(heard(held.desk.client, intake.parts(), form, longest_secs=LONGEST_AUDIO_SECS)) as events:
        async for event in events:
            await websocket.send_json(event)


public = APIRouter(tags=["speech recognition"])


@public.get("/healthz", summary="Whether speech can be recognised")
async def healthz(held: ServicesDep) -> ServiceHealth:
    """Whether the processes that recognise run and answer; asks nobody, and needs no key."""
    return ServiceHealth.of({"desk": held.desk.able("asr"), **running(held.processes, "speech")})


asr = APIRouter(prefix=PREFIX)
for each in (router, sockets, public):
    asr.include_router(each)
