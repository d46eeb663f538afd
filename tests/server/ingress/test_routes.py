"""`/api/ingress`: what each route does with every kind of token, and with keys."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from httpx2 import ASGITransport, AsyncClient

from bot.change import Change
from server.app import create_app
from server.auth.fake import FakeLimits, fake_guard
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.public_calls import PublicCalls
from server.ingress.schemas import Answer, Candidates, CreatedSession, CreateSession, Offer, SessionState
from tests.server.auth.given import SECRET, api_key, shown

TOKENS = SessionTokens(key=b"k" * 32, max_age_secs=86400)
WRITER = api_key("sessions:write", id="aaaaaaaaaaaa")
READER = api_key("sessions:read", id="bbbbbbbbbbbb")
OFFER = {"sdp": "v=0", "type": "offer"}
CREATE = "/api/ingress/session/create"
OWN = [
    ("GET", "/api/ingress/session/a", None),
    ("DELETE", "/api/ingress/session/a", None),
    ("POST", "/api/ingress/session/a/offer", OFFER),
    ("PATCH", "/api/ingress/session/a/offer", {"pc_id": "1", "candidates": []}),
]


class RecordingSessions:
    """The call `a`, which takes one caller; keeps what was asked of it."""

    def __init__(self) -> None:
        self.created: list[CreateSession] = []
        self.asked: list[str] = []
        self.joined = False

    async def create(self, wanted: CreateSession) -> CreatedSession:
        self.created.append(wanted)
        return CreatedSession(id="a", token="t", call_link="http://jarvis/call/t", expires_at=datetime.now(UTC))

    async def state(self, session_id: str) -> SessionState:
        self.asked.append("state")
        return SessionState(id=session_id, state="created", created_at=datetime.now(UTC), turns=0)

    async def offer(self, session_id: str, offer: Offer, *, token_is_fresh: bool) -> Answer:
        self.asked.append("offer")
        if self.joined:
            raise Problem(409, "This call is already taken", "Start a new call.")
        if not token_is_fresh:
            raise Problem(410, "This call link has expired", "Start a new call.")
        self.joined = True
        return Answer(sdp="v=0", type="answer", pc_id="1")

    async def candidates(self, session_id: str, candidates: Candidates) -> None:
        self.asked.append("candidates")

    async def change(self, session_id: str, change: Change) -> None:
        self.asked.append(f"change {session_id}: {change.model_dump_json(exclude_none=True)}")

    async def end(self, session_id: str, *, reason: str) -> None:
        self.asked.append(f"end {session_id}: {reason}")


@pytest.fixture
def sessions() -> RecordingSessions:
    return RecordingSessions()


@pytest.fixture
def limits() -> FakeLimits:
    return FakeLimits()


@pytest.fixture
async def http(sessions: RecordingSessions, limits: FakeLimits) -> AsyncIterator[AsyncClient]:
    app = create_app()
    app.state.services = SimpleNamespace(
        guard=fake_guard("operator", WRITER, READER, limits=limits),
        public_calls=PublicCalls(who="everyone", limits=limits, per_address=1, per_minute=1, has_line=False),
        sessions=sessions,
        tokens=TOKENS,
        knowledge=SimpleNamespace(store=SimpleNamespace(collections=_collections)),
    )
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        yield http


async def _collections() -> dict[str, Any]:
    return {"default": None, "staff": None}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def bad_tokens() -> Iterator[Any]:
    yield pytest.param({}, 401, id="none")
    yield pytest.param({"Authorization": TOKENS.make("a")}, 401, id="no scheme")
    yield pytest.param({"Authorization": f"Basic {TOKENS.make('a')}"}, 401, id="Basic")
    yield pytest.param(bearer("a.b.c"), 401, id="malformed")
    yield pytest.param(bearer(TOKENS.make("a")[:-1]), 401, id="cut short")
    yield pytest.param(bearer(SessionTokens(key=b"x" * 32, max_age_secs=60).make("a")), 401, id="another server's")
    yield pytest.param(bearer("x" * 5000), 401, id="long")
    yield pytest.param(bearer(TOKENS.make("b")), 403, id="another call's")


@pytest.mark.parametrize(("headers", "status"), [*bad_tokens()])
@pytest.mark.parametrize(("method", "path", "body"), OWN)
async def test_a_call_is_closed_to_every_token_but_its_own(
    http: AsyncClient,
    sessions: RecordingSessions,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    status: int,
):
    refused = await http.request(method, path, json=body, headers=headers)
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")
    assert refused.json()["detail"]
    assert sessions.asked == []


@pytest.mark.parametrize(("method", "path", "body"), OWN)
async def test_a_call_is_open_to_its_own_token_which_counts_against_the_address(
    http: AsyncClient, limits: FakeLimits, method: str, path: str, body: Any
):
    answer = await http.request(method, path, json=body, headers=bearer(TOKENS.make("a")))
    assert answer.status_code in (200, 204)
    assert limits.counted == [("address", "127.0.0.1")]


async def test_a_token_joins_once(http: AsyncClient):
    token = bearer(TOKENS.make("a"))
    assert (await http.post("/api/ingress/session/a/offer", json=OFFER, headers=token)).status_code == 200
    assert (await http.post("/api/ingress/session/a/offer", json=OFFER, headers=token)).status_code == 409


async def test_a_token_that_has_expired_joins_nobody(http: AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(TOKENS, "max_age_secs", -1)
    refused = await http.post("/api/ingress/session/a/offer", json=OFFER, headers=bearer(TOKENS.make("a")))
    assert refused.status_code == 410


@pytest.mark.parametrize(
    ("sent", "reason"),
    [(TOKENS.make("a"), "hang_up"), (shown(WRITER), "operator"), ("operator", "operator")],
    ids=["caller", "key", "operator"],
)
async def test_a_call_is_ended_by_its_caller_by_a_writers_key_and_by_the_operator(
    http: AsyncClient, sessions: RecordingSessions, sent: str, reason: str
):
    assert (await http.delete("/api/ingress/session/a", headers=bearer(sent))).status_code == 204
    assert sessions.asked == [f"end a: {reason}"]


@pytest.mark.parametrize(
    ("sent", "status"), [(shown(READER), 403), (f"jk_cccccccccccc_{SECRET}", 401), (shown(WRITER, "6" * 64), 401)]
)
async def test_no_other_key_ends_a_call(http: AsyncClient, sessions: RecordingSessions, sent: str, status: int):
    assert (await http.delete("/api/ingress/session/a", headers=bearer(sent))).status_code == status
    assert sessions.asked == []


@pytest.mark.parametrize("sent", [shown(WRITER), "operator"], ids=["key", "operator"])
async def test_a_call_is_changed_by_a_writers_key_and_by_the_operator(
    http: AsyncClient, sessions: RecordingSessions, sent: str
):
    changed = await http.patch("/api/ingress/session/a", json={"llm": "google"}, headers=bearer(sent))
    assert (changed.status_code, sessions.asked) == (204, ['change a: {"llm":"google","tts":{}}'])


@pytest.mark.parametrize(
    ("sent", "status"),
    [(shown(READER), 403), (TOKENS.make("a"), 401), (shown(WRITER, "6" * 64), 401)],
    ids=["reader", "caller", "forged"],
)
async def test_nobody_else_changes_a_call(http: AsyncClient, sessions: RecordingSessions, sent: str, status: int):
    refused = await http.patch("/api/ingress/session/a", json={"llm": "google"}, headers=bearer(sent))
    assert (refused.status_code, sessions.asked) == (status, [])


@pytest.mark.parametrize("body", [{"llm": 1}, {"vad": "x"}, {"tts": {"speed": 5}}, []])
async def test_a_change_that_makes_no_sense_is_refused(http: AsyncClient, sessions: RecordingSessions, body: Any):
    refused = await http.patch("/api/ingress/session/a", json=body, headers=bearer("operator"))
    assert (refused.status_code, sessions.asked) == (422, [])


async def test_a_key_reads_no_call_in_its_callers_place(http: AsyncClient):
    assert (await http.get("/api/ingress/session/a", headers=bearer(shown(WRITER)))).status_code == 401


CHOSEN = {"collection": "staff", "caller": "customer-77", "metadata": {"shop": "north"}}


async def test_with_a_key_everything_of_a_call_may_be_chosen(http: AsyncClient, sessions: RecordingSessions):
    assert (await http.post(CREATE, json=CHOSEN, headers=bearer(shown(WRITER)))).status_code == 201
    assert sessions.created == [CreateSession(**CHOSEN)]


async def test_without_a_key_a_call_is_as_the_settings_say(http: AsyncClient, sessions: RecordingSessions):
    refused = await http.post(CREATE, json=CHOSEN)
    assert (refused.status_code, sessions.created) == (403, [])
    assert (await http.post(CREATE)).status_code == 201


@pytest.mark.parametrize(("sent", "status"), [(None, 401), (shown(WRITER), 403)], ids=["nobody", "a writer"])
async def test_only_the_operator_may_have_a_call_tested(
    http: AsyncClient, sessions: RecordingSessions, sent: str | None, status: int
):
    headers = {} if sent is None else bearer(sent)
    refused = await http.post(CREATE, json={"channel": "eval"}, headers=headers)
    assert (refused.status_code, sessions.created) == (status, [])
    assert (await http.post(CREATE, json={"channel": "eval"}, headers=bearer("operator"))).status_code == 201


@pytest.mark.parametrize(
    ("sent", "status"), [(shown(READER), 403), (f"jk_cccccccccccc_{SECRET}", 401), ("nonsense", 401)]
)
async def test_who_shows_a_key_is_not_taken_for_somebody_without_one(
    http: AsyncClient, sessions: RecordingSessions, sent: str, status: int
):
    assert (await http.post(CREATE, json={}, headers=bearer(sent))).status_code == status
    assert sessions.created == []


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b"{}", "text/plain", 415),
        (b" " * (2 * 1024 * 1024), "application/json", 413),
        (b'{"persona": "../pirate"}', "application/json", 422),
    ],
)
async def test_a_body_that_is_none_is_refused(http: AsyncClient, content: bytes, content_type: str, status: int):
    refused = await http.post(CREATE, content=content, headers={"Content-Type": content_type})
    assert (refused.status_code, refused.headers["content-type"]) == (status, "application/problem+json")


async def test_a_place_is_given_back_when_the_call_has_been_started(http: AsyncClient, limits: FakeLimits):
    await http.post(CREATE, headers=bearer(shown(WRITER)))
    assert (limits.counted, limits.open) == ([("key", WRITER.id)], [])
