"""`/api/ingress/calls`: what is kept of the calls, and how to erase it."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AwareDatetime

from knowledge.errors import KnowledgeUnavailableError
from server.deps import ServicesDep, needs
from server.errors import Problem
from server.ingress.registry import RegistryGoneError
from server.ingress.schemas import CallerName
from server.records.erasure import RunningCallError
from server.records.schemas import CALL_ID, Calls, Erased, WholeCall, place_of

RETRY_SECS = 2
NAMED_CALLS = 5

_PROBLEMS: dict[int, dict[str, Any]] = {
    status: {"description": text, "content": {"application/problem+json": {}}}
    for status, text in {
        404: "no such call",
        409: "a call that is to be erased still runs",
        422: "a parameter is not valid",
        503: "a database is away; Retry-After says when to try again",
    }.items()
}


class RecordRoute(APIRoute):
    """A route that tells the records' errors as problems."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What FastAPI runs for a request."""
        handle = super().get_route_handler()

        async def told(request: Request) -> Response:
            try:
                return await handle(request)
            except KnowledgeUnavailableError as error:
                raise Problem(503, "The records can't be reached", str(error), retry_after_secs=RETRY_SECS) from error
            except RegistryGoneError as error:
                detail = (
                    "Redis does not answer, so nobody knows whether the call still runs. Erase it when Redis is back."
                )
                raise Problem(503, "The records can't be reached", detail, retry_after_secs=RETRY_SECS) from error
            except RunningCallError as error:
                raise _still_running(error) from error

        return told


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route, as OpenAPI wants them: 422, 503 and these; those of its guard are added."""
    return {status: _PROBLEMS[status] for status in sorted({422, 503, *statuses})}


router = APIRouter(prefix="/api/ingress/calls", tags=["calls"], route_class=RecordRoute)

READING, ERASING = needs("calls:read"), needs("calls:write")

CallId = Annotated[str, Path(pattern=f"^{CALL_ID}$", examples=["6f1c0b8e5d2a4c79"])]


@router.get("", dependencies=[READING], summary="List calls", responses=_problems())
async def list_calls(
    held: ServicesDep,
    caller: Annotated[CallerName | None, Query(description="only this caller's")] = None,
    since: Annotated[AwareDatetime | None, Query(description="only those that were created then or later")] = None,
    end_reason: Annotated[str | None, Query(pattern=r"^[a-z_]{1,40}$", description="only those that ended so")] = None,
    cursor: Annotated[str | None, Query(max_length=300, description="`next` of the answer before")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Calls:
    """What is kept of the calls, the newest first; those that run are among them, without an end."""
    try:
        before = None if cursor is None else place_of(cursor)
    except ValueError:
        raise Problem(422, "The request is not valid", "query.cursor: use `next` of an earlier answer.") from None
    rows = await held.records.calls.newest(
        caller=caller,
        since=since,
        end_reason=end_reason,
        before=before,
        limit=limit + 1,
    )
    return Calls.of(rows, limit=limit)


@router.get("/{call_id}", dependencies=[READING], summary="A call and what was said", responses=_problems(404))
async def read_call(call_id: CallId, held: ServicesDep) -> WholeCall:
    """A call, with each turn of both sides, its sources and how long each stage of an answer took."""
    row = await held.records.calls.get(call_id)
    if row is None:
        raise _no_such_call()
    return WholeCall.of(row, await held.records.calls.turns(call_id))


@router.delete(
    "/{call_id}", dependencies=[ERASING], status_code=204, summary="Erase a call", responses=_problems(404, 409)
)
async def erase_call(call_id: CallId, held: ServicesDep) -> Response:
    """Erases all that is kept of a call, the gaps that only it asked among it. One that runs must be ended before."""
    await held.records.recorder.flush()
    if not await held.records.erasure.call(call_id):
        raise _no_such_call()
    held.sessions.forget([call_id])
    return Response(status_code=204)


@router.delete("", dependencies=[ERASING], summary="Erase a caller", responses=_problems(409))
async def erase_caller(
    held: ServicesDep,
    caller: Annotated[CallerName, Query(description="whose calls, by the name they were created with")],
) -> Erased:
    """Erases all calls of one caller; nothing where one of them still runs."""
    await held.records.recorder.flush()
    erased = await held.records.erasure.caller(caller)
    held.sessions.forget(erased)
    return Erased(calls=len(erased))


def _no_such_call() -> Problem:
    detail = "Check the id; `GET /api/ingress/calls` lists the calls. A call is erased when it is older than is kept."
    return Problem(404, "There is no such call", detail)


def _still_running(error: RunningCallError) -> Problem:
    named = ", ".join(error.call_ids[:NAMED_CALLS])
    detail = f"Nothing was erased. End it first, with `DELETE /api/ingress/session/ID`: {named}."
    return Problem(409, "The call still runs", detail)
