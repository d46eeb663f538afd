"""Who answers: the extractive service, or one behind OpenAI's API."""

import importlib
from collections.abc import Sequence

import pytest
from pipecat.services.openai.llm import OpenAILLMService
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.extractive.service import ExtractiveLLMService
from bot.providers.embedded import ExtractiveLLM
from bot.providers.llm import LLMProvider
from bot.providers.openai import OpenAILLM

PROVIDERS = [ExtractiveLLM(), OpenAILLM(api_key=SecretStr("sk-secret"))]


class NoSimilarity:
    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise AssertionError("nothing is compared as a service is built")


def test_without_a_key_answers_are_quoted():
    assert isinstance(ExtractiveLLM().build(instruction="", similarity=NoSimilarity()), ExtractiveLLMService)


def test_a_caller_is_told_that_answers_are_quoted():
    assert "without a language model" in ExtractiveLLM().notice


def test_openai_is_asked_for_the_model_that_was_set_with_our_instruction():
    service = OpenAILLM(api_key=SecretStr("sk-secret"), model="llama").build(
        instruction="Be brief.", similarity=NoSimilarity()
    )
    assert isinstance(service, OpenAILLMService)
    assert (service._settings.model, service._settings.system_instruction) == ("llama", "Be brief.")


@pytest.mark.parametrize("value", [{"provider": "nobody"}, {}, {"provider": "openai"}])
def test_an_unknown_provider_or_one_without_its_key_is_refused(value: dict[str, str]):
    with pytest.raises(ValidationError):
        TypeAdapter(LLMProvider).validate_python(value)


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda p: p.provider)
def test_what_a_provider_preloads_can_be_imported(provider: ExtractiveLLM | OpenAILLM):
    assert [importlib.import_module(name).__name__ for name in provider.preload] == list(provider.preload)
