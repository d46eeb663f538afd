"""Who speaks: the union of the providers."""

import pytest
from pydantic import TypeAdapter, ValidationError

from bot.providers.tts import TTSProvider

PROVIDER = TypeAdapter(TTSProvider)


@pytest.mark.parametrize("value", [{"provider": "nobody"}, {}, {"provider": "openai"}])
def test_an_unknown_provider_or_one_without_its_key_is_refused(value: dict[str, str]):
    with pytest.raises(ValidationError):
        PROVIDER.validate_python(value)


def test_a_provider_is_told_by_its_name():
    chosen = PROVIDER.validate_python({"provider": "openai", "api_key": "sk-secret"})
    assert type(chosen).__name__ == "OpenAITTS"
