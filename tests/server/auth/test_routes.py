"""`/api/keys`: keys over HTTP."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from server.app import create_app
from server.auth.fake import FakeKeyStore, FakeLimits
from server.auth.guard import Guard
from server.auth.key_desk import KeyDesk
from server.auth.key_ring import KeyRing
from server.auth.operator import OperatorKey
from tests.server.auth.given import api_key, shown

ADMIN = api_key("admin")
WANTED = {"name": "shop", "scopes": ["sessions:read"]}


@pytest.fixture
def store() -> FakeKeyStore:
    return FakeKeyStore(ADMIN)


@pytest.fixture
async def http(store: FakeKeyStore) -> AsyncIterator[AsyncClient]:
    """A client with an admin's key."""
    app = create_app()
    app.state.services = SimpleNamespace(
        guard=Guard(operator=OperatorKey("operator"), keys=KeyRing(store), limits=FakeLimits()),
        key_desk=KeyDesk(store=store, per_minute=300, at_once=10),
    )
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        http.headers["Authorization"] = f"Bearer {shown(ADMIN)}"
        yield http


async def test_a_key_is_shown_as_it_is_made_and_in_no_list(http: AsyncClient):
    made = await http.post("/api/keys", json=WANTED)
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    listed = await http.get("/api/keys")
    assert [key["name"] for key in listed.json()["keys"]] == ["shop", "shop"]
    assert made.json()["key"] not in listed.text


async def test_a_revoked_key_is_refused_by_the_next_request(http: AsyncClient):
    made = (await http.post("/api/keys", json=WANTED | {"scopes": ["admin"]})).json()
    headers = {"Authorization": f"Bearer {made['key']}"}
    assert (await http.get("/api/keys", headers=headers)).status_code == 200
    assert (await http.delete(f"/api/keys/{made['created']['id']}")).status_code == 204
    refused = await http.get("/api/keys", headers=headers)
    assert (refused.status_code, refused.json()["title"]) == (401, "This key was revoked")


@pytest.mark.parametrize(("key_id", "status"), [("000000000000", 404), ("x", 422), ("%00", 422)])
async def test_what_is_no_key_is_not_revoked(http: AsyncClient, key_id: str, status: int):
    assert (await http.delete(f"/api/keys/{key_id}")).status_code == status


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\x00b"},
        {"name": "a" * 101},
        {"scopes": []},
        {"scopes": ["root"]},
        {"expires_days": 0},
        {"per_minute": 0},
        {"at_once": 1001},
        {"key": "jk_mine"},
    ],
)
async def test_a_key_that_cannot_be_is_named_with_what_is_wrong(http: AsyncClient, changes: dict[str, Any]):
    refused = await http.post("/api/keys", json=WANTED | changes)
    assert refused.status_code == 422
    assert next(iter(changes)) in refused.json()["detail"]


@pytest.mark.parametrize(("method", "path"), [("GET", ""), ("POST", ""), ("DELETE", "/000000000000")])
async def test_without_postgres_keys_are_neither_made_nor_listed_nor_revoked(
    http: AsyncClient, store: FakeKeyStore, method: str, path: str
):
    await http.get("/api/keys")  # the admin's own key is known from now on
    store.away = True
    refused = await http.request(method, f"/api/keys{path}", json=WANTED if method == "POST" else None)
    assert (refused.status_code, refused.json()["title"]) == (503, "The keys can't be reached")
    assert refused.headers["Retry-After"] == "2"
