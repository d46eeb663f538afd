"""Asks each vendor of the settings once: what is wrong with one is in the log before a caller is told."""

import asyncio

from loguru import logger

from bot.desk.probe import PROBE_SECS, ProbeError, clear_speech, probe
from bot.providers.provider import Provider
from bot.providers.stages import STAGES, Stage, members, variables_of
from bot.settings import BotSettings
from bot.speech.errors import SpeechError


async def check(settings: BotSettings) -> None:
    """A word heard, a word said, a text begun, by all side by side; what runs on this host needs no such look."""
    vendors: list[tuple[Stage, Provider]] = [
        (stage, each)
        for stage in STAGES
        for each in getattr(settings, stage)
        if not isinstance(each, members(stage)[0])
    ]
    speech = b""
    if any(stage == "stt" for stage, _ in vendors):
        try:
            speech = await clear_speech(settings.speech_socket)
        except SpeechError as error:
            logger.warning("the recognisers were not asked: {}", type(error).__name__)
            vendors = [(stage, each) for stage, each in vendors if stage != "stt"]
    await asyncio.gather(*(_check(stage, each, settings, speech) for stage, each in vendors))


async def _check(stage: Stage, provider: Provider, settings: BotSettings, speech: bytes) -> None:
    alone = settings.model_copy(update={stage: (provider,)})
    try:
        secs = await probe(stage, alone, speech=speech, limit_secs=PROBE_SECS)
    except ProbeError as error:
        variables = ", ".join(variables_of(type(provider)).values())
        logger.warning("{} ({}): {}. It is set by {}", provider.title, stage, error, variables)
    else:
        logger.info("{} ({}) answers after {:.1f} s", provider.title, stage, secs)
