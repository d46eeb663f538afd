"""`WS /api/ingress/eval`: calls by Pipecat's eval harness, for the operator; `docs/evals.md` explains it."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, WebSocket

from server.auth.guard import require
from server.deps import GuardDep, SessionsDep, TokensDep
from server.errors import Problem
from server.ingress.joining import by_harness
from server.ingress.relay import relay
from server.ingress.schemas import CreatedSession, CreateSession

router = APIRouter(prefix="/api/ingress", tags=["ingress"])


@dataclass(frozen=True, slots=True)
class EvalCall:
    """A call that the harness may join."""

    session_id: str
    token_is_fresh: bool


async def eval_call(
    websocket: WebSocket, guard: GuardDep, tokens: TokensDep, sessions: SessionsDep
) -> AsyncIterator[EvalCall]:
    """The call of the token that is shown, which only who has the scope admin could create; or a new one, for a key.

    With a key, the harness' many scenarios have one address and a call each. Raises a `Problem` for everybody else.
    """
    shown = shown_in(websocket.headers.get("authorization"))
    if guard.knows(shown):
        async with guard.admitted(shown, websocket) as asking:
            require(asking, "admin")
            created = await sessions.create(CreateSession(channel="eval"))
            assert isinstance(created, CreatedSession), "who does not wait gets no place in line"
            try:
                yield EvalCall(created.id, token_is_fresh=True)
            except Problem:
                # Nobody else knows of it, so nobody else would end it.
                await sessions.end(created.id, reason="never_connected")
                raise
    else:
        await guard.count(websocket)
        yield EvalCall(tokens.read(shown), token_is_fresh=tokens.is_fresh(shown))


@router.websocket("/eval")
async def evaluate(websocket: WebSocket, call: Annotated[EvalCall, Depends(eval_call)], sessions: SessionsDep) -> None:
    """Join the call as its only caller."""
    async with sessions.audio(call.session_id, by_harness(), token_is_fresh=call.token_is_fresh) as bot:
        await websocket.accept()
        await relay(websocket, bot)


def shown_in(authorization: str | None) -> str:
    """What `Bearer …` shows, or the password of `Basic …`; raises a 401 `Problem`.

    The harness can be told an address and no header. It sends what stands before an address' `@` as `Basic`, and not
    in the address, which proxies write into logs.
    """
    scheme, _, shown = (authorization or "").partition(" ")
    shown = shown.strip()
    if scheme.lower() == "basic":
        try:
            shown = base64.b64decode(shown, validate=True).decode().partition(":")[2]
        except ValueError:
            shown = ""
    elif scheme.lower() != "bearer":
        shown = ""
    if not shown:
        raise Problem(
            401,
            "A key or a token is needed",
            "Connect to the `eval_url` of a new session, or to `ws://key:KEY@…` with a key of the scope admin.",
        )
    return shown
