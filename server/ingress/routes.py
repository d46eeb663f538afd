"""`/api/ingress`: sessions over HTTP, for callers and for the operator."""

from typing import Any

from fastapi import APIRouter, Response

from server.deps import EndingSession, JoiningSession, OperatorOnly, OwnSessionId, ServicesDep, SessionsDep
from server.ingress.schemas import (
    Answer,
    Candidates,
    CreatedSession,
    CreateSession,
    Draining,
    Offer,
    Overview,
    SessionState,
    Waiting,
)

router = APIRouter(prefix="/api/ingress", tags=["ingress"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        401: "no token, or one that is not valid",
        403: "the token is for another call",
        404: "no such call",
        410: "the link has expired or the call has ended",
        503: "all lines are busy, or a part is away; Retry-After says when to try again",
    }.items()
}


@router.post(
    "/session/create",
    status_code=201,
    responses={
        202: {"model": Waiting, "description": "a place in line; ask again with the ticket"},
        503: _PROBLEMS[503],
    },
)
async def create_session(
    sessions: SessionsDep, response: Response, body: CreateSession | None = None
) -> CreatedSession | Waiting:
    """A new call: its link, and the token to join it."""
    made = await sessions.create(body or CreateSession())
    if isinstance(made, Waiting):
        response.status_code = 202
        response.headers["Retry-After"] = str(made.retry_after_secs)
    return made


@router.get("/session/{session_id}", responses=_PROBLEMS)
async def read_session(session_id: OwnSessionId, sessions: SessionsDep) -> SessionState:
    """How the call stands."""
    return await sessions.state(session_id)


@router.delete("/session/{session_id}", status_code=204, responses=_PROBLEMS)
async def end_session(ending: EndingSession, sessions: SessionsDep) -> Response:
    """Hang up; the operator may end any call."""
    await sessions.end(ending.session_id, reason=ending.reason)
    return Response(status_code=204)


@router.post("/session/{session_id}/offer", responses={**_PROBLEMS, 409: {"description": "answered elsewhere"}})
async def offer(joining: JoiningSession, body: Offer, sessions: SessionsDep) -> Answer:
    """Join the call, or join it again: a WebRTC offer in, the bot's answer out."""
    return await sessions.offer(joining.session_id, body, token_is_fresh=joining.token_is_fresh)


@router.patch("/session/{session_id}/offer", status_code=204, responses=_PROBLEMS)
async def candidates(session_id: OwnSessionId, body: Candidates, sessions: SessionsDep) -> Response:
    """Late ICE candidates."""
    await sessions.candidates(session_id, body)
    return Response(status_code=204)


@router.get("/sessions", dependencies=[OperatorOnly], responses={401: _PROBLEMS[401]})
async def overview(held: ServicesDep) -> Overview:
    """The calls and the servers of this host, and how many more calls fit."""
    return await held.operations.overview()


@router.post("/drain", status_code=202, dependencies=[OperatorOnly], responses={401: _PROBLEMS[401]})
async def drain(held: ServicesDep) -> Draining:
    """Take no new calls on this server, and end it when its calls have ended."""
    held.sessions.drain()
    return Draining(live_sessions=len(held.sessions.live), limit_secs=held.drain_secs)


@router.get("/lines-busy.wav", responses={200: {"content": {"audio/wav": {}}}, 503: _PROBLEMS[503]})
async def lines_busy(held: ServicesDep) -> Response:
    """What a telephone caller is told where no line is free: mono, 16 bit."""
    return Response(await held.busy.wav(), media_type="audio/wav")
