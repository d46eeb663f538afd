"""The providers of a call as they fail over to each other, built from its settings."""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService

from bot.extractive.service import Similarity
from bot.phrases import ONLY_ME
from bot.providers.build import llm_services, stt_services, tts_services
from bot.providers.stages import Stage
from bot.reports import Report
from bot.settings import BotSettings
from processors.failover.llm import KeptLLM, Member
from processors.failover.providers import Providers
from processors.failover.stt import KeptSTT
from processors.failover.tts import KeptTTS
from processors.takes import VoiceCache


class Failover:
    """What is known of the providers of each stage; `report` is told of what changes."""

    def __init__(self, settings: BotSettings, *, report: Report) -> None:
        self._providers = {
            stage: Providers(stage, [each.provider for each in chosen], clock=time.monotonic, report=report)
            for stage, chosen in _chosen(settings).items()
        }

    def of(self, stage: Stage) -> Providers:
        """Those of one stage."""
        return self._providers[stage]

    def learn(self, known: Iterable[Mapping[str, Any]]) -> None:
        """Takes what other calls found of them."""
        for each in known:
            for providers in self._providers.values():
                providers.learn(each)


def listener(settings: BotSettings, failover: Failover) -> STTService | KeptSTT:
    """Who listens: the one recogniser, or all of them as one."""
    services = stt_services(settings)
    if len(services) == 1:
        return services[0]
    names = [each.provider for each in settings.stt]
    return KeptSTT(dict(zip(names, services, strict=True)), providers=failover.of("stt"))


def speaker(settings: BotSettings, failover: Failover, *, cache: VoiceCache | None = None) -> TTSService | KeptTTS:
    """Who speaks: the one voice, or all of them as one."""
    services = tts_services(settings, cache=cache)
    if len(services) == 1:
        return services[0]
    names = [each.provider for each in settings.tts]
    return KeptTTS(dict(zip(names, services, strict=True)), providers=failover.of("tts"))


def answerer(
    settings: BotSettings, failover: Failover, *, similarity: Similarity, spoken: bool
) -> LLMService[Any] | KeptLLM:
    """Who answers: the one language model, or all of them as one; a caller is told where it comes to the last."""
    services = llm_services(settings, similarity=similarity)
    if len(services) == 1:
        return services[0]
    members = [
        # What has a notice of its own is no language model, and takes no instruction.
        Member(each.provider, service, notice=ONLY_ME if spoken and each.notice else "", follows=not each.notice)
        for each, service in zip(settings.llm, services, strict=True)
    ]
    return KeptLLM(members, providers=failover.of("llm"), hedge=settings.hedge)


def _chosen(settings: BotSettings) -> dict[Stage, Iterable[Any]]:
    return {"stt": settings.stt, "llm": settings.llm, "tts": settings.tts}
