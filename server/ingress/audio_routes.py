"""`WS /api/ingress/audio/ingest`: a call's sound and messages for programs; `docs/audio-ingest.md` has the format."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, WebSocket

from bot.wire import Codec, SampleRate
from server.auth.websocket import token_of
from server.deps import GuardDep, SessionsDep, TokensDep
from server.ingress.joining import by_websocket
from server.ingress.relay import relay

SUBPROTOCOL = "jarvis.audio"

router = APIRouter(prefix="/api/ingress", tags=["ingress"])


async def caller_token(websocket: WebSocket, guard: GuardDep) -> str:
    """The session's token; raises a 401 or 429 `Problem`."""
    await guard.count(websocket)
    return token_of(websocket.headers.get("authorization"), websocket.scope["subprotocols"])


@router.websocket("/audio/ingest")
async def ingest(
    websocket: WebSocket,
    token: Annotated[str, Depends(caller_token)],
    tokens: TokensDep,
    sessions: SessionsDep,
    codec: Codec = "pcm",
    sample_rate: SampleRate = SampleRate.WIDEBAND,
    connection: Annotated[str | None, Query(max_length=200)] = None,
) -> None:
    """Join the call that the token is for; or join it again, over the `connection` that was lost."""
    joining = by_websocket(codec=codec, sample_rate=sample_rate, connection=connection)
    session_id, fresh = tokens.read(token), tokens.is_fresh(token)
    async with sessions.audio(session_id, joining, token_is_fresh=fresh) as bot:
        offered = SUBPROTOCOL in websocket.scope["subprotocols"]
        await websocket.accept(SUBPROTOCOL if offered else None)
        await relay(websocket, bot)
