"""Which of a language model's models a turn goes to, whoever answers it."""

import asyncio

from pipecat.frames.frames import LLMFullResponseEndFrame, ManuallySwitchServiceFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.utils.errors import ErrorCategory

from processors.failover.route import Kind
from tests.processors.failover.scripted_llm import HANGS, ScriptedLLM, Staging, Tool, Wait
from tests.virtual_time import run

ANSWER = ("Within ", "thirty ", "days.")
QUICK, SLOW = [{"role": "user", "content": "Hello."}], [{"role": "user", "content": "Which is better?"}]


class Hello:
    """Only a greeting is quick."""

    def kind(self, context: LLMContext) -> Kind:
        return "fast" if "Hello." in str(context.get_messages()) else "smart"


def staging(first: ScriptedLLM, second: ScriptedLLM, *, fast: str = "ab", hedge: bool = False) -> Staging:
    return Staging({"a": first, "b": second}, route=Hello(), fast=frozenset(fast), hedge=hedge)


def test_each_turn_goes_to_the_model_for_it():
    async def turns() -> list[object]:
        first = ScriptedLLM(ANSWER)
        async with staging(first, ScriptedLLM(ANSWER)) as stage:
            for messages in (SLOW, QUICK, QUICK, SLOW):
                await stage.ask(messages)
            return first.asked_of

    assert run(turns()) == ["scripted", "a-fast", "a-fast", "scripted"]


def test_one_without_a_fast_model_has_all_turns_by_its_own():
    async def turns() -> tuple[list[object], list[tuple[str, str]]]:
        first = ScriptedLLM(ANSWER)
        async with staging(first, ScriptedLLM(ANSWER), fast="b") as stage:
            await stage.ask(QUICK)
            return first.asked_of, stage.routes

    assert run(turns()) == (["scripted"], [("a", "smart")])


def test_one_that_takes_over_answers_by_its_own_model_for_the_turn():
    async def turn() -> tuple[list[object], list[tuple[str, str]]]:
        second = ScriptedLLM(ANSWER)
        async with staging(ScriptedLLM([ErrorCategory.SERVER]), second) as stage:
            await stage.ask(QUICK)
            return second.asked_of, stage.routes

    assert run(turn()) == (["b-fast"], [("b", "fast")])


def test_one_that_goes_on_with_an_answer_keeps_to_the_kind_of_the_turn():
    async def turn() -> tuple[list[object], list[tuple[str, str]]]:
        second = ScriptedLLM(ANSWER)
        async with staging(ScriptedLLM(["Within ", ErrorCategory.SERVER]), second) as stage:
            await stage.ask(QUICK)
            return second.asked_of, stage.routes

    assert run(turn()) == (["b-fast"], [("a", "fast")])


def test_a_hedge_is_asked_of_its_model_for_the_turn():
    async def turns() -> tuple[list[object], tuple[str, str]]:
        first, second = ScriptedLLM(*[["Yes."]] * 5, [HANGS]), ScriptedLLM(ANSWER)
        async with staging(first, second, hedge=True) as stage:
            for _ in range(6):
                await stage.ask(QUICK)
            return second.asked_of, stage.routes[-1]

    assert run(turns()) == (["b-fast"], ("b", "fast"))


def test_an_interruption_leaves_the_next_turn_its_model():
    async def turns() -> list[object]:
        first = ScriptedLLM([Wait(1), *ANSWER])
        async with staging(first, ScriptedLLM(ANSWER)) as stage:
            for messages in (QUICK, SLOW, QUICK):
                await stage.ask(messages, until=lambda _: True)
                await stage.interrupt()
            await stage.ask(SLOW)
            await stage.ask(QUICK)
            return [first.asked_of[-2], first.asked_of[-1]]

    assert run(turns()) == ["scripted", "a-fast"]


def test_what_one_model_takes_says_nothing_of_the_other():
    async def turns() -> float:
        quick, slow = ["Yes."], [Wait(2.5), *ANSWER]
        first = ScriptedLLM(*[quick] * 6, slow)
        async with staging(first, ScriptedLLM([Wait(2), *ANSWER])) as stage:
            for _ in range(6):
                await stage.ask(QUICK)
            await stage.ask(SLOW)
            return len(stage.failovers)

    assert run(turns()) == 0


def test_a_call_of_a_tool_is_an_answer_of_its_model():
    async def turn() -> list[tuple[str, str]]:
        async with staging(ScriptedLLM([Tool("book")]), ScriptedLLM(ANSWER)) as stage:
            await stage.ask(SLOW)
            await asyncio.sleep(1)
            return stage.routes

    assert run(turn()) == [("a", "smart")]


def test_a_switch_holds_from_the_next_turn_on():
    async def turns() -> tuple[str, int, int]:
        first, second = ScriptedLLM(["Within ", Wait(0.5), "a week."]), ScriptedLLM(["Never."])
        async with Staging({"a": first, "b": second, "c": ScriptedLLM(ANSWER)}) as stage:
            await stage.ask(until=lambda stage: bool(stage.text))
            await stage.worker.queue_frame(ManuallySwitchServiceFrame(service=second))
            await stage.see(lambda stage: stage.count(LLMFullResponseEndFrame) == 1)
            await stage.ask()
            return stage.text, len(first.asked), len(second.asked)

    assert run(turns()) == ("Within a week.Never.", 1, 1)


def test_the_last_can_be_chosen_and_says_nothing_of_others_that_fail():
    async def turns() -> str:
        first, last = ScriptedLLM(ANSWER), ScriptedLLM(["Thirty days."])
        async with Staging({"a": first, "b": last}, notice="Only me.") as stage:
            await stage.worker.queue_frame(ManuallySwitchServiceFrame(service=last))
            await stage.ask()
            return stage.text

    assert run(turns()) == "Thirty days."


def test_a_switch_of_somebody_elses_goes_on():
    async def turn() -> tuple[int, str]:
        async with Staging({"a": ScriptedLLM(ANSWER), "b": ScriptedLLM(["Never."])}) as stage:
            await stage.worker.queue_frame(ManuallySwitchServiceFrame(service=ScriptedLLM(ANSWER)))
            await stage.ask()
            return stage.count(ManuallySwitchServiceFrame), stage.text

    assert run(turn()) == (1, "Within thirty days.")
