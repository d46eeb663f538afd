"""What goes wrong, for operators on the command line and for callers over HTTP (problem+json, RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger
from starlette.exceptions import HTTPException

# What an answer says of a request that is wrong in many places, or in a place with a long name.
NAMED_ERRORS = 5
NAMED_CHARACTERS = 60


class SetupError(Exception):
    """Jarvis can't start; the message says what to do."""


class Problem(Exception):
    """An answer that is not the one asked for: a status, a title, and what to do."""

    def __init__(self, status: int, title: str, detail: str, *, retry_after_secs: int | None = None):
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after_secs = retry_after_secs

    def to_dict(self) -> dict[str, Any]:
        """The body of the answer."""
        return {"type": "about:blank", "title": self.title, "status": self.status, "detail": self.detail}


def problem_response(problem: Problem) -> JSONResponse:
    """The problem as an HTTP answer."""
    headers = {} if problem.retry_after_secs is None else {"Retry-After": str(problem.retry_after_secs)}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(
        problem.to_dict(), status_code=problem.status, headers=headers, media_type="application/problem+json"
    )


def install(app: FastAPI) -> None:
    """Makes every error of the app a problem+json."""

    @app.exception_handler(Problem)
    async def on_problem(_request: Request, problem: Problem) -> JSONResponse:
        return problem_response(problem)

    @app.exception_handler(HTTPException)
    async def on_http_exception(_request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        response = problem_response(Problem(status, status.phrase, status.description or status.phrase))
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(RequestValidationError)
    async def on_invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        errors = error.errors()
        wrong = "; ".join(_wrong(each) for each in errors[:NAMED_ERRORS])
        if len(errors) > NAMED_ERRORS:
            wrong += f"; and {len(errors) - NAMED_ERRORS} more"
        return problem_response(Problem(422, "The request is not valid", f"{wrong}. See /docs for what is expected."))

    @app.exception_handler(Exception)
    async def on_anything(request: Request, error: Exception) -> JSONResponse:
        route = getattr(request.scope.get("route"), "path", "an unknown route")
        logger.error("{} {} failed: {}", request.method, route, type(error).__name__)
        return problem_response(
            Problem(500, "Something went wrong on our side", "Try again; the server's log has the kind of error.")
        )


def _wrong(error: Mapping[str, Any]) -> str:
    """Where a request is wrong, and how."""
    place = ".".join(str(part)[:NAMED_CHARACTERS] for part in error["loc"])
    return f"{place}: {error['msg'].removeprefix('Value error, ')}"
