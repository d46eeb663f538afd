"""`/call` over HTTP: the lobby, a call's page, and what a link that is none shows."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi.testclient import TestClient

from server.app import create_app
from server.auth.fake import fake_guard
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.page import PLACEHOLDER, Page
from server.ingress.schemas import SessionState

TOKENS = SessionTokens(key=b"k" * 32, max_age_secs=86400)


class KnownSessions:
    """Sessions whose states are known, and no others."""

    def __init__(self, **states: Any):
        self._states = states

    async def state(self, session_id: str) -> SessionState:
        if session_id not in self._states:
            raise Problem(404, "There is no such call", "Start a new call.")
        return SessionState(id=session_id, state=self._states[session_id], created_at=datetime.now(UTC), turns=0)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    (tmp_path / "index.html").write_text(f"<html>{PLACEHOLDER}</html>", encoding="utf-8")
    app = create_app()
    app.state.services = SimpleNamespace(
        guard=fake_guard("operator"),
        page=Page(dist=tmp_path, business="Acme"),
        tokens=TOKENS,
        sessions=KnownSessions(live="created", over="ended"),
    )
    with TestClient(app) as client:
        yield client


def test_home_leads_to_the_lobby(client: TestClient):
    assert client.get("/", follow_redirects=False).headers["location"] == "/call"


def test_the_lobby_is_of_no_call(client: TestClient):
    assert '"session"' not in client.get("/call").text


def test_a_link_shows_its_call(client: TestClient):
    response = client.get(f"/call/{TOKENS.make('live')}")
    assert response.status_code == 200
    assert '"session": {"id": "live"' in response.text


@pytest.mark.parametrize(
    ("token", "status"),
    [
        (TOKENS.make("over"), 410),
        (TOKENS.make("unknown"), 404),
        (SessionTokens(key=b"x" * 32, max_age_secs=86400).make("live"), 401),
        ("none", 401),
    ],
    ids=["ended", "unknown", "forged", "garbage"],
)
def test_a_link_that_leads_to_no_call_shows_a_page_that_says_so(client: TestClient, token: str, status: int):
    response = client.get(f"/call/{token}")
    assert (response.status_code, response.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert '"problem": {"title"' in response.text


def test_a_call_is_closed_to_whoever_has_no_token(client: TestClient):
    assert client.get("/api/ingress/session/live").status_code == 401


def test_a_call_is_closed_to_another_calls_token(client: TestClient):
    headers = {"Authorization": f"Bearer {TOKENS.make('over')}"}
    assert client.get("/api/ingress/session/live", headers=headers).status_code == 403


def test_a_call_is_open_to_its_token(client: TestClient):
    headers = {"Authorization": f"Bearer {TOKENS.make('live')}"}
    assert client.get("/api/ingress/session/live", headers=headers).json()["state"] == "created"
