"""The call page: one built HTML file, told which call it is for."""

import json
from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse

from server.errors import SetupError

PLACEHOLDER = '<script type="application/json" id="jarvis-session">{}</script>'
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Permissions-Policy": "microphone=(self), camera=(), geolocation=()",
    "Cache-Control": "no-store",
}


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
