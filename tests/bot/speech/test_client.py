"""Asking a speech process that ends and comes back meanwhile."""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from bot.speech import client as client_module
from bot.speech.client import SpeechClient
from bot.speech.errors import SpeechRequestError, SpeechUnavailableError
from bot.speech.recognition import Engine, Recognition

UNTIMED = {"text": "Hello.", "confidence": 0.9, "words": None}
NOTHING_HEARD = {"text": "", "confidence": 0.0, "words": []}

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "RETRY_AFTER_SECS", 0)


@asynccontextmanager
async def client_of(answer: Answer, *, engine: Engine = "pocketsphinx") -> AsyncIterator[SpeechClient]:
    """A client whose process answers as told; the folder is short, as a socket's path may have 107 characters."""
    app = web.Application()
    app.add_routes([web.post("/{path}", answer)])
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    with tempfile.TemporaryDirectory() as folder:
        await web.UnixSite(runner, f"{folder}/socket").start()
        client = SpeechClient(Path(folder, "socket"), engine=engine)
        try:
            yield client
        finally:
            await client.aclose()
            await runner.cleanup()


class Process:
    """Answers as listed, one after the other: with a response, or by its end."""

    def __init__(self, *answers: web.Response | None) -> None:
        self._answers = list(answers)
        self.connections: list[object] = []

    async def take(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.connections.append(request.transport)
        if answer := self._answers.pop(0):
            return answer
        request.transport.close()
        return web.Response()


def heard() -> web.Response:
    return web.json_response(NOTHING_HEARD)


def refused(status: int) -> web.Response:
    return web.json_response({"error": "No."}, status=status)


async def test_a_process_that_ends_as_it_is_asked_is_asked_again_on_a_fresh_connection() -> None:
    process = Process(heard(), None, heard())
    async with client_of(process.take) as client:
        await client.recognise(b"  ", 16_000)
        await client.recognise(b"  ", 16_000)
    first, again, fresh = process.connections
    assert first is again is not fresh


async def test_a_process_that_is_not_ready_is_asked_again() -> None:
    async with client_of(Process(refused(503), heard()).take) as client:
        assert (await client.recognise(b"  ", 16_000)).text == ""


@pytest.mark.parametrize("answers", [(None, None), (refused(503), refused(503))], ids=["ends", "not ready"])
async def test_a_process_that_fails_twice_is_given_up(answers: tuple[web.Response | None, ...]) -> None:
    async with client_of(Process(*answers).take) as client:
        with pytest.raises(SpeechUnavailableError):
            await client.recognise(b"  ", 16_000)


async def test_what_is_refused_is_not_asked_again() -> None:
    process = Process(refused(400))
    async with client_of(process.take) as client:
        with pytest.raises(SpeechRequestError, match="No"):
            await client.recognise(b"  ", 16_000)
    assert len(process.connections) == 1


@pytest.mark.parametrize("engine", ["pocketsphinx", "moonshine"])
async def test_it_says_which_engine_hears(engine: Engine) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.query["engine"])
        return heard()

    async with client_of(answer, engine=engine) as client:
        await client.recognise(b"  ", 16_000)
    assert asked == [engine]


async def test_an_engine_may_tell_no_times() -> None:
    async with client_of(Process(web.json_response(UNTIMED)).take) as client:
        assert await client.recognise(b"  ", 16_000) == Recognition("Hello.", 0.9, None)
