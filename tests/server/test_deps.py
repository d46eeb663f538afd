"""What a route that needs a scope does, over HTTP and over WebSockets."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from httpx2 import ASGITransport, AsyncClient
from starlette.testclient import WebSocketDenialResponse

from server import errors
from server.auth.fake import FakeLimits, fake_guard
from server.auth.principal import Principal
from server.deps import needs
from server.errors import Problem
from tests.server.auth.given import api_key, shown

KEY = api_key("asr", id="aaaaaaaaaaaa")
OTHER = api_key("tts", id="bbbbbbbbbbbb")
HEADERS = {"Authorization": f"Bearer {shown(KEY)}"}

router = APIRouter(dependencies=[needs("asr")])


@router.get("/who")
async def who(asking: Annotated[Principal, needs("asr")]) -> str:
    return asking.name


@router.websocket("/echo")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    text = await socket.receive_text()
    if text == "bad":
        raise Problem(422, "That is no sound", "Send sound.")
    await socket.send_text(text)
    await socket.receive_text()


class Full(FakeLimits):
    """Refuses everything."""

    def place(self, key: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        raise Problem(429, "Too many requests", "Try again in 7 s.", retry_after_secs=7)


def app_with(limits: FakeLimits) -> FastAPI:
    app = FastAPI()
    errors.install(app)
    app.include_router(router)
    app.state.services = SimpleNamespace(guard=fake_guard("operator", KEY, OTHER, limits=limits))
    return app


@pytest.fixture
def limits() -> FakeLimits:
    return FakeLimits()


@pytest.fixture
def client(limits: FakeLimits) -> TestClient:
    return TestClient(app_with(limits))


def test_a_route_knows_who_asks_and_counts_it_once(client: TestClient, limits: FakeLimits):
    assert client.get("/who", headers=HEADERS).json() == "shop"
    assert limits.counted == [("key", KEY.id)]


def test_a_request_holds_its_place_until_its_answer_is_sent(client: TestClient, limits: FakeLimits):
    client.get("/who", headers=HEADERS)
    assert limits.open == []


async def test_a_stream_holds_its_place_to_its_end(limits: FakeLimits):
    app, open_while_streaming = app_with(limits), []

    @app.get("/stream", dependencies=[needs("asr")])
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            for part in "abc":
                open_while_streaming.append([*limits.open])
                yield part

        return StreamingResponse(parts())

    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        assert (await http.get("/stream", headers=HEADERS)).text == "abc"
    assert open_while_streaming == [[KEY.id]] * 3
    assert limits.open == []


async def test_a_stream_that_is_broken_off_gives_its_place_back(limits: FakeLimits):
    app, streaming = app_with(limits), asyncio.Event()

    @app.get("/stream", dependencies=[needs("asr")])
    async def stream() -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield "a"
            streaming.set()
            await asyncio.sleep(3600)

        return StreamingResponse(parts())

    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        request = asyncio.create_task(http.get("/stream", headers=HEADERS))
        await streaming.wait()
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
    assert limits.open == []


def test_a_websocket_is_opened_to_who_has_the_scope_and_holds_its_place(client: TestClient, limits: FakeLimits):
    with client.websocket_connect("/echo", headers=HEADERS) as socket:
        socket.send_text("hello")
        assert socket.receive_text() == "hello"
        assert limits.open == [KEY.id]
        socket.send_text("bye")
    assert limits.open == []


@pytest.mark.parametrize(
    ("headers", "status", "title"),
    [
        ({}, 401, "A key is needed"),
        ({"Authorization": "Bearer x"}, 401, "This key is not valid"),
        ({"Authorization": f"Bearer {shown(OTHER)}"}, 403, "The scope asr is missing"),
    ],
)
def test_a_websocket_is_refused_with_a_problem_before_it_is_opened(
    client: TestClient, headers: dict[str, str], status: int, title: str
):
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/echo", headers=headers):
        pass
    assert (denial.value.status_code, denial.value.json()["title"]) == (status, title)
    assert denial.value.headers["content-type"] == "application/problem+json"


def test_a_websocket_that_is_too_much_is_told_when_to_come_back():
    client = TestClient(app_with(Full()))
    with pytest.raises(WebSocketDenialResponse) as denial, client.websocket_connect("/echo", headers=HEADERS):
        pass
    assert (denial.value.status_code, denial.value.headers["Retry-After"]) == (429, "7")


def test_a_websocket_that_was_open_is_closed_with_the_problems_title(client: TestClient):
    with client.websocket_connect("/echo", headers=HEADERS) as socket:
        socket.send_text("bad")
        assert socket.receive() == {"type": "websocket.close", "code": 1008, "reason": "That is no sound"}
