"""`/call`: the lobby, and the page of one call."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from server.deps import PageDep, SessionsDep, TokensDep
from server.errors import Problem

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home() -> RedirectResponse:
    """To the lobby."""
    return RedirectResponse("/call")


@router.get("/call")
async def lobby(page: PageDep) -> HTMLResponse:
    """Where a call is started."""
    return page.render()


@router.get("/call/{token}")
async def call(token: str, page: PageDep, tokens: TokensDep, sessions: SessionsDep) -> HTMLResponse:
    """One call, for whoever holds its link."""
    try:
        session_id = tokens.read(token)
        state = await sessions.state(session_id)
        if state.state == "created" and not tokens.is_fresh(token):
            raise Problem(410, "This call link has expired", "Links are good for a short time. Start a new call.")
        if state.state == "ended":
            raise Problem(410, "This call has ended", "Start a new call.")
    except Problem as problem:
        shown = {"title": problem.title, "detail": problem.detail}
        return page.render(problem.status, problem=shown)
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.max_age_secs)
    return page.render(session={"id": session_id, "token": token, "expires_at": expires_at.isoformat()})
