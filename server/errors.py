"""What goes wrong, for operators on the command line and for callers over HTTP (problem+json, RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError, WebSocketRequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger
from starlette.exceptions import HTTPException
from starlette.websockets import WebSocketState

# What an answer says of a request that is wrong in many places, or in a place with a long name.
NAMED_ERRORS = 5
NAMED_CHARACTERS = 60
# The code with which a WebSocket ends that had begun.
POLICY_VIOLATION = 1008


class SetupError(Exception):
    """Jarvis can't start; the message says what to do."""


class Problem(Exception):
    """An answer that is not the one asked for: a status, a title, and what to do."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        retry_after_secs: int | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ):
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after_secs = retry_after_secs
        self.headers = headers

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}


def problem_response(problem: Problem) -> JSONResponse:
    """The problem as an HTTP answer."""
    headers = dict(problem.headers)
    if problem.retry_after_secs is not None:
        headers["Retry-After"] = str(problem.retry_after_secs)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        problem.to_dict(), status_code=problem.status, headers=headers, media_type="application/problem+json"
    )


def described(status: int, title: str, meaning: str, **headers: str) -> dict[str, Any]:
    """A problem as OpenAPI wants it; `headers` are integers in the answer, each with what it says."""
    example = {"type": "about:blank", "title": title, "status": status, "detail": "What to do about it."}
    schema = {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
        },
    }
    named: dict[str, Any] = {
        name.replace("_", "-"): {"schema": {"type": "integer"}, "description": says} for name, says in headers.items()
    }
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        named["Retry-After"] = {"schema": {"type": "integer"}, "description": "seconds"}
    if status == HTTPStatus.UNAUTHORIZED:
        named["WWW-Authenticate"] = {"schema": {"type": "string"}, "description": "Bearer"}
    return {
        "description": meaning,
        "headers": named,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem+json."""

    @app.exception_handler(Problem)
    async def on_problem(connection: Request | WebSocket, problem: Problem) -> JSONResponse | None:
        if isinstance(connection, Request):
            return problem_response(problem)
        if connection.application_state is WebSocketState.CONNECTING:
            await connection.send_denial_response(problem_response(problem))
        else:
            await connection.close(POLICY_VIOLATION, problem.title)
        return None

    @app.exception_handler(HTTPException)
    async def on_http_exception(_request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        response = problem_response(Problem(status, status.phrase, status.description or status.phrase))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return problem_response(_invalid(error.errors(), see="/docs"))

    @app.exception_handler(WebSocketRequestValidationError)
    async def on_invalid_websocket(websocket: WebSocket, error: WebSocketRequestValidationError) -> None:
        await websocket.send_denial_response(problem_response(_invalid(error.errors(), see="docs/")))

    @app.exception_handler(Exception)
    async def on_anything(request: Request, error: Exception) -> JSONResponse:
        route = getattr(request.scope.get("route"), "path", "an unknown route")
        logger.error("{} {} failed: {}", request.method, route, type(error).__name__)
        return problem_response(
            Problem(500, "Something went wrong on our side", "Try again; the server's log has the kind of error.")
        )


def _invalid(errors: Sequence[Mapping[str, Any]], *, see: str) -> Problem:
    wrong = "; ".join(_wrong(each) for each in errors[:NAMED_ERRORS])
    if len(errors) > NAMED_ERRORS:
        wrong += f"; and {len(errors) - NAMED_ERRORS} more"
    return Problem(422, "The request is not valid", f"{wrong}. See {see} for what is expected.")


def _wrong(error: Mapping[str, Any]) -> str:
    """Where a request is wrong, and how."""
    place = ".".join(str(part)[:NAMED_CHARACTERS] for part in error["loc"])
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"
