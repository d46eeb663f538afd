"""A second language model begins beside one that is slow, and the first that has a word answers."""

import asyncio
from typing import Any

from processors.failover.circuit import State
from tests.processors.failover.scripted_llm import HANGS, ScriptedLLM, Stage, Staging, Wait
from tests.virtual_time import run

ANSWER = ["Within ", "thirty ", "days."]


def failovers(stage: Stage) -> list[tuple[Any, ...]]:
    return [(each["from"], each["to"], each["reason"]) for each in stage.told if each["type"] == "failover"]


SLOW = [Wait(0.2), "Slowly."]


def test_hedged_a_second_starts_where_the_first_is_slower_than_mostly():
    async def turn() -> tuple[str, int]:
        first = ScriptedLLM(*[SLOW] * 6, [Wait(0.9), "Late."])
        async with Staging({"a": first, "b": ScriptedLLM([Wait(0.1), "Soon."])}, hedge=True) as stage:
            for _ in range(7):
                await stage.ask()
            await asyncio.sleep(9)
            return stage.text.removeprefix("Slowly." * 6), first.cancelled

    assert run(turn()) == ("Soon.", 1)


def test_hedged_the_first_still_answers_where_it_is_the_first_to_speak():
    async def turn() -> tuple[str, int]:
        second = ScriptedLLM([Wait(0.8), "Late."])
        async with Staging({"a": ScriptedLLM(*[SLOW] * 6, [Wait(0.5), "Mine."]), "b": second}, hedge=True) as stage:
            for _ in range(7):
                await stage.ask()
            await asyncio.sleep(9)
            return stage.text.removeprefix("Slowly." * 6), second.cancelled

    assert run(turn()) == ("Mine.", 1)


def test_unhedged_a_second_waits():
    async def turn() -> int:
        second = ScriptedLLM(ANSWER)
        async with Staging({"a": ScriptedLLM(*[SLOW] * 6, [Wait(0.9), "Mine."]), "b": second}) as stage:
            for _ in range(7):
                await stage.ask()
            return len(second.asked)

    assert run(turn()) == 0


def test_where_nothing_is_known_of_the_first_a_second_begins_beside_it_after_a_second():
    async def turn() -> tuple[str, float, int]:
        first = ScriptedLLM([HANGS])
        async with Staging({"a": first, "b": ScriptedLLM([Wait(0.1), "Soon."])}) as stage:
            began = asyncio.get_running_loop().time()
            await stage.ask()
            return stage.text, asyncio.get_running_loop().time() - began, first.cancelled

    text, secs, cancelled = run(turn())
    assert (text, cancelled) == ("Soon.", 1)
    assert 1.1 <= secs < 1.3


def test_one_that_a_later_one_overtakes_is_late():
    async def turn() -> tuple[list[tuple[Any, ...]], State]:
        first, second = ScriptedLLM(*[[HANGS]] * 3), ScriptedLLM(*[["Soon."]] * 3)
        async with Staging({"a": first, "b": second, "c": ScriptedLLM(ANSWER)}) as stage:
            for _ in range(3):
                await stage.ask()
            return failovers(stage), stage.providers.state("a")

    assert run(turn()) == ([("a", "b", "late")] * 3, State.OPEN)


def test_one_that_is_slow_still_answers_where_it_has_the_first_word():
    async def turn() -> tuple[str, list[tuple[Any, ...]]]:
        second = ScriptedLLM([Wait(0.8), "Late."])
        async with Staging({"a": ScriptedLLM([Wait(1.5), "Mine."]), "b": second}) as stage:
            await stage.ask()
            return stage.text, failovers(stage)

    assert run(turn()) == ("Mine.", [])


def test_where_the_first_pauses_in_its_answer_another_goes_on_with_it():
    async def turn() -> tuple[str, float, list[tuple[Any, ...]], int]:
        first = ScriptedLLM(["Within ", HANGS])
        async with Staging({"a": first, "b": ScriptedLLM([Wait(0.1), "thirty ", "days."])}) as stage:
            began = asyncio.get_running_loop().time()
            await stage.ask()
            return stage.text, asyncio.get_running_loop().time() - began, failovers(stage), first.cancelled

    text, secs, told, cancelled = run(turn())
    assert (text, told, cancelled) == ("Within thirty days.", [("a", "b", "stalled")], 1)
    assert 0.7 <= secs < 0.9


def test_one_that_goes_on_after_a_pause_has_its_turn():
    async def turn() -> tuple[str, list[tuple[Any, ...]], int]:
        second = ScriptedLLM([Wait(0.5), "thirty ", "days."])
        async with Staging({"a": ScriptedLLM(["Within ", Wait(0.9), "a ", "month."]), "b": second}) as stage:
            await stage.ask()
            return stage.text, failovers(stage), second.cancelled

    assert run(turn()) == ("Within a month.", [], 1)


def test_one_that_pauses_and_ends_has_its_turn():
    async def turn() -> tuple[str, list[tuple[Any, ...]]]:
        second = ScriptedLLM([Wait(0.5), "Later."])
        async with Staging({"a": ScriptedLLM(["Thirty days.", Wait(0.9)]), "b": second}) as stage:
            await stage.ask()
            return stage.text, failovers(stage)

    assert run(turn()) == ("Thirty days.", [])
