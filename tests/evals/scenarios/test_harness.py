"""A scenario held with a server, without one, and what is kept of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from pipecat.evals import matcher
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult
from pipecat.evals.script import EvalExpectation, EvalScriptScenario, EvalScriptTurn

from bot.change import Change
from evals.caller import ingress
from evals.judged.judge import judge
from evals.scenarios import harness
from evals.scenarios.harness import Held, hold, unjudged, without_secret
from evals.scenarios.overhearing import Message
from tests.evals.judged.given import judging, model, verdict
from tests.evals.scenarios.bot import TOKEN, Bot, once
from tests.vendors.openai_chat import OpenAIChat

AT_NINE = EvalExpectation("llm_response", text_contains="nine", eval="gives the hour")
SCENARIO = EvalScriptScenario(
    name="hours",
    turns=[
        EvalScriptTurn(user="When do you open?", expect=[AT_NINE]),
        EvalScriptTurn(user="Why?", expect=[EvalExpectation("llm_response", within_ms=50)]),
    ],
)


PASSAGES = {"type": "passages", "passages": [{"title": "Hours"}]}


@pytest.fixture
async def served() -> AsyncIterator[Callable[..., Any]]:
    servers: list[Bot] = []

    async def start(**settings: Any) -> Bot:
        servers.append(server := Bot(once("At nine."), told=PASSAGES, **settings))
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
    assert held.told("passages", 0) == (PASSAGES,)
    assert held.told("passages", 1) == ()
    assert TOKEN not in str(held.result)


VERSE = {1: Change.model_validate({"tts": {"voice": "verse"}})}


async def test_what_the_operator_changes_is_changed_once(served: Callable[..., Any]):
    server = await served()
    await hold(SCENARIO, base_url=server.url, key="k", changes=VERSE)
    assert server.changed == [({"tts": {"voice": "verse"}}, "Bearer k")]


async def test_what_could_not_be_changed_is_told_of_its_turn(served: Callable[..., Any]):
    server = await served(changes=False)
    held = await hold(SCENARIO, base_url=server.url, key="k", changes=VERSE)
    (failure,) = [each for each in held.result.failures if each.kind == "change_failed"]
    assert (failure.turn_index, failure.event_name, "No such voice" in failure.reason) == (1, "x_change", True)


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
    server = await served(replies=False)
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
        before.append((turn, session, len(server.heard)))

    await hold(SCENARIO, base_url=server.url, key="k", before_turn=happens)
    assert before == [(0, "6f1c", 0), (1, "6f1c", 1)]
