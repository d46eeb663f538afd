"""A simulated caller over the wire: a bot and a language model that are played on loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pipecat.evals.simulation import EvalSimulationScenario

from evals.judged.model import service
from evals.scenarios.keys import Caller
from evals.simulated.conduct import Line
from evals.simulated.harness import Simulated, as_played, simulate
from tests.evals.judged.given import model
from tests.evals.scenarios.bot import TOKEN, Bot
from tests.vendors.openai_chat import OpenAIChat
from tests.vendors.script import Script
from tests.vendors.stands import STANDS

SCENARIO = EvalSimulationScenario(
    name="puncture", persona="A man in a hurry.", goal="Find out the price.", success="it was said", max_turns=3
)
CALLER = Caller.model_validate(
    {
        "asks": ["punctur"],
        "hidden_facts": [{"fact": "He rides a tandem.", "told_by": ["tandem"], "asked_by": "bicycle"}],
    }
)


@pytest.fixture
async def bot() -> AsyncIterator[Bot]:
    found = Bot(lambda _: "It costs 18 dollars.", greeting="Hello, this is Jarvis.")
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
