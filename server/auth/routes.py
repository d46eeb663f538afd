"""`/api/keys`: keys over HTTP, for who may do everything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Response

from knowledge.errors import KnowledgeUnavailableError
from server.auth.problems import AWAY_RETRY_SECS
from server.auth.schemas import CreatedKey, KeyId, Keys, NewKey
from server.deps import GuardDep, KeyDeskDep, needs
from server.errors import Problem, described
from server.rag.bodies import KnowledgeRoute
from server.rag.problems import responses

router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=KnowledgeRoute, dependencies=[needs("admin")])

_NO_SUCH: dict[int | str, dict[str, Any]] = {
    404: described(404, "There is no such key", "nothing of this id"),
    422: responses()[422],
}


@router.post("", status_code=201, summary="Make a key", responses=responses(413, 415))
async def create_key(body: NewKey, desk: KeyDeskDep, response: Response) -> CreatedKey:
    """A new key; the answer shows it, and nothing ever will again."""
    response.headers["Cache-Control"] = "no-store"
    with _asking():
        return await desk.create(body, now=datetime.now(UTC))


@router.get("", summary="List the keys")
async def list_keys(desk: KeyDeskDep) -> Keys:
    """All keys, the oldest first, those that are expired or revoked as well."""
    with _asking():
        return await desk.list(now=datetime.now(UTC))


@router.delete("/{key_id}", status_code=204, summary="Revoke a key", responses=_NO_SUCH)
async def revoke_key(key_id: KeyId, desk: KeyDeskDep, guard: GuardDep) -> Response:
    """The key opens nothing any more: on this server at once, on others of the same database within five seconds."""
    with _asking():
        known = await desk.revoke(key_id)
    guard.forget(key_id)
    if not known:
        raise Problem(404, "There is no such key", "`GET /api/keys` lists those that are there.")
    return Response(status_code=204)


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except KnowledgeUnavailableError as error:
        raise Problem(
            503,
            "The keys can't be reached",
            "The database does not answer. Try again in a moment.",
            retry_after_secs=AWAY_RETRY_SECS,
        ) from error
