"""What routes ask for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from server.auth.operator import OperatorKey
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.services import Knowledge, Services

_operator_scheme = HTTPBearer(
    scheme_name="operator", description="The key in `operator.key` of the data directory.", auto_error=False
)


def services(request: Request) -> Services:
    """All that the running server holds."""
    return request.app.state.services


def _sessions(held: Annotated[Services, Depends(services)]) -> Sessions:
    return held.sessions


def _tokens(held: Annotated[Services, Depends(services)]) -> SessionTokens:
    return held.tokens


def _page(held: Annotated[Services, Depends(services)]) -> Page:
    return held.page


def _knowledge(held: Annotated[Services, Depends(services)]) -> Knowledge:
    return held.knowledge


def _operator_key(held: Annotated[Services, Depends(services)]) -> OperatorKey:
    return held.operator


def operator(
    key: Annotated[OperatorKey, Depends(_operator_key)],
    shown: Annotated[HTTPAuthorizationCredentials | None, Depends(_operator_scheme)],
) -> None:
    """Lets nobody in but the operator."""
    where = "Send the key in operator.key of the data directory as `Authorization: Bearer …`."
    if shown is None:
        raise Problem(401, "The operator's key is needed", where)
    if not key.matches(shown.credentials.strip()):
        raise Problem(401, "This is not the operator's key", where)


def _bearer(authorization: Annotated[str | None, Header()] = None) -> str:
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem(401, "A token is needed", "Send the session's token as `Authorization: Bearer …`.")
    return token.strip()


def own_session_id(
    session_id: str, tokens: Annotated[SessionTokens, Depends(_tokens)], token: Annotated[str, Depends(_bearer)]
) -> str:
    """The session in the path, once the bearer token proves that the caller is its caller."""
    if tokens.read(token) != session_id:
        raise Problem(403, "This token is for another call", "Use the token that came with this session.")
    return session_id


@dataclass(frozen=True, slots=True)
class Joining:
    """A session whose caller wants to be joined to it; a token that is not fresh only joins again."""

    session_id: str
    token_is_fresh: bool


def joining(
    session_id: Annotated[str, Depends(own_session_id)],
    tokens: Annotated[SessionTokens, Depends(_tokens)],
    token: Annotated[str, Depends(_bearer)],
) -> Joining:
    """The session in the path, for its caller."""
    return Joining(session_id, tokens.is_fresh(token))


@dataclass(frozen=True, slots=True)
class Ending:
    """A session that is to end, and why."""

    session_id: str
    reason: str


def ending(
    session_id: str,
    tokens: Annotated[SessionTokens, Depends(_tokens)],
    key: Annotated[OperatorKey, Depends(_operator_key)],
    token: Annotated[str, Depends(_bearer)],
) -> Ending:
    """The session in the path, for its caller or the operator."""
    if key.matches(token):
        return Ending(session_id, "operator")
    return Ending(own_session_id(session_id, tokens, token), "hang_up")


SessionsDep = Annotated[Sessions, Depends(_sessions)]
TokensDep = Annotated[SessionTokens, Depends(_tokens)]
ServicesDep = Annotated[Services, Depends(services)]
PageDep = Annotated[Page, Depends(_page)]
KnowledgeDep = Annotated[Knowledge, Depends(_knowledge)]
OperatorOnly = Depends(operator)
OwnSessionId = Annotated[str, Depends(own_session_id)]
JoiningSession = Annotated[Joining, Depends(joining)]
EndingSession = Annotated[Ending, Depends(ending)]
