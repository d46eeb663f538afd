"""The services that the settings choose, the preferred one first, built in one way for calls and single requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.prompts import prompt
from bot.reading.aloud import Aloud

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService
    from pipecat.utils.text.transforms.text_transform import TextTransform

    from bot.extractive.service import Similarity
    from bot.settings import BotSettings
    from bot.wording.table import Language
    from processors.takes import VoiceCache


def stt_services(settings: BotSettings) -> list[STTService]:
    """Who listens."""
    return [each.build(speech_socket=settings.speech_socket) for each in settings.stt]


def llm_services(settings: BotSettings, *, similarity: Similarity) -> list[LLMService[Any]]:
    """Who answers, told who it is and whom it speaks for."""
    persona = settings.persona
    instruction = persona.told(prompt("instruction", name=persona.name, business=persona.business))
    return [each.build(instruction=instruction, similarity=similarity) for each in settings.llm]


def tts_services(settings: BotSettings, *, cache: VoiceCache | None = None) -> list[TTSService]:
    """Who speaks, all reading a text in the same way; what they said before comes from the cache."""
    services = [
        each.build(
            speech_socket=settings.speech_socket,
            cache=None if cache is None else replace(cache, voice=each.model_dump_json()),
        )
        for each in settings.tts
    ]
    aloud = Aloud(settings.pronunciations)
    for service in services:
        service.add_text_transformer(_reading(aloud, service, settings.persona.language))
    return services


def _reading(aloud: Aloud, service: TTSService, language: Language) -> TextTransform:
    # Only what the voice is given changes: Pipecat keeps what is written for the context, the page and the record.
    async def read(text: str, _text_type: str) -> str:
        # A voice of English may have been set to another language by its vendor's variable alone.
        return aloud.said(text, service.text_aggregation_language if language == "en" else language)

    return read
