"""The providers of a call as they fail over to each other, built from its settings."""

import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from pipecat.processors.frame_processor import FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.services.stt_service import STTService
from pipecat.services.tts_service import TTSService

from bot.budget import Level, level_of, spared, tighter
from bot.extractive.service import Similarity
from bot.providers.build import llm_services, stt_services, tts_services
from bot.providers.provider import Provider
from bot.providers.stages import Stage
from bot.reports import Report
from bot.route import ByQuestion
from bot.settings import BotSettings
from bot.usage import Meter
from processors.failover.llm import KeptLLM, Member
from processors.failover.providers import Providers
from processors.failover.stt import KeptSTT, STTLimits
from processors.failover.tts import KeptTTS
from processors.takes import VoiceCache


class Failover:
    """What is known of the providers of each stage, and what they cost; `report` is told of what changes."""

    def __init__(self, settings: BotSettings, *, report: Report) -> None:
        self._settings = settings
        self._day: Level = settings.budget.day
        self.meter = Meter(settings.budget.prices, report=report, today=lambda: datetime.now(UTC).date())
        self._providers = {
            stage: Providers(stage, [each.provider for each in chosen], clock=time.monotonic, report=report)
            for stage, chosen in _chosen(settings).items()
        }
        self._save()

    def of(self, stage: Stage) -> Providers:
        """Those of one stage."""
        return self._providers[stage]

    def learn(self, known: Iterable[Mapping[str, Any]]) -> None:
        """Takes what other calls found of them."""
        for each in known:
            for providers in self._providers.values():
                providers.learn(each)

    def limit(self, day: Level) -> None:
        """Takes what the day's budget leaves, from the next turn on."""
        self._day = day
        self._save()

    def tell_usage(self) -> None:
        """Reports what was spent since the last time, and asks who may still be asked."""
        self.meter.tell()
        self._save()

    def _save(self) -> None:
        budget, today = self._settings.budget, datetime.now(UTC).date()
        level = tighter(self._day, level_of(budget.spent_usd + self.meter.usd, budget.call_usd))
        for stage, chosen in _chosen(self._settings).items():
            self.of(stage).spare(spared(stage, chosen, level=level, prices=budget.prices, day=today))


def listener(settings: BotSettings, failover: Failover, *, limits: STTLimits | None = None) -> STTService | KeptSTT:
    """Who listens: the one recogniser, or all of them as one; `limits` are those of a call where none are given."""
    services = stt_services(settings)
    _meter("stt", settings.stt, services, failover)
    if len(services) == 1:
        return services[0]
    names = [each.provider for each in settings.stt]
    return KeptSTT(dict(zip(names, services, strict=True)), providers=failover.of("stt"), limits=limits)


def speaker(settings: BotSettings, failover: Failover, *, cache: VoiceCache | None = None) -> TTSService | KeptTTS:
    """Who speaks: the one voice, or all of them as one."""
    services = tts_services(settings, cache=cache)
    _meter("tts", settings.tts, services, failover)
    if len(services) == 1:
        return services[0]
    names = [each.provider for each in settings.tts]
    return KeptTTS(dict(zip(names, services, strict=True)), providers=failover.of("tts"))


def answerer(
    settings: BotSettings, failover: Failover, *, similarity: Similarity, spoken: bool
) -> LLMService[Any] | KeptLLM:
    """Who answers: the one language model, or all of them as one; a caller is told where it comes to the last."""
    services = llm_services(settings, similarity=similarity)
    _meter("llm", settings.llm, services, failover)
    if len(services) == 1:
        return services[0]
    members = [
        # What has a notice of its own is no language model, and takes no instruction.
        Member(
            each.provider,
            service,
            notice=settings.words.only_me if spoken and each.notice else "",
            spared_notice=settings.words.saving if spoken and each.notice else "",
            follows=not each.notice,
            models=each.models(),
        )
        for each, service in zip(settings.llm, services, strict=True)
    ]
    # What a turn asks is looked at only where that decides something: the caller waits for it.
    route = ByQuestion() if any(member.models for member in members) else None
    return KeptLLM(members, providers=failover.of("llm"), hedge=settings.hedge, route=route)


def _meter(stage: Stage, chosen: Iterable[Provider], services: Iterable[FrameProcessor], failover: Failover) -> None:
    for provider, service in zip(chosen, services, strict=True):
        failover.meter.listen(stage, provider, service)


def _chosen(settings: BotSettings) -> dict[Stage, Iterable[Any]]:
    return {"stt": settings.stt, "llm": settings.llm, "tts": settings.tts}
