"""Has each voice say what every caller hears, so that the first one hears it from the cache."""

import time
from collections.abc import Iterator

from loguru import logger
from pipecat.frames.frames import ErrorFrame, TTSSpeakFrame, TTSStoppedFrame
from pipecat.services.tts_service import TTSService

from bot.desk.errors import DeskUnavailableError
from bot.desk.line import Line
from bot.phrases import in_answers, spoken_alone
from bot.providers.build import tts_services
from bot.settings import BotSettings
from bot.takes import voice_cache
from processors.tts_cache import CachedVoice

SPEECH_SECS = 20.0


async def warm(settings: BotSettings, *, redis_url: str) -> None:
    """What is in the cache already costs nothing; a voice that fails is left to its calls."""
    async with voice_cache(settings, redis_url=redis_url, call_id=None, report=lambda _event: None) as cache:
        for provider, service in zip(settings.tts, tts_services(settings, cache=cache), strict=True):
            phrases = tuple(_phrases(settings, service))
            if not phrases:
                continue
            began = time.monotonic()
            try:
                await _say(phrases, service)
            except (DeskUnavailableError, TimeoutError) as error:
                logger.warning("the cache of {} is not warm: {}", provider.provider, type(error).__name__)
            else:
                secs = time.monotonic() - began
                logger.info("the cache of {} is warm: {} phrases, {:.1f} s", provider.provider, len(phrases), secs)


def _phrases(settings: BotSettings, service: TTSService) -> Iterator[str]:
    if isinstance(service, CachedVoice):
        yield from spoken_alone(settings)
        if service.repeats_sentences:
            yield from in_answers(settings.words)


async def _say(phrases: tuple[str, ...], service: TTSService) -> None:
    line = Line([service], takes=(TTSStoppedFrame,))
    await line.start()
    try:
        for phrase in phrases:
            await line.put(TTSSpeakFrame(phrase))
            if isinstance(await line.next(timeout_secs=SPEECH_SECS), ErrorFrame):
                raise DeskUnavailableError("The voice failed.")
    finally:
        await line.end()
