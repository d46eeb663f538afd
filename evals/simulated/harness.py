"""A conversation that a language model holds as the caller, by Pipecat's own simulation session."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import aiohttp
from pipecat.evals.client import PERSONA_TURN_EVENT
from pipecat.evals.results import EvalAssertionFailure, EvalScriptResult, EvalScriptTurnResult, EvalSimulationResult
from pipecat.evals.session import EvalSessionParams
from pipecat.evals.simulation import EvalSimulationScenario
from pipecat.evals.simulation_session import EvalSimulationSession

from evals.caller.errors import CallError
from evals.caller.ingress import Ingress, Session
from evals.scenarios.harness import READY_SECS, Held, without_secret
from evals.scenarios.keys import Caller
from evals.scenarios.overhearing import Overheard
from evals.simulated.conduct import Line
from knowledge.store import DEFAULT_COLLECTION

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService

_HIDDEN = (
    "{persona}\n\nYou know the following, and tell each of it only when the assistant asks you for it, never before:\n"
    "{facts}"
)


@dataclass(frozen=True)
class Simulated:
    """A simulated conversation: turn 0 is the bot's greeting, each other begins with a line of the caller's.

    `ended_by` is Pipecat's: `end_call`, `bot`, `max_turns`, `max_duration`, `silence` or `error`.
    """

    held: Held
    users: tuple[str | None, ...] = (None,)
    """What the caller said in each turn, None for the greeting."""
    lines: tuple[Line, ...] = ()
    """The conversation; what one side said in several turns, one behind the other, is one line of it."""
    ended_by: str = "error"


def as_played(scenario: EvalSimulationScenario, keys: Caller, *, model: Any) -> EvalSimulationScenario:
    """The scenario with what its caller knows and tells only when it is asked, and with who plays it."""
    identity = {"service": model.provider, "model": model.model}
    persona = scenario.persona
    if keys.hidden_facts:
        facts = "\n".join(f"- {each.fact}" for each in keys.hidden_facts)
        persona = _HIDDEN.format(persona=persona, facts=facts)
    return replace(scenario, persona=persona, simulator=identity, judge=identity)


async def simulate(
    scenario: EvalSimulationScenario,
    *,
    base_url: str,
    key: str,
    model: "LLMService[Any]",
    collection: str = DEFAULT_COLLECTION,
    judge: Any = None,
) -> Simulated:
    """Has the model call the Jarvis at `base_url`; `key` has the scope admin, and `judge`, if any, judges the goal.

    A call that can't be had has a failure of the kind `connect_failed`, one in which the model failed one of `error`.
    """
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=base_url, http=http, key=key)
        try:
            call = await ingress.create({"channel": "eval", "collection": collection})
        except CallError as error:
            return Simulated(Held(_broken(scenario.name, str(error), "connect_failed"), began_ms=(None,)))
        try:
            return await _simulate(scenario, call, model=model, judge=judge)
        finally:
            await ingress.hang_up(call)


async def _simulate(scenario: EvalSimulationScenario, call: Session, *, model: Any, judge: Any) -> Simulated:
    assert call.eval_url is not None
    session = EvalSimulationSession(
        scenario,
        call.eval_url,
        params=EvalSessionParams(bot_ready_timeout_s=READY_SECS),
        persona_llm=model,
        judge=judge,
    )
    overheard = Overheard(session)
    result = await session.run()
    asked = [each for each in result.events_seen if each["type"] == PERSONA_TURN_EVENT]
    began = [float(each["at"]) * 1000 for each in asked]
    lines = tuple(Line(each["role"] == "user", each["content"]) for each in result.messages)
    scripted = without_secret(_scripted(result, turns=1 + len(began), is_judged=judge is not None), call.token)
    held = Held(scripted, call.id, tuple(overheard.messages), (0.0, *began))
    return Simulated(held, (None, *(str(each["text"]) for each in asked)), lines, result.ended_by)


def _scripted(result: EvalSimulationResult, *, turns: int, is_judged: bool) -> EvalScriptResult:
    """The result in the shape that all runs have."""
    failures: list[EvalAssertionFailure] = []
    if result.error is not None:
        failures = [EvalAssertionFailure(turns - 1, -1, "simulator", result.error, _kind(result.error))]
    elif is_judged and not result.succeeded:
        failures = [EvalAssertionFailure(turns - 1, -1, "success", result.reason, "judge_no")]
    return EvalScriptResult(
        scenario_name=result.simulation_name,
        passed=not failures,
        failures=failures,
        turns=[EvalScriptTurnResult(number, "passed") for number in range(turns)],
        duration_ms=result.duration_ms,
        events_seen=result.events_seen,
        debug_log=result.debug_log,
    )


def _kind(error: str) -> str:
    return "connect_failed" if error.startswith("failed to connect") else "error"


def _broken(name: str, reason: str, kind: str) -> EvalScriptResult:
    return EvalScriptResult(name, passed=False, failures=[EvalAssertionFailure(-1, -1, "<connect>", reason, kind)])
