"""A scenario held with a server, without one, and what is kept of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from pipecat.evals import matcher
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult
from pipecat.evals.script import EvalExpectation, EvalScriptScenario, EvalScriptTurn
from yarl import URL

from evals.caller import ingress
from evals.judged.judge import judge
from evals.scenarios import harness
from evals.scenarios.harness import Held, hold, unjudged, without_secret
from evals.scenarios.overhearing import Message
from tests.evals.judged.given import judging, model, verdict
from tests.vendors.openai_chat import OpenAIChat

TOKEN = "secret-token"
AT_NINE = EvalExpectation("llm_response", text_contains="nine", eval="gives the hour")
SCENARIO = EvalScriptScenario(
    name="hours",
    turns=[
        EvalScriptTurn(user="When do you open?", expect=[AT_NINE]),
        EvalScriptTurn(user="Why?", expect=[EvalExpectation("llm_response", within_ms=50)]),
    ],
)


class Server:
    """Answers the first text with words and passages, and then nothing."""

    def __init__(self, *, status: int = 201, answers: bool = True, ready: bool = True) -> None:
        self.created: list[Any] = []
        self.ended = 0
        self.heard = 0
        self.connected: list[str] = []
        self._status, self._answers, self._ready = status, answers, ready
        app = web.Application()
        app.router.add_post("/api/ingress/session/create", self._create)
        app.router.add_delete("/api/ingress/session/6f1c", self._end)
        app.router.add_get("/api/ingress/eval", self._evaluate)
        self.http = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")

    async def _create(self, request: web.Request) -> web.Response:
        if not self._answers:
            await asyncio.Event().wait()
        self.created.append((await request.json(), request.headers["Authorization"]))
        address = str(URL(self.url).with_scheme("ws").with_user("session").with_password(TOKEN)).rstrip("/")
        body = {"id": "6f1c", "token": TOKEN, "eval_url": f"{address}/api/ingress/eval"}
        return web.json_response(body if self._status == 201 else {"title": "All lines are busy"}, status=self._status)

    async def _end(self, request: web.Request) -> web.Response:
        self.ended += 1
        return web.Response(status=204)

    async def _evaluate(self, request: web.Request) -> web.StreamResponse:
        self.connected.append(request.headers["Authorization"])
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        answered = False
        async for message in socket:
            kind = message.json()["type"] if message.type is WSMsgType.TEXT else ""
            if kind == "client-ready" and self._ready:
                await self._say(socket, "bot-ready", version="2.0.0")
            self.heard += kind == "send-text"
            if kind == "send-text" and not answered:
                answered = True
                await self._say(socket, "server-message", type="passages", passages=[{"title": "Hours"}])
                await self._say(socket, "bot-llm-started")
                await self._say(socket, "bot-llm-text", text="At nine.")
                await self._say(socket, "bot-llm-stopped")
        return socket

    async def _say(self, socket: web.WebSocketResponse, kind: str, **data: Any) -> None:
        await socket.send_json({"label": "rtvi-ai", "type": kind, "data": data})


@pytest.fixture
async def served() -> AsyncIterator[Callable[..., Any]]:
    servers: list[Server] = []

    async def start(**settings: Any) -> Server:
        servers.append(server := Server(**settings))
        await server.http.start_server()
        return server

    yield start
    for server in servers:
        await server.http.close()


async def test_a_scenario_is_held_as_pipecat_holds_it_and_all_that_the_bot_said_is_kept(served: Callable[..., Any]):
    server = await served()
    held = await hold(SCENARIO, base_url=server.url, key="k", wanted={"collection": "staff"})
    assert server.created == [({"collection": "staff", "channel": "eval"}, "Bearer k")]
    assert server.connected[0].startswith("Basic ")
    assert [each.status for each in held.result.turns] == ["passed", "failed"]
    assert [(each.turn_index, each.kind) for each in held.result.failures] == [(1, "timeout")]
    assert (held.session_id, server.ended) == ("6f1c", 1)
    assert held.told("passages", 0) == ({"type": "passages", "passages": [{"title": "Hours"}]},)
    assert held.told("passages", 1) == ()
    assert TOKEN not in str(held.result)


async def test_a_call_that_is_refused_is_a_result_with_the_reason(served: Callable[..., Any]):
    server = await served(status=503)
    held = await hold(SCENARIO, base_url=server.url, key="k")
    (failure,) = held.result.failures
    assert (failure.kind, "All lines are busy" in failure.reason) == ("connect_failed", True)
    assert [each.status for each in held.result.turns] == ["not_run", "not_run"]
    assert (held.session_id, held.during(1)) == (None, ())


async def test_a_server_that_hangs_is_waited_for_so_long_and_told(
    served: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ingress, "REQUEST_TIMEOUT_SECS", 0.05)
    server = await served(answers=False)
    (failure,) = (await hold(SCENARIO, base_url=server.url, key="k")).result.failures
    assert (failure.kind, "took longer than" in failure.reason) == ("connect_failed", True)


async def test_a_bot_that_never_gets_ready_is_waited_for_so_long_and_told(
    served: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(harness, "READY_SECS", 0.05)
    server = await served(ready=False)
    held = await hold(SCENARIO, base_url=server.url, key="k")
    (failure,) = held.result.failures
    assert (failure.kind, held.session_id, server.ended) == ("handshake_timeout", "6f1c", 1)


async def test_a_server_that_is_away_is_a_result_with_the_reason():
    held = await hold(SCENARIO, base_url="http://127.0.0.1:1", key="k")
    assert (held.result.passed, held.result.failures[0].kind) == (False, "connect_failed")


def test_without_a_judge_an_expectation_is_what_else_it_names():
    (first, _) = unjudged(SCENARIO).turns
    assert first.expect == [EvalExpectation("llm_response", text_contains="nine")]
    assert SCENARIO.turns[0].expect == [AT_NINE]


def test_a_turn_has_the_messages_up_to_the_next_and_the_first_those_before_it():
    greeting, answer, next_answer = (Message(at, "bot-llm-text", {}) for at in (50.0, 150.0, 320.0))
    result = EvalScriptResult("s", passed=True)
    held = Held(result, messages=(greeting, answer, next_answer), began_ms=(100.0, 300.0, None))
    assert [held.during(turn) for turn in range(3)] == [(greeting, answer), (next_answer,), ()]


def test_no_token_is_left_in_a_result():
    failure = EvalAssertionFailure(-1, -1, "<connect>", f"ws://session:{TOKEN}@host", "connect_failed")
    result = EvalScriptResult("s", passed=False, failures=[failure], debug_log=[f"run -> ws://session:{TOKEN}@host"])
    assert TOKEN not in str(without_secret(result, TOKEN))


@pytest.mark.parametrize(("answer", "kinds"), [("Hm.", ["judge_no", "judge_no_verdict"]), (verdict("yes"), [])])
async def test_a_judge_is_asked_where_there_is_one(
    served: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, answer: str, kinds: list[str]
):
    monkeypatch.setattr(matcher, "JUDGE_NO_GRACE_S", 0.0)
    server = await served()
    first = EvalScriptScenario(name="hours", turns=SCENARIO.turns[:1])
    async with OpenAIChat(answer=judging(lambda _: answer)).serving() as url:
        held = await hold(first, base_url=server.url, key="k", judge=judge(model(url), explains=False), expect_secs=1)
    assert [each.kind for each in held.result.failures] == kinds
    assert held.result.passed is not bool(kinds)


async def test_what_must_happen_before_a_turn_has_happened_when_its_words_are_sent(served: Callable[..., Any]):
    server = await served()
    before: list[tuple[int, str, int]] = []

    async def happens(turn: int, session: str) -> None:
        await asyncio.sleep(0)
        before.append((turn, session, server.heard))

    await hold(SCENARIO, base_url=server.url, key="k", before_turn=happens)
    assert before == [(0, "6f1c", 0), (1, "6f1c", 1)]
