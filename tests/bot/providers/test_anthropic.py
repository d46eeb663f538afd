"""What is set for Anthropic."""

import importlib

from pydantic import SecretStr

from bot.providers.anthropic import AnthropicLLM
from bot.providers.anthropic_services import AnthropicMessagesService
from tests.bot.providers.similarity import NoSimilarity


def test_anthropic_is_asked_for_the_model_that_was_set_with_our_instruction_and_keeps_the_prompt():
    service = AnthropicLLM(api_key=SecretStr("sk-ant"), model="claude-opus-5-5").build(
        instruction="Be brief.", similarity=NoSimilarity()
    )
    assert isinstance(service, AnthropicMessagesService)
    settings = service._settings
    assert (settings.model, settings.system_instruction) == ("claude-opus-5-5", "Be brief.")
    assert settings.enable_prompt_caching


def test_quick_turns_have_a_model_of_their_own_where_one_is_set():
    models = AnthropicLLM(api_key=SecretStr("sk-ant"), model="large", fast_model="small").models()
    assert {kind: settings.model for kind, settings in models.items()} == {"fast": "small", "smart": "large"}


def test_one_model_has_every_turn_where_no_fast_one_is_set():
    assert AnthropicLLM(api_key=SecretStr("sk-ant")).models() == {}


def test_what_it_preloads_can_be_imported():
    assert [importlib.import_module(name).__name__ for name in AnthropicLLM.preload] == list(AnthropicLLM.preload)
