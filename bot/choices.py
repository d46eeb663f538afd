"""A change of a call as frames for its pipeline."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any

from pipecat.frames.frames import Frame, ManuallySwitchServiceFrame, TTSUpdateSettingsFrame

from bot.change import Change, ChosenVoice
from bot.errors import ChangeError
from bot.pipeline import Services
from bot.providers.stages import Stage
from bot.settings import BotSettings
from bot.speech.client import Speech
from bot.speech.errors import SpeechRequestError, SpeechUnavailableError
from processors.failover.llm import KeptLLM
from processors.failover.switcher import KeptSwitcher
from processors.frames import VolumeFrame

A_WORD = "One."
VOICE_SECS = 1.5
STAGES: tuple[Stage, ...] = ("stt", "llm", "tts")


def check(change: Change, settings: BotSettings) -> None:
    """Raises `ChangeError` where the call has none of a name, and says which it has."""
    for stage in STAGES:
        name, known = _wanted(change, stage), [each.provider for each in _chosen(settings, stage)]
        if name is not None and name not in known:
            raise ChangeError(f"This call has no {name} as its {stage}; it has {', '.join(known)}.")


async def check_voice(change: Change, settings: BotSettings, speech: Speech) -> None:
    """Raises `ChangeError` where the voice on this host is to speak by a name that it does not know.

    Behind any other voice another one stands; behind this one there is silence.
    """
    if change.tts.voice is None or _speaking(change, settings) != settings.tts[-1].provider:
        return
    said = speech.synthesize(A_WORD, voice=change.tts.voice, words_per_minute=200, pitch=50, sample_rate=16000)
    try:
        async with asyncio.timeout(VOICE_SECS), aclosing(said):
            await anext(said, None)
    except SpeechRequestError as error:
        raise ChangeError("The voice on this host has none of that name; `espeak-ng --voices` lists them.") from error
    except (SpeechUnavailableError, TimeoutError) as error:
        raise ChangeError("The voice on this host does not answer now. Try again.") from error


def frames(change: Change, settings: BotSettings, services: Services) -> list[Frame]:
    """What makes the change, from the next turn on; of `settings` the order of providers counts."""
    found: list[Frame] = []
    for stage, service in zip(STAGES, (services.stt, services.llm, services.tts), strict=True):
        name = _wanted(change, stage)
        if name is not None and isinstance(service, KeptLLM | KeptSwitcher):
            place = [each.provider for each in _chosen(settings, stage)].index(name)
            switch = ManuallySwitchServiceFrame(service=service.services[place])
            # A caller who interrupts does not undo it.
            switch.interruptible = False
            found.append(switch)
    volume = [] if change.tts.volume is None else [VolumeFrame(change.tts.volume)]
    return [*found, *_manners(change, settings, services), *volume]


def _manners(change: Change, settings: BotSettings, services: Services) -> list[Frame]:
    """The voice for the one who speaks, the speed for all: who takes over speaks as fast."""
    chosen = change.tts
    if chosen == ChosenVoice(volume=chosen.volume):
        return []
    voices = services.tts.services if isinstance(services.tts, KeptSwitcher) else [services.tts]
    speaks = _speaking(change, settings)
    return [
        TTSUpdateSettingsFrame(
            delta=each.manner(voice=chosen.voice if each.provider == speaks else None, speed=chosen.speed or 1.0),
            service=service,
        )
        for each, service in zip(settings.tts, voices, strict=True)
        if each.provider == speaks or chosen.speed is not None
    ]


def _speaking(change: Change, settings: BotSettings) -> str:
    return change.tts.provider or settings.tts[0].provider


def _wanted(change: Change, stage: Stage) -> str | None:
    return change.tts.provider if stage == "tts" else getattr(change, stage)


def _chosen(settings: BotSettings, stage: Stage) -> Sequence[Any]:
    return getattr(settings, stage)
