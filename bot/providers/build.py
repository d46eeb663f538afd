"""The services that the settings choose, built in one way for calls and for single requests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.prompts import prompt

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService
    from pipecat.services.stt_service import STTService
    from pipecat.services.tts_service import TTSService

    from bot.extractive.service import Similarity
    from bot.settings import BotSettings


def stt_service(settings: BotSettings) -> STTService:
    """Who listens."""
    return settings.stt.build(speech_socket=settings.speech_socket)


def llm_service(settings: BotSettings, *, similarity: Similarity) -> LLMService[Any]:
    """Who answers, told who it is and whom it speaks for."""
    persona = settings.persona
    instruction = prompt("instruction", name=persona.name, business=persona.business)
    return settings.llm.build(instruction=instruction, similarity=similarity)


def tts_service(settings: BotSettings) -> TTSService:
    """Who speaks."""
    return settings.tts.build(speech_socket=settings.speech_socket)
