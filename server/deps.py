"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Header, Request

from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.services import Services


def services(request: Request) -> Services:
    """All that the running server holds."""
    return request.app.state.services


def _sessions(held: Annotated[Services, Depends(services)]) -> Sessions:
    return held.sessions


def _tokens(held: Annotated[Services, Depends(services)]) -> SessionTokens:
    return held.tokens


def _page(held: Annotated[Services, Depends(services)]) -> Page:
    return held.page


def own_session_id(
    session_id: str,
    request: Request,
    tokens: Annotated[SessionTokens, Depends(_tokens)],
    authorization: Annotated[str | None, Header()] = None,
) -> str:
    """The session in the path, once the bearer token proves that the caller is its caller."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise Problem(401, "A token is needed", "Send the session's token as `Authorization: Bearer …`.")
    joining = request.method == "POST"
    if tokens.read(token.strip(), expires=joining) != session_id:
        raise Problem(403, "This token is for another call", "Use the token that came with this session.")
    return session_id


SessionsDep = Annotated[Sessions, Depends(_sessions)]
TokensDep = Annotated[SessionTokens, Depends(_tokens)]
ServicesDep = Annotated[Services, Depends(services)]
PageDep = Annotated[Page, Depends(_page)]
OwnSessionId = Annotated[str, Depends(own_session_id)]
