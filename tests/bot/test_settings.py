"""What a call is set to, on its way to the bot."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from bot.persona import Persona
from bot.providers.azure import AzureSTT, AzureTTS
from bot.providers.cartesia import CartesiaTTS
from bot.providers.deepgram import DeepgramFluxSTT, DeepgramSTT, DeepgramTTS
from bot.providers.elevenlabs import ElevenLabsTTS
from bot.providers.embedded import EmbeddedSTT, EmbeddedTTS, ExtractiveLLM
from bot.providers.google import GoogleSTT, GoogleTTS
from bot.providers.local import PiperTTS
from bot.providers.openai import OpenAILLM, OpenAISTT, OpenAITTS
from bot.providers.provider import REVEAL
from bot.settings import BotSettings, Retrieval, Turns

PATHS: dict[str, Any] = {"retrieval": {"socket": "/run/knowledge.sock"}, "speech_socket": "/run/speech.sock"}


def settings(**values: Any) -> BotSettings:
    return BotSettings.model_validate(PATHS | values)


def test_what_runs_without_a_key_is_the_default():
    defaults = settings()
    assert [each.provider for each in (*defaults.stt, *defaults.llm, *defaults.tts)] == [
        "embedded",
        "extractive",
        "embedded",
    ]


@pytest.mark.parametrize(
    "values",
    [
        {"sst": {}},
        {"turns": {"vad_stop_sec": 0.2}},
        {"llm": [{"provider": "nobody"}]},
        {"llm": [{"provider": "openai"}]},
        {"tts": [{"words_per_minute": 0}]},
        {"stt": []},
        {"limits": {"idle_secs": 0}},
        {"retrieval": {"socket": "/x", "min_similarity": 0.2}},
        {"retrieval": {"socket": "/x", "passages": 0}},
    ],
    ids=["slot", "field", "provider", "no-key", "rate", "nobody", "limit", "gone", "passages"],
)
def test_what_is_not_a_setting_is_refused(values: dict[str, Any]):
    with pytest.raises(ValidationError):
        settings(**values)


@pytest.mark.parametrize(
    "sent",
    [
        settings(),
        settings(
            llm=(
                OpenAILLM(api_key=SecretStr("sk-secret"), base_url="http://127.0.0.1:11434/v1", model="llama"),
                ExtractiveLLM(),
            )
        ),
        settings(persona=Persona(name="Ada"), turns=Turns(max_pause_secs=3), media_addresses=("127.0.0.1",)),
        settings(retrieval=Retrieval(socket=Path("/else"), passages=2, collection="manuals", access=("staff",))),
    ],
    ids=["defaults", "key", "persona", "retrieval"],
)
def test_the_bot_reads_what_the_server_sent(sent: BotSettings):
    assert BotSettings.model_validate(sent.model_dump(mode="json", context=REVEAL)) == sent


def test_a_key_is_hidden_wherever_nobody_asks_to_reveal_it():
    shown = settings(llm=[OpenAILLM(api_key=SecretStr("sk-secret"))])
    assert "sk-secret" not in f"{shown!r} {shown.model_dump_json()} {shown.model_dump(mode='json')}"


def test_another_persona_speaks_with_its_own_voice_and_leaves_the_others_as_they_are():
    answered = settings().answered_by(Persona(name="Ada", voices={"embedded": "en-gb", "cartesia": "x"}))
    assert (answered.persona.name, answered.tts[0].voice, answered.stt) == ("Ada", "en-gb", settings().stt)


def test_a_persona_of_another_language_is_heard_answered_and_spoken_in_it_by_all_who_can():
    key = SecretStr("k")
    everybody = settings(
        stt=(
            DeepgramSTT(api_key=key), DeepgramFluxSTT(api_key=key), GoogleSTT(credentials=Path("/k")),
            AzureSTT(api_key=key, region="x"), OpenAISTT(api_key=key), EmbeddedSTT(),
        ),
        tts=(
            CartesiaTTS(api_key=key), ElevenLabsTTS(api_key=key), GoogleTTS(credentials=Path("/k")),
            AzureTTS(api_key=key, region="x"), DeepgramTTS(api_key=key), OpenAITTS(api_key=key), EmbeddedTTS(),
        ),
    )  # fmt: skip
    german = everybody.answered_by(Persona(language="de", voices={"cartesia": "stimme"}))
    assert [getattr(each, "language", None) or getattr(each, "model", None) for each in german.stt] == [
        "de", "flux-general-multi", "de-DE", "de-DE", "de", None,
    ]  # fmt: skip
    assert [getattr(each, "language", None) for each in german.tts] == ["de", "de", None, "de-DE", None, None, None]
    assert [each.voice for each in german.tts[:1] + german.tts[2:5] + german.tts[6:]] == [
        "stimme", "de-DE-Chirp3-HD-Aoede", "de-DE-KatjaNeural", "aura-2-viktoria-de", "de+f2",
    ]  # fmt: skip
    assert german.llm[0].notice.startswith("Ich arbeite ohne Sprachmodell")


def test_a_persona_of_english_changes_no_provider():
    key = SecretStr("k")
    british = settings(
        stt=(
            DeepgramSTT(api_key=key, language="multi"),
            AzureSTT(api_key=key, region="x", language="en-GB"),
            EmbeddedSTT(),
        ),
        tts=(CartesiaTTS(api_key=key, language="en-GB"), DeepgramTTS(api_key=key), EmbeddedTTS()),
    )
    answered = british.answered_by(Persona())
    assert (answered.stt, answered.llm, answered.tts) == (british.stt, british.llm, british.tts)


def test_the_speech_process_gets_the_recognisers_that_are_chosen():
    assert settings(stt=[{"provider": "moonshine"}, {"provider": "embedded"}]).engines == ("moonshine",)
    assert settings().engines == ()


def test_the_modules_of_all_chosen_providers_are_preloaded_once():
    twice = (OpenAILLM(api_key=SecretStr("sk-secret")), OpenAILLM(api_key=SecretStr("sk-other")), ExtractiveLLM())
    assert settings(llm=twice).preload == (
        "bot.speech.stt",
        "bot.providers.openai_services",
        "bot.extractive.service",
        "bot.speech.tts",
    )


def test_a_cache_is_named_and_its_module_preloaded_only_where_a_voice_has_one():
    cached = settings(tts=(PiperTTS(base_url="http://127.0.0.1:5000"), EmbeddedTTS()))
    assert "bot.takes" in cached.preload
    assert cached.caching("redis://:secret@host").speech_cache == SecretStr("redis://:secret@host")
    assert "secret" not in cached.caching("redis://:secret@host").model_dump_json()
    assert settings().caching("redis://host").speech_cache is None
