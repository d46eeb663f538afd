"""The handshake of a program's websocket: who gets one, and what the others are told."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from server.app import create_app
from server.auth.fake import fake_guard
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.joining import Joining
from server.ingress.launcher import AudioLine, Closed
from server.ingress.scripted import ScriptedAudioLine

PATH = "/api/ingress/audio/ingest"
TOKENS = SessionTokens(key=b"k" * 32, max_age_secs=86_400)
TOKEN = TOKENS.make("6f1c")
BEARER = {"Authorization": f"Bearer {TOKEN}"}


class ScriptedSessions:
    """Joins everybody to a bot that says one thing and ends the call, or refuses them all."""

    def __init__(self) -> None:
        self.joined: list[tuple[str, Joining, bool]] = []
        self.refusal: Problem | None = None

    @asynccontextmanager
    async def audio(self, session_id: str, joining: Joining, *, token_is_fresh: bool) -> AsyncIterator[AudioLine]:
        if self.refusal is not None:
            raise self.refusal
        self.joined.append((session_id, joining, token_is_fresh))
        yield ScriptedAudioLine("hello", Closed(1000, "idle"))


@pytest.fixture
def sessions() -> ScriptedSessions:
    return ScriptedSessions()


@pytest.fixture
def client(sessions: ScriptedSessions) -> Iterator[TestClient]:
    app = create_app()
    app.state.services = SimpleNamespace(tokens=TOKENS, sessions=sessions, guard=fake_guard("the operator's key"))
    with TestClient(app) as client:
        yield client


def refusal(client: TestClient, path: str, headers: dict[str, str]) -> WebSocketDenialResponse:
    with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(path, headers=headers):
        pass
    assert denied.value.headers["content-type"] == "application/problem+json"
    return denied.value


def test_who_has_the_token_is_connected_to_the_calls_bot(client: TestClient, sessions: ScriptedSessions):
    with client.websocket_connect(PATH, headers=BEARER) as socket:
        assert socket.receive_text() == "hello"
        assert socket.receive() == {"type": "websocket.close", "code": 1000, "reason": "idle"}
    assert sessions.joined == [("6f1c", Joining("websocket", {"codec": "pcm", "sample_rate": 16000}), True)]


def test_what_the_sound_is_and_which_connection_was_lost_are_parameters(client: TestClient, sessions: ScriptedSessions):
    with client.websocket_connect(f"{PATH}?codec=opus&sample_rate=48000&connection=ws-1", headers=BEARER):
        pass
    body = {"codec": "opus", "sample_rate": 48000}
    assert sessions.joined[0][1] == Joining("websocket", body, named="ws-1", anew=True)


def test_a_browser_shows_the_token_as_a_subprotocol_which_is_not_given_back(client: TestClient):
    offered = ["jarvis.audio", f"jarvis.token.{TOKEN}"]
    with client.websocket_connect(PATH, subprotocols=offered) as socket:
        assert socket.accepted_subprotocol == "jarvis.audio"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer abc"},
        {"Authorization": f"Bearer {TOKEN}x"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": f"Bearer {SessionTokens(key=b'x' * 32, max_age_secs=60).make('6f1c')}"},
        {"Sec-WebSocket-Protocol": "jarvis.audio, jarvis.token."},
        {"Sec-WebSocket-Protocol": "jarvis.audio, jarvis.token.abc"},
    ],
    ids=["none", "empty", "malformed", "changed", "Basic", "foreign", "an empty subprotocol", "a malformed one"],
)
def test_nobody_else_gets_a_websocket(client: TestClient, sessions: ScriptedSessions, headers: dict[str, str]):
    denied = refusal(client, PATH, headers)
    assert (denied.status_code, denied.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert sessions.joined == []


def test_a_token_in_the_address_is_none(client: TestClient):
    assert refusal(client, f"{PATH}?token={TOKEN}", {}).status_code == 401


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("codec=mp3", "codec"),
        ("sample_rate=44100", "sample_rate"),
        ("sample_rate=fast", "sample_rate"),
        (f"connection={'x' * 201}", "connection"),
    ],
)
def test_parameters_that_make_no_sense_are_named(client: TestClient, query: str, named: str):
    denied = refusal(client, f"{PATH}?{query}", BEARER)
    assert denied.status_code == 422
    assert named in denied.json()["detail"]


@pytest.mark.parametrize("status", [404, 409, 410, 503])
def test_what_a_call_refuses_is_told_before_the_websocket_opens(
    client: TestClient, sessions: ScriptedSessions, status: int
):
    sessions.refusal = Problem(status, "No", "Do something else.", retry_after_secs=1)
    denied = refusal(client, PATH, BEARER)
    assert (denied.status_code, denied.json()["detail"]) == (status, "Do something else.")
    assert denied.headers["Retry-After"] == "1"


def test_an_old_token_is_told_to_the_call_as_such(client: TestClient, sessions: ScriptedSessions):
    client.app.state.services.tokens = SessionTokens(key=b"k" * 32, max_age_secs=-1)  # pyright: ignore[reportAttributeAccessIssue,reportFunctionMemberAccess]
    with client.websocket_connect(PATH, headers=BEARER):
        pass
    assert sessions.joined[0][2] is False
