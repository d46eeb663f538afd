"""A simulated caller over the wire: a bot and a language model that are played on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from pipecat.evals.simulation import EvalSimulationScenario
from yarl import URL

from evals.judged.model import service
from evals.scenarios.keys import Caller
from evals.simulated.conduct import Line
from evals.simulated.harness import Simulated, as_played, simulate
from tests.evals.judged.given import model
from tests.vendors.openai_chat import OpenAIChat
from tests.vendors.script import Script
from tests.vendors.stands import STANDS

TOKEN = "secret-token"
SCENARIO = EvalSimulationScenario(
    name="puncture", persona="A man in a hurry.", goal="Find out the price.", success="it was said", max_turns=3
)
CALLER = Caller.model_validate(
    {
        "asks": ["punctur"],
        "hidden_facts": [{"fact": "He rides a tandem.", "told_by": ["tandem"], "asked_by": "bicycle"}],
    }
)


class Bot:
    """Greets, and answers every text with the price."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        app = web.Application()
        app.router.add_post("/api/ingress/session/create", self._create)
        app.router.add_delete("/api/ingress/session/6f1c", self._end)
        app.router.add_get("/api/ingress/eval", self._evaluate)
        self.http = TestServer(app, host="127.0.0.1")

    @property
    def url(self) -> str:
        return str(self.http.make_url("")).rstrip("/")

    async def _create(self, request: web.Request) -> web.Response:
        address = str(URL(self.url).with_scheme("ws").with_user("session").with_password(TOKEN)).rstrip("/")
        return web.json_response({"id": "6f1c", "token": TOKEN, "eval_url": f"{address}/api/ingress/eval"}, status=201)

    async def _end(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    async def _evaluate(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            body: Any = message.json() if message.type is WSMsgType.TEXT else {"type": ""}
            if body["type"] == "client-ready":
                await self._say(socket, "bot-ready", version="2.0.0")
                await self._answer(socket, "Hello, this is Jarvis.")
            elif body["type"] == "send-text":
                self.heard.append(body["data"]["content"])
                await self._answer(socket, "It costs 18 dollars.")
        return socket

    async def _answer(self, socket: web.WebSocketResponse, text: str) -> None:
        await self._say(socket, "bot-llm-started")
        await self._say(socket, "bot-llm-text", text=text)
        await self._say(socket, "bot-llm-stopped")

    async def _say(self, socket: web.WebSocketResponse, kind: str, **data: Any) -> None:
        await socket.send_json({"label": "rtvi-ai", "type": kind, "data": data})


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    found = Bot()
    await found.http.start_server()
    yield found
    await found.http.close()


async def played(bot: Bot, double: Any, scenario: EvalSimulationScenario = SCENARIO) -> Simulated:
    async with double.serving() as url:
        settings = model(url)
        asked = as_played(scenario, CALLER, model=settings)
        return await simulate(asked, base_url=bot.url, key="k", model=service(settings))


async def test_a_language_model_calls_by_its_script_and_hangs_up(bot: Bot):
    double = STANDS["llm/openai"](Script(caller=["What does a puncture cost?"])).double
    done = await played(bot, double)
    assert bot.heard == ["What does a puncture cost?"]
    assert done.ended_by == "end_call"
    assert done.lines == (
        Line(False, "Hello, this is Jarvis."),
        Line(True, "What does a puncture cost?"),
        Line(False, "It costs 18 dollars."),
    )
    assert (done.users, done.held.session_id) == ((None, "What does a puncture cost?"), "6f1c")
    assert [each.data["text"] for each in done.held.during(1) if each.type == "bot-llm-text"] == [
        "It costs 18 dollars."
    ]
    assert TOKEN not in str(done.held.result)
    asked = str(double.asked[0]["messages"])
    assert "He rides a tandem." in asked
    assert "never before" in asked


async def test_a_caller_that_never_hangs_up_ends_at_its_limit(bot: Bot):
    double = OpenAIChat(answer=lambda messages: "And what does a puncture cost?")
    done = await played(bot, double)
    assert (done.ended_by, len(done.users)) == ("max_turns", 4)


async def test_a_language_model_that_fails_is_an_error_and_no_verdict(bot: Bot):
    double = OpenAIChat()
    double.faults.fault = "server_error"
    done = await played(bot, double)
    assert (done.ended_by, done.held.result.passed) == ("error", False)
    assert [each.kind for each in done.held.result.failures] == ["error"]


async def test_a_server_that_is_away_is_told():
    done = await simulate(
        SCENARIO, base_url="http://127.0.0.1:1", key="k", model=service(model("http://127.0.0.1:1/v1"))
    )
    assert [each.kind for each in done.held.result.failures] == ["connect_failed"]
