"""The handshake of Pipecat's eval harness: who gets a call, and what the others are told."""

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from server.app import create_app
from server.auth.fake import fake_guard
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.eval_routes import shown_in
from server.ingress.joining import Joining, by_harness
from server.ingress.launcher import AudioLine, Closed
from server.ingress.schemas import CreatedSession, CreateSession
from server.ingress.scripted import ScriptedAudioLine
from tests.server.auth.given import api_key, shown

PATH = "/api/ingress/eval"
TOKENS = SessionTokens(key=b"k" * 32, max_age_secs=86_400)
TOKEN = TOKENS.make("6f1c")
OPERATOR = "8f14e45fceea167a"
ADMIN, WRITER = api_key("admin", id="aaaaaaaaaaaa"), api_key("sessions:write", id="bbbbbbbbbbbb")


class ScriptedSessions:
    """Makes sessions and joins everybody to a bot that says one thing and ends the call, or refuses them all."""

    def __init__(self) -> None:
        self.created: list[CreateSession] = []
        self.joined: list[tuple[str, Joining, bool]] = []
        self.ended: list[tuple[str, str]] = []
        self.refusal: Problem | None = None
        self.bot_is_gone = False

    async def create(self, wanted: CreateSession) -> CreatedSession:
        if self.refusal is not None:
            raise self.refusal
        self.created.append(wanted)
        return CreatedSession(id="9a2e", token="t", expires_at=datetime.now(UTC))

    @asynccontextmanager
    async def audio(self, session_id: str, joining: Joining, *, token_is_fresh: bool) -> AsyncIterator[AudioLine]:
        if self.bot_is_gone:
            raise Problem(503, "The assistant was lost", "Call again.", retry_after_secs=1)
        self.joined.append((session_id, joining, token_is_fresh))
        yield ScriptedAudioLine("hello", Closed(1000, "hang_up"))

    async def end(self, session_id: str, *, reason: str) -> None:
        self.ended.append((session_id, reason))


@pytest.fixture
def sessions() -> ScriptedSessions:
    return ScriptedSessions()


@pytest.fixture
def client(sessions: ScriptedSessions) -> Iterator[TestClient]:
    app = create_app()
    guard = fake_guard(OPERATOR, ADMIN, WRITER)
    app.state.services = SimpleNamespace(tokens=TOKENS, sessions=sessions, guard=guard)
    with TestClient(app) as client:
        yield client


def basic(password: str, user: str = "key") -> str:
    """What a client sends for an address with a user and a password."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def heard(client: TestClient, authorization: str) -> str:
    """What the bot says first."""
    with client.websocket_connect(PATH, headers={"Authorization": authorization}) as socket:
        return socket.receive_text()


def refusal(client: TestClient, headers: dict[str, str], path: str = PATH) -> WebSocketDenialResponse:
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(path, headers=headers):
        pass
    assert denied.value.headers["content-type"] == "application/problem+json"
    return denied.value


@pytest.mark.parametrize("sent", [f"Bearer {TOKEN}", basic(TOKEN, "session")], ids=["bearer", "basic"])
def test_a_token_joins_the_call_that_it_is_for(client: TestClient, sessions: ScriptedSessions, sent: str):
    assert heard(client, sent) == "hello"
    assert (sessions.created, sessions.joined) == ([], [("6f1c", by_harness(), True)])


@pytest.mark.parametrize("key", [OPERATOR, shown(ADMIN)], ids=["the operator's", "an admin's"])
def test_a_key_starts_a_call_each_time(client: TestClient, sessions: ScriptedSessions, key: str):
    for sent in (f"Bearer {key}", basic(key)):
        assert heard(client, sent) == "hello"
    assert sessions.created == [CreateSession(channel="eval")] * 2
    assert sessions.joined == [("9a2e", by_harness(), True)] * 2
    assert sessions.ended == []


def test_a_call_of_a_key_that_can_not_be_joined_is_ended(client: TestClient, sessions: ScriptedSessions):
    sessions.bot_is_gone = True
    assert refusal(client, {"Authorization": basic(OPERATOR)}).status_code == 503
    assert sessions.ended == [("9a2e", "never_connected")]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (None, 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Digest {TOKEN}", 401),
        ("Basic ", 401),
        (f"Basic {TOKEN}", 401),
        (f"Basic {base64.b64encode(TOKEN.encode()).decode()}", 401),
        (basic("", TOKEN), 401),
        (basic(f"{OPERATOR}x"), 401),
        (basic(shown(ADMIN, "6" * 64)), 401),
        (basic(shown(WRITER)), 403),
    ],
    ids=[
        "none", "empty", "a changed token", "another scheme", "empty Basic", "not base64", "no password",
        "an empty password", "a longer key", "a wrong secret", "another scope",
    ],
)  # fmt: skip
def test_nobody_else_gets_a_call(client: TestClient, sessions: ScriptedSessions, sent: str | None, status: int):
    headers = {} if sent is None else {"Authorization": sent}
    denied = refusal(client, headers)  # pyright: ignore[reportArgumentType]
    assert (denied.status_code, sessions.created, sessions.joined) == (status, [], [])
    assert OPERATOR not in denied.text


@pytest.mark.parametrize("name", ["token", "key"])
def test_a_secret_in_the_address_is_none(client: TestClient, name: str):
    assert refusal(client, {}, f"{PATH}?{name}={OPERATOR}").status_code == 401


def test_a_full_host_says_when_to_come_back(client: TestClient, sessions: ScriptedSessions):
    sessions.refusal = Problem(503, "All lines are busy", "Call again.", retry_after_secs=7)
    denied = refusal(client, {"Authorization": basic(OPERATOR)})
    assert (denied.status_code, denied.headers["Retry-After"]) == (503, "7")


def test_an_old_token_is_told_to_the_call_as_such(client: TestClient, sessions: ScriptedSessions):
    client.app.state.services.tokens = SessionTokens(key=b"k" * 32, max_age_secs=-1)  # pyright: ignore[reportAttributeAccessIssue,reportFunctionMemberAccess]
    heard(client, f"Bearer {TOKEN}")
    assert sessions.joined == [("6f1c", by_harness(), False)]


def test_a_password_may_hold_a_colon():
    assert shown_in(basic("a:b")) == "a:b"


def test_what_is_no_password_is_none():
    with pytest.raises(Problem, match="needed"):
        shown_in("Basic é")
