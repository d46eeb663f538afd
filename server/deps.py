"""What routes ask for."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any

from fastapi import Depends
from fastapi.requests import HTTPConnection
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from server.auth.guard import Guard, require
from server.auth.key_desk import KeyDesk
from server.auth.principal import Principal, Scope
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.services import Knowledge, Services

# Their names are what the interface's description calls them.
_key_scheme = HTTPBearer(
    scheme_name="key",
    bearerFormat="jk_…",
    description="An API key, made by `jarvis keys create`, or the operator's in `operator.key` of the data directory.",
    auto_error=False,
)
_token_scheme = HTTPBearer(scheme_name="session", description="The token that came with the session.", auto_error=False)


async def services(connection: HTTPConnection) -> Services:
    """All that the running server holds."""
    return connection.app.state.services


ServicesDep = Annotated[Services, Depends(services)]


async def _sessions(held: ServicesDep) -> Sessions:
    return held.sessions


async def _tokens(held: ServicesDep) -> SessionTokens:
    return held.tokens


async def _page(held: ServicesDep) -> Page:
    return held.page


async def _knowledge(held: ServicesDep) -> Knowledge:
    return held.knowledge


async def _key_desk(held: ServicesDep) -> KeyDesk:
    return held.key_desk


async def _guard(held: ServicesDep) -> Guard:
    return held.guard


async def _shown_key(
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_key_scheme)],
) -> str | None:
    return None if shown is None else shown.credentials.strip()


async def _shown_token(
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_token_scheme)],
) -> str:
    if shown is None:
        raise Problem(401, "A token is needed", "Send the session's token as `Authorization: Bearer …`.")
    return shown.credentials.strip()


KeyDeskDep = Annotated[KeyDesk, Depends(_key_desk)]
GuardDep = Annotated[Guard, Depends(_guard)]
ShownKey = Annotated[str | None, Depends(_shown_key)]
ShownToken = Annotated[str, Depends(_shown_token)]
TokensDep = Annotated[SessionTokens, Depends(_tokens)]


async def principal(connection: HTTPConnection, guard: GuardDep, shown: ShownKey) -> AsyncIterator[Principal]:
    """The holder of the key that is shown; the request counts as theirs until its answer has been sent."""
    async with guard.admitted(shown, connection) as admitted:
        yield admitted


class Needs:
    """Lets in who has a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope: Scope = scope

    async def __call__(self, asking: Annotated[Principal, Depends(principal)]) -> Principal:
        """Who asks; a 401, 403, 429 or 503 `Problem` for everyone else, before a WebSocket is opened."""
        require(asking, self.scope)
        return asking


@cache
def needs(scope: Scope) -> Any:
    """What a router or route of HTTP or WebSockets depends on to be open to keys of this scope only.

    `APIRouter(dependencies=[needs("asr")])`; `Annotated[Principal, needs("asr")]` where the route wants to know who.
    """
    return Depends(Needs(scope))


async def creator(connection: HTTPConnection, guard: GuardDep, shown: ShownKey) -> AsyncIterator[Principal | None]:
    """Who starts a call; None for somebody without a key."""
    if shown is None:
        yield None
        return
    async with guard.admitted(shown, connection) as admitted:
        require(admitted, "sessions:write")
        yield admitted


async def _counted_token(connection: HTTPConnection, guard: GuardDep, token: ShownToken) -> str:
    await guard.count(connection)
    return token


CountedToken = Annotated[str, Depends(_counted_token)]


async def own_session_id(session_id: str, tokens: TokensDep, token: CountedToken) -> str:
    """The session in the path, once the bearer token proves that the caller is its caller."""
    return _own(session_id, tokens, token)


def _own(session_id: str, tokens: SessionTokens, token: str) -> str:
    if tokens.read(token) != session_id:
        raise Problem(403, "This token is for another call", "Use the token that came with this session.")
    return session_id


@dataclass(frozen=True, slots=True)
class Joining:
    """A session whose caller wants to be joined to it; a token that is not fresh only joins again."""

    session_id: str
    token_is_fresh: bool


async def joining(
    session_id: Annotated[str, Depends(own_session_id)], tokens: TokensDep, token: CountedToken
) -> Joining:
    """The session in the path, for its caller."""
    return Joining(session_id, tokens.is_fresh(token))


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that is to end, and why."""

    session_id: str
    reason: str


async def ending(
    session_id: str, connection: HTTPConnection, guard: GuardDep, tokens: TokensDep, token: ShownToken, key: ShownKey
) -> AsyncIterator[Ending]:
    """The session in the path, for its caller, or for who may end any."""
    if guard.knows(token):
        async with guard.admitted(key, connection) as admitted:
            require(admitted, "sessions:write")
            yield Ending(session_id, "operator")
    else:
        await guard.count(connection)
        yield Ending(_own(session_id, tokens, token), "hang_up")


SessionsDep = Annotated[Sessions, Depends(_sessions)]
PageDep = Annotated[Page, Depends(_page)]
KnowledgeDep = Annotated[Knowledge, Depends(_knowledge)]
Creator = Annotated[Principal | None, Depends(creator)]
OwnSessionId = Annotated[str, Depends(own_session_id)]
JoiningSession = Annotated[Joining, Depends(joining)]
EndingSession = Annotated[Ending, Depends(ending)]
