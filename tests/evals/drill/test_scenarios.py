"""What is drilled."""

import pytest

from bot.providers.stages import STAGES, members, name_of
from evals.drill.scenarios import VENDORS, Kind, scenarios


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_has_two_vendors_that_there_are(stage):
    assert {*VENDORS[stage]} < {name_of(each) for each in members(stage)[1:]}


@pytest.mark.parametrize("stage", STAGES)
def test_each_call_begins_with_a_turn_that_shows_what_is_usual(stage):
    assert {each.turns[0] for each in scenarios(stages=[stage])} == {Kind.GOOD}


def test_there_are_as_many_turns_as_were_asked_for_or_those_of_one_more_call():
    calls = scenarios(turns=500)
    assert 500 <= sum(len(each.turns) for each in calls) < 500 + len(calls[-1].turns)


def test_each_stage_and_fault_is_drilled_however_few_turns_were_asked_for():
    calls = [(each.stage, each.fault) for each in scenarios(turns=1)]
    assert len(calls) == len({*calls}) == len({(each.stage, each.fault) for each in scenarios(turns=1000)})


def test_only_what_was_named_is_drilled():
    assert {(each.stage, each.fault) for each in scenarios(stages=["llm"], faults=["stall"])} == {("llm", "stall")}


def test_a_fault_that_a_stage_does_not_have_makes_no_call():
    assert scenarios(stages=["llm"], faults=["half_open"]) == []
