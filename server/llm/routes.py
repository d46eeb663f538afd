"""`/api/llm`: completions, whole and as they are said."""

from contextlib import AsyncExitStack
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from server.bodies import JsonRoute
from server.deps import ServicesDep, needs
from server.errors import described
from server.health.schemas import ServiceHealth, running
from server.llm.schemas import CompletionAnswer, CompletionBody
from server.llm.service import answer, said
from server.streams import Streamed, begun, left, server_sent, while_connected

PREFIX = "/api/llm"
_PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: described(status, *said)
    for status, said in {
        400: ("The request broke off", "the body ended before its end"),
        404: ("There is no such collection", "`knowledge` names a collection that does not exist"),
        413: ("The request is too large", "more than 1 MB"),
        415: ("The body is of the wrong type", "something else than JSON"),
        422: ("The request is not valid", "the answer names what is wrong and what is expected"),
        503: (
            "The services can't answer now",
            "as many are answered as are at once, or a part is down; see Retry-After",
        ),
    }.items()
}
_EVENTS = """event: citation
data: {"number": 1, "title": "Opening hours", "quote": "The workshop is closed on Sundays.", …}

event: text
data: {"text": "The workshop is closed on Sundays."}

event: end
data: {"finish_reason": "stop", "usage": null}

"""

router = APIRouter(tags=["completion"], route_class=JsonRoute, dependencies=[needs("llm")])


@router.post("/complete", summary="Answer a conversation", responses=_PROBLEMS)
async def complete(request: Request, body: CompletionBody, held: ServicesDep) -> CompletionAnswer:
    """The answer of the LLM that calls use, with the same instruction: short, plain, fit to be spoken.

    With `knowledge` it rests on the documents, and cites them. The embedded answerer quotes documents and does nothing
    else, so it needs `knowledge`.
    """
    return await while_connected(left(request), answer(said(held.desk.client, body)))


@router.post(
    "/complete/stream",
    summary="Answer a conversation bit by bit",
    response_class=StreamingResponse,
    responses=_PROBLEMS
    | {200: {"description": "server-sent events", "content": {"text/event-stream": {"example": _EVENTS}}}},
)
async def complete_stream(request: Request, body: CompletionBody, held: ServicesDep) -> Streamed:
    """The same as server-sent events: `text` and `citation` as they come, then `end`.

    A problem behind the first event is the last one, `error`.
    """
    async with AsyncExitStack() as stack:
        events = said(held.desk.client, body)
        stack.push_async_callback(events.aclose)
        started = await while_connected(left(request), begun(events))
        return Streamed(server_sent(started), closing=stack.pop_all(), media_type="text/event-stream")


public = APIRouter(tags=["completion"])


@public.get("/healthz", summary="Whether conversations can be answered")
async def healthz(held: ServicesDep) -> ServiceHealth:
    """Whether the processes that answer and search run and answer; asks nobody, and needs no key."""
    return ServiceHealth.of({"desk": held.desk.able("llm"), **running(held.processes, "retrieval")})


llm = APIRouter(prefix=PREFIX)
for each in (router, public):
    llm.include_router(each)
