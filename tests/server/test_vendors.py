"""Which vendors a set-up has, and what is said of those that it can't have."""

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from bot.providers.openai import OpenAILLM
from bot.providers.provider import Provider, variable
from bot.providers.stages import STAGES, Stage, members, name_of, needs_of
from server.errors import SetupError
from server.vendors import PREFERRED, SetUp, listed, preferred

VENDORS = [pytest.param(stage, each, id=f"{stage}-{name_of(each)}") for stage in STAGES for each in members(stage)[1:]]
KEYED = [
    pytest.param(stage, each, id=f"{stage}-{name_of(each)}")
    for stage in STAGES
    for each in members(stage)[1:]
    if needs_of(each)
]
SECRET = "sk-secret"
OPENAI = {"OPENAI_API_KEY": SECRET}


def set_up(variables: Mapping[str, str] | None = None, *, away: str = "", **wanted: str) -> SetUp:
    """A set-up where every extra but `away` is installed, and the stages are wanted as named."""
    names: dict[Stage, str | None] = {stage: wanted.get(stage) for stage in STAGES}
    return SetUp(wanted=names, variables=variables or {}, installed=lambda extra: extra != away)


def names(providers: tuple[Any, ...]) -> list[str]:
    return [each.provider for each in providers]


@pytest.mark.parametrize("stage", STAGES)
def test_without_a_key_there_is_only_what_runs_on_this_host(stage: Stage):
    assert names(set_up().chosen(stage)) == [name_of(members(stage)[0])]


@pytest.mark.parametrize(("stage", "provider"), VENDORS)
def test_a_vendor_with_a_place_comes_before_the_embedded_one_as_soon_as_its_variables_are_set(
    stage: Stage, provider: type[Provider]
):
    order = set_up(dict.fromkeys(needs_of(provider), "x")).order(stage)
    assert (provider in order[:-1]) == (name_of(provider) in PREFERRED[stage])
    assert order[-1] is members(stage)[0]


def test_a_key_of_openai_alone_sends_nobodys_voice_there():
    assert [len(set_up(OPENAI).chosen(stage)) for stage in STAGES] == [1, 2, 1]


@pytest.mark.parametrize("stage", STAGES)
def test_vendors_stand_in_the_order_of_preference(stage: Stage):
    there = [name_of(each) for each in preferred(stage)]
    assert there[: len(PREFERRED[stage])] == list(PREFERRED[stage])


@pytest.mark.parametrize(
    ("wanted", "order"),
    [
        ("openai", ["openai", "extractive"]),
        (" OpenAI , extractive", ["openai", "extractive"]),
        ("openai,openai,", ["openai", "extractive"]),
        ("extractive", ["extractive"]),
    ],
)
def test_the_operator_says_who_and_in_which_order(wanted: str, order: list[str]):
    assert names(set_up(OPENAI, llm=wanted).chosen("llm")) == order


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("opneai,extractive", "JARVIS_LLM: there is no opneai. Known are .*openai.*extractive"),
        (",", "JARVIS_LLM names nobody"),
        ("extractive,openai", "JARVIS_LLM: extractive .* name it last"),
    ],
)
def test_names_that_make_no_order_are_told(wanted: str, said: str):
    with pytest.raises(SetupError, match=said):
        set_up(OPENAI, llm=wanted).chosen("llm")


@pytest.mark.parametrize(("stage", "provider"), KEYED)
def test_a_vendor_that_is_wanted_without_its_key_is_told_what_to_set(stage: Stage, provider: type[Provider]):
    with pytest.raises(SetupError, match=needs_of(provider)[0]):
        set_up(None, **{str(stage): name_of(provider)}).chosen(stage)


class Remote(OpenAILLM):
    extra: ClassVar[str | None] = "remote"


class Slow(OpenAILLM):
    first_token_secs: float = variable("OPENAI_MODEL", "a number", default=4.0)


def test_a_key_that_is_there_for_another_program_starts_nothing_that_is_not_installed():
    variables = {"GOOGLE_APPLICATION_CREDENTIALS": "/key.json"}
    assert names(set_up(variables, away="google").chosen("stt")) == ["embedded"]


def test_a_vendor_whose_extra_is_not_installed_says_how_to_install_it():
    with pytest.raises(SetupError, match='make setup EXTRAS="remote", or choose others by JARVIS_LLM'):
        set_up(OPENAI, away="remote").made("llm", Remote)


def test_a_wrong_value_is_named_by_its_variable_and_not_shown():
    with pytest.raises(SetupError, match="OPENAI_MODEL: Input should be a valid number") as error:
        set_up(OPENAI | {"OPENAI_MODEL": SECRET}).made("llm", Slow)
    assert SECRET not in str(error.value)
    assert error.value.__cause__ is None


def test_a_list_has_all_of_a_stage_those_that_are_chosen_first():
    rows = listed(set_up(OPENAI, llm="openai"), "llm")
    assert {row.name for row in rows} == {name_of(each) for each in members("llm")}
    assert [(row.name, row.place, row.configured) for row in rows[:2]] == [("openai", 1, True), ("extractive", 2, True)]
    assert [row.place for row in rows[2:]] == [None] * (len(rows) - 2)


def test_a_list_says_what_a_wanted_vendor_lacks():
    row = listed(set_up(llm="openai"), "llm")[0]
    assert (row.missing, row.configured, row.place) == (("OPENAI_API_KEY",), False, 1)
    assert row.wrong is not None
    assert "Set it" in row.wrong
