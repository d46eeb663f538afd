"""Who may do what in a call: every member of the unions, whoever adds it."""

import tomllib
from pathlib import Path

import pytest

from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.providers.provider import Provider
from bot.providers.stages import STAGES, Stage, members, name_of, needs_of, variables_of, vendors_variables

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"

ALL = [pytest.param(stage, each, id=f"{stage}-{name_of(each)}") for stage in STAGES for each in members(stage)]


@pytest.mark.parametrize("stage", STAGES)
def test_the_first_of_a_stage_needs_nothing(stage: Stage):
    first = members(stage)[0]
    assert (needs_of(first), first.extra) == ((), None)


@pytest.mark.parametrize(("stage", "provider"), ALL)
def test_a_provider_says_what_people_and_the_server_want_to_know(stage: Stage, provider: type[Provider]):
    assert provider.title
    assert provider.preload
    assert name_of(provider).isidentifier()


@pytest.mark.parametrize(("stage", "provider"), ALL)
def test_what_the_operator_sets_is_described_under_a_name_in_capitals(stage: Stage, provider: type[Provider]):
    fields = provider.model_fields
    assert [name for name in variables_of(provider) if not fields[name].description] == []
    assert all(name.isupper() for name in variables_of(provider).values())


@pytest.mark.parametrize(("stage", "provider"), ALL)
def test_what_a_provider_cannot_do_without_is_set_by_a_variable(stage: Stage, provider: type[Provider]):
    required = {name for name, field in provider.model_fields.items() if field.is_required()}
    assert required <= variables_of(provider).keys()


@pytest.mark.parametrize(("stage", "provider"), ALL)
def test_what_has_to_be_installed_for_a_provider_is_an_extra(stage: Stage, provider: type[Provider]):
    extras = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert provider.extra is None or provider.extra in extras


@pytest.mark.parametrize("stage", STAGES)
def test_no_two_providers_of_a_stage_have_the_same_name(stage: Stage):
    names = [name_of(each) for each in members(stage)]
    assert len(set(names)) == len(names)


def test_a_provider_needs_what_has_no_default():
    assert (needs_of(OpenAILLM), needs_of(ExtractiveLLM)) == (("OPENAI_API_KEY",), ())


def test_what_vendors_are_set_by_is_known():
    assert {"OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL"} <= vendors_variables()
