"""What OpenAPI is told of problems."""

from typing import Any


def described_problem(status: int, title: str, meaning: str) -> dict[str, Any]:
    """A problem as an answer of a route: an example of its title, and what it means."""
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
    headers: dict[str, Any] = {}
    if status == 401:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}, "description": "Bearer"}
    if status in (429, 503):
        headers["Retry-After"] = {"schema": {"type": "integer"}, "description": "seconds"}
    return {
        "description": meaning,
        "headers": headers,
        "content": {"application/problem+json": {"schema": schema, "example": example}},
    }
