"""The next provider is the first that may be tried, and each change of a circuit is told."""

from typing import Any

import pytest

from processors.failover.circuit import FAILURES, REST_SECS, Failure, State
from processors.failover.providers import Providers


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def three(told: list[dict[str, Any]] | None = None) -> tuple[Providers, Clock]:
    """Two vendors and the one on this host."""
    clock = Clock()
    report = (lambda _event: None) if told is None else told.append
    return Providers("llm", ["openai", "anthropic", "extractive"], clock=clock, report=report), clock


def down(providers: Providers, name: str) -> None:
    """Lets this one fail until its circuit opens."""
    for _ in range(FAILURES):
        providers.failed(name, Failure.SERVER)


def test_the_first_is_next_while_all_is_well():
    providers, _ = three()
    assert providers.next() == "openai"


def test_one_that_is_preferred_is_next_and_the_others_follow():
    providers, _ = three()
    providers.prefer("anthropic")
    assert [providers.next(), providers.next(besides={"anthropic"})] == ["anthropic", "openai"]


def test_the_last_stays_last_even_where_it_is_preferred():
    providers, _ = three()
    providers.prefer("extractive")
    assert providers.names[-1] == "extractive"


def test_nobody_unknown_is_preferred():
    providers, _ = three()
    with pytest.raises(ValueError, match="there is no whoever"):
        providers.prefer("whoever")


def test_one_that_is_spared_is_passed_over():
    providers, _ = three()
    providers.spare({"openai"})
    assert providers.next() == "anthropic"


def test_the_last_is_never_spared():
    providers, _ = three()
    providers.spare(providers.names)
    assert providers.next() == "extractive"


def test_one_that_is_not_spared_any_more_is_next_again():
    providers, _ = three()
    providers.spare({"openai"})
    providers.spare(())
    assert providers.next() == "openai"


def test_turns_begin_on_the_last_alone_where_it_is_chosen():
    providers, _ = three()
    providers.choose("extractive")
    assert [providers.next(), providers.next(besides={"extractive"})] == ["extractive", None]


def test_turns_begin_on_another_again_where_that_one_is_chosen():
    providers, _ = three()
    providers.choose("extractive")
    providers.choose("anthropic")
    assert [providers.next(), providers.next(besides={"anthropic"})] == ["anthropic", "openai"]


def test_the_model_that_answers_is_told():
    told: list[dict[str, Any]] = []
    providers, _ = three(told)
    providers.answered("openai", kind="fast")
    assert told == [{"type": "route", "provider": "openai", "kind": "fast"}]


def test_one_that_failed_this_turn_is_passed_over():
    providers, _ = three()
    assert providers.next(besides={"openai"}) == "anthropic"


def test_one_whose_circuit_is_open_is_passed_over():
    providers, _ = three()
    down(providers, "openai")
    assert providers.next() == "anthropic"


def test_the_last_is_tried_however_often_it_failed():
    providers, _ = three()
    for name in providers.names:
        down(providers, name)
    assert providers.next() == "extractive"


def test_nobody_is_next_where_all_failed_this_turn():
    providers, _ = three()
    assert providers.next(besides=providers.names) is None


def test_the_first_comes_back_by_a_probe_that_works():
    providers, clock = three()
    down(providers, "openai")
    clock.now += REST_SECS
    providers.tried("openai")
    assert providers.next() == "anthropic"
    providers.worked("openai")
    assert providers.next() == "openai"


def test_opening_is_told_once_with_the_rest():
    told: list[dict[str, Any]] = []
    providers, _ = three(told)
    down(providers, "openai")
    assert told == [
        {"type": "provider", "stage": "llm", "provider": "openai", "state": "open", "rest_secs": 15.0, "rests": 1}
    ]


def test_the_probe_and_the_closing_are_told():
    told: list[dict[str, Any]] = []
    providers, clock = three(told)
    down(providers, "openai")
    clock.now += REST_SECS
    providers.tried("openai")
    providers.worked("openai")
    assert [event["state"] for event in told] == ["open", "half_open", "closed"]


def test_a_turn_that_works_tells_nothing():
    told: list[dict[str, Any]] = []
    providers, _ = three(told)
    providers.tried("openai")
    providers.worked("openai")
    assert not told


def test_what_another_call_reported_is_taken_as_it_stands():
    told: list[dict[str, Any]] = []
    one, _ = three(told)
    other, _ = three()
    down(one, "openai")
    other.learn(told[0])
    assert other.state("openai") is State.OPEN


def test_what_is_reported_of_another_stage_is_nothing_here():
    providers, _ = three()
    known = {"stage": "tts", "provider": "openai", "state": "open", "rest_secs": 9.0, "rests": 1}
    providers.learn(known)
    assert providers.next() == "openai"


def test_a_turn_that_another_took_over_is_told_with_both_and_the_reason():
    told: list[dict[str, Any]] = []
    providers, _ = three(told)
    providers.took_over("anthropic", before="openai", failure=Failure.LATE)
    assert told == [{"type": "failover", "stage": "llm", "from": "openai", "to": "anthropic", "reason": "late"}]
