"""`/api/ingress`: sessions over HTTP, for callers, for programs and for the operator."""

from typing import Any

from fastapi import APIRouter, Response
from fastapi.requests import HTTPConnection

from bot.change import Change
from knowledge.errors import KnowledgeError
from knowledge.store import DEFAULT_COLLECTION
from server.auth.guard import require
from server.deps import (
    Creator,
    EndingSession,
    JoiningSession,
    KnowledgeDep,
    OwnSessionId,
    ServicesDep,
    SessionsDep,
    needs,
)
from server.errors import Problem
from server.health.schemas import ServiceHealth, running
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
from server.rag.bodies import KnowledgeRoute
from server.rag.problems import problem_of, responses
from server.services import Knowledge

router = APIRouter(prefix="/api/ingress", tags=["ingress"], route_class=KnowledgeRoute)

_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        404: "no such call",
        410: "the link has expired or the call has ended",
        503: "all lines are busy, or a part is away; Retry-After says when to try again",
    }.items()
}
# What may be wrong with a body.
_BODY = {status: responses(413, 415)[status] for status in (413, 415, 422)}


@router.post(
    "/session/create",
    status_code=201,
    responses={
        202: {"model": Waiting, "description": "a place in line; ask again with the ticket"},
        **_BODY,
        503: _PROBLEMS[503],
    },
    openapi_extra={"security": [{}]},  # or without a key
)
async def create_session(
    creator: Creator,
    connection: HTTPConnection,
    held: ServicesDep,
    sessions: SessionsDep,
    knowledge: KnowledgeDep,
    response: Response,
    body: CreateSession | None = None,
) -> CreatedSession | Waiting:
    """A new call: its link, and the token to join it.

    Without a key it is one as the server's settings say, where they allow that at all, and `channel`, `wait` and
    `ticket` are all that may be said of it. The channel `eval` is the operator's: it needs the scope admin.
    """
    wanted = body or CreateSession()
    if wanted.channel == "eval":
        require(creator, "admin")
    elif creator is None:
        await held.public_calls.check(wanted, connection)
    if wanted.collection != DEFAULT_COLLECTION:
        await _check_collection(wanted.collection, knowledge)
    made = await sessions.create(wanted)
    if isinstance(made, Waiting):
        response.status_code = 202
        response.headers["Retry-After"] = str(made.retry_after_secs)
    return made


@router.get("/session/{session_id}", responses=_PROBLEMS)
async def read_session(session_id: OwnSessionId, sessions: SessionsDep) -> SessionState:
    """How the call stands."""
    return await sessions.state(session_id)


@router.patch(
    "/session/{session_id}",
    status_code=204,
    dependencies=[needs("sessions:write")],
    responses={**_PROBLEMS, **_BODY},
)
async def change_session(session_id: str, body: Change, sessions: SessionsDep) -> Response:
    """Have another of the call's providers listen, answer or speak from the next turn on, or speak otherwise."""
    await sessions.change(session_id, body)
    return Response(status_code=204)


@router.delete("/session/{session_id}", status_code=204, responses=_PROBLEMS)
async def end_session(ending: EndingSession, sessions: SessionsDep) -> Response:
    """Hang up; a key with the scope sessions:write may end any call."""
    await sessions.end(ending.session_id, reason=ending.reason)
    return Response(status_code=204)


@router.post(
    "/session/{session_id}/offer", responses={**_PROBLEMS, **_BODY, 409: {"description": "answered elsewhere"}}
)
async def offer(joining: JoiningSession, body: Offer, sessions: SessionsDep) -> Answer:
    """Join the call, or join it again: a WebRTC offer in, the bot's answer out."""
    return await sessions.offer(joining.session_id, body, token_is_fresh=joining.token_is_fresh)


@router.patch("/session/{session_id}/offer", status_code=204, responses={**_PROBLEMS, **_BODY})
async def candidates(session_id: OwnSessionId, body: Candidates, sessions: SessionsDep) -> Response:
    """Late ICE candidates."""
    await sessions.candidates(session_id, body)
    return Response(status_code=204)


@router.get("/sessions", dependencies=[needs("sessions:read")])
async def overview(held: ServicesDep) -> Overview:
    """The calls and the servers of this host, and how many more calls fit."""
    return await held.operations.overview()


@router.post("/drain", status_code=202, dependencies=[needs("admin")])
async def drain(held: ServicesDep) -> Draining:
    """Take no new calls on this server, and end it when its calls have ended."""
    held.sessions.drain()
    return Draining(live_sessions=len(held.sessions.live), limit_secs=held.drain_secs)


@router.get("/healthz")
async def healthz(held: ServicesDep) -> ServiceHealth:
    """Whether calls are taken, and the processes that they need run; asks nobody, and needs no key."""
    taken = not held.sessions.draining.is_set()
    return ServiceHealth.of({"takes_calls": taken, **running(held.processes, "speech", "retrieval")})


@router.get("/lines-busy.wav", responses={200: {"content": {"audio/wav": {}}}, 503: _PROBLEMS[503]})
async def lines_busy(held: ServicesDep) -> Response:
    """What a telephone caller is told where no line is free: mono, 16 bit."""
    return Response(await held.busy.wav(), media_type="audio/wav")


async def _check_collection(name: str, knowledge: Knowledge) -> None:
    try:
        there = await knowledge.store.collections()
    except KnowledgeError as error:
        raise problem_of(error) from error
    if name not in there:
        raise Problem(
            422, "There is no such collection", "`GET /api/rag/collections` lists them; index a document to make one."
        )
