"""Routes that tell the knowledge's errors as problems."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response

from knowledge.errors import KnowledgeError
from server.bodies import JsonRoute
from server.rag.problems import problem_of


class KnowledgeRoute(JsonRoute):
    """A route whose errors of the knowledge are problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI runs for a request."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except KnowledgeError as error:
                raise problem_of(error) from error

        return told
