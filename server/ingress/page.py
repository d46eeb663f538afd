"""The call page: one built HTML file, told which call it is for."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse

from server.deps import PageDep, SessionsDep, TokensDep
from server.errors import Problem, SetupError

PLACEHOLDER = '<script type="application/json" id="jarvis-session">{}</script>'
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}

router = APIRouter(include_in_schema=False)


class Page:
    """The built page; raises `SetupError` where it was not built."""

    def __init__(self, *, dist: Path, business: str):
        try:
            self._html = (dist / "index.html").read_text(encoding="utf-8")
        except OSError as error:
            raise SetupError("The call page is not built. Run `make setup`.") from error
        if PLACEHOLDER not in self._html:
            raise SetupError("The built call page has no place for its session. Run `make setup` again.")
        self._business = business

    def render(self, status: int = 200, **data: Any) -> HTMLResponse:
        """The page with `data` for its script."""
        block = json.dumps({"name": self._business, **data}).replace("<", "\\u003c")
        html = self._html.replace(PLACEHOLDER, PLACEHOLDER.replace("{}", block))
        return HTMLResponse(html, status_code=status, headers=SECURITY_HEADERS)


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
        if state.state == "ended":
            raise Problem(410, "This call has ended", "Start a new call.")
    except Problem as problem:
        shown = {"title": problem.title, "detail": problem.detail}
        return page.render(problem.status, problem=shown)
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.max_age_secs)
    return page.render(session={"id": session_id, "token": token, "expires_at": expires_at.isoformat()})
