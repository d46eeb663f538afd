"""`/api/ingress`: sessions over HTTP."""

from typing import Any

from fastapi import APIRouter, Response

from server.deps import OwnSessionId, SessionsDep
from server.ingress.schemas import Answer, Candidates, CreatedSession, CreateSession, Offer, SessionState

router = APIRouter(prefix="/api/ingress", tags=["ingress"])

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        401: "no token, or one that is not valid",
        403: "the token is for another call",
        404: "no such call",
        410: "the link has expired or the call has ended",
        503: "all lines are busy; Retry-After says when to try again",
    }.items()
}


@router.post("/session/create", status_code=201, responses={503: _PROBLEMS[503]})
async def create_session(sessions: SessionsDep, body: CreateSession | None = None) -> CreatedSession:
    """A new call: its link, and the token to join it."""
    return await sessions.create()


@router.get("/session/{session_id}", responses=_PROBLEMS)
async def read_session(session_id: OwnSessionId, sessions: SessionsDep) -> SessionState:
    """How the call stands."""
    return await sessions.state(session_id)


@router.delete("/session/{session_id}", status_code=204, responses=_PROBLEMS)
async def end_session(session_id: OwnSessionId, sessions: SessionsDep) -> Response:
    """Hang up."""
    await sessions.end(session_id, reason="hang_up")
    return Response(status_code=204)


@router.post("/session/{session_id}/offer", responses={**_PROBLEMS, 409: {"description": "answered elsewhere"}})
async def offer(session_id: OwnSessionId, body: Offer, sessions: SessionsDep) -> Answer:
    """Join the call: a WebRTC offer in, the bot's answer out."""
    return await sessions.offer(session_id, body)


@router.patch("/session/{session_id}/offer", status_code=204, responses=_PROBLEMS)
async def candidates(session_id: OwnSessionId, body: Candidates, sessions: SessionsDep) -> Response:
    """Late ICE candidates."""
    await sessions.candidates(session_id, body)
    return Response(status_code=204)
