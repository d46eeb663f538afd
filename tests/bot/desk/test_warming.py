"""The cache before the first call."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis.asyncio import Redis

from bot.desk.warming import warm
from bot.phrases import in_answers, spoken_alone
from bot.providers.cartesia import CartesiaTTS
from bot.providers.embedded import EmbeddedTTS
from bot.providers.openai import OpenAITTS
from bot.settings import BotSettings, Retrieval
from bot.takes import voice_cache
from tests.bot.providers.speaking import speaking
from tests.vendors.cartesia import Cartesia
from tests.vendors.faults import Faults
from tests.vendors.openai_audio import OpenAIAudio
from tests.vendors.openai_chat import KEY


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    yield redis
    await redis.aclose()


def settings(cartesia: str, openai: str) -> BotSettings:
    return BotSettings(
        tts=(
            CartesiaTTS(api_key=SecretStr(Cartesia.KEY), base_url=cartesia, silence_secs=0.3),
            OpenAITTS(api_key=SecretStr(KEY), base_url=openai),
            EmbeddedTTS(),
        ),
        retrieval=Retrieval(socket=Path("/k")),
        speech_socket=Path("/s"),
    )


@pytest.mark.integration
async def test_the_first_call_is_greeted_from_the_cache(redis: Redis, redis_url: str):
    vendor, reports = Cartesia(), []
    async with vendor.serving() as cartesia, OpenAIAudio().serving() as openai:
        bot = settings(cartesia, openai)
        await warm(bot, redis_url=redis_url)
        asked = len(vendor.asked)
        async with voice_cache(bot, redis_url=redis_url, call_id="one", report=reports.append) as cache:
            cache = type(cache)(cache.takes, cache.phrases, cache.report, voice=bot.tts[0].model_dump_json())
            async with speaking(bot.tts[0], cache=cache) as speaker:
                for phrase in spoken_alone(bot):
                    await speaker.speak(phrase)
    assert asked > 0
    assert len(vendor.asked) == asked
    assert {report["result"] for report in reports} == {"hit"}


@pytest.mark.integration
async def test_what_is_in_the_cache_is_not_asked_for_again_and_a_voice_that_fails_stops_no_other(
    redis: Redis, redis_url: str
):
    audio = OpenAIAudio()
    async with Cartesia(faults=Faults("unauthorized")).serving() as cartesia, audio.serving() as openai:
        bot = settings(cartesia, openai)
        for _ in range(2):
            await warm(bot, redis_url=redis_url)
    assert len(audio.asked) == len(spoken_alone(bot) | in_answers(bot.words))
