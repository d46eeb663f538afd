"""The services of a call, in the order of preference."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import SecretStr

from bot.extractive.service import ExtractiveLLMService
from bot.providers.build import llm_services, stt_services, tts_services
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.providers.openai_services import OpenAIChatService
from bot.settings import BotSettings, Retrieval
from bot.speech.stt import EmbeddedSTTService
from bot.speech.tts import EmbeddedTTSService

OPENAI = OpenAILLM(api_key=SecretStr("sk-secret"))
SETTINGS = BotSettings(llm=(OPENAI, ExtractiveLLM()), retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s"))


class NoSimilarity:
    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise AssertionError("nothing is compared as a service is built")


def test_language_models_are_built_in_the_order_of_preference():
    services = llm_services(SETTINGS, similarity=NoSimilarity())
    assert [type(each) for each in services] == [OpenAIChatService, ExtractiveLLMService]


def test_the_model_is_told_who_it_is():
    assert "You are Jarvis" in str(llm_services(SETTINGS, similarity=NoSimilarity())[0]._settings.system_instruction)


def test_this_host_listens_and_speaks_where_nobody_else_does():
    assert [type(each) for each in (*stt_services(SETTINGS), *tts_services(SETTINGS))] == [
        EmbeddedSTTService,
        EmbeddedTTSService,
    ]


async def test_every_voice_reads_a_text_in_the_same_way_with_the_operators_words():
    settings = SETTINGS.model_copy(update={"pronunciations": (("Leominster", "Lemster"),)})
    said = [await each._transform_text("Leominster is $18.", "sentence") for each in tts_services(settings)]
    assert said == ["Lemster is eighteen dollars."]
