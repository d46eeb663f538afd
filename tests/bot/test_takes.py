"""What voices said before, in a real Redis, and without one."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bot.persona import Persona
from bot.settings import BotSettings, Retrieval
from bot.takes import (
    COMMON_SECS,
    KEPT_SECS,
    MAX_BYTES,
    REST_SECS,
    RedisTakes,
    SpeechStore,
    packed,
    said_in,
    unpacked,
    voice_cache,
)
from processors.takes import Place, Take, Word

SETTINGS = BotSettings(retrieval=Retrieval(socket=Path("/k")), speech_socket=Path("/s"))
TAKE = Take(bytes(range(256)) * 4, (Word("Hello", 0.0), Word("there", 0.5, spaced=True)))
GREETING, SENTENCE = Place("a", common=True), Place("b", common=False)


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    yield redis
    await redis.aclose()


def takes(redis: Redis, call_id: str | None) -> RedisTakes:
    return RedisTakes(SpeechStore(redis), call_id=call_id)


async def keys(redis: Redis) -> Mapping[str, int]:
    """Each key with the seconds for which it is kept."""
    return {key.decode(): await redis.ttl(key) for key in await redis.keys("*")}


@pytest.mark.integration
@pytest.mark.parametrize("place", [GREETING, SENTENCE])
async def test_what_one_call_had_said_another_finds_with_its_words(redis: Redis, place: Place):
    await takes(redis, "one").keep(place, TAKE)
    assert await takes(redis, "two").find(place) == TAKE


@pytest.mark.integration
async def test_what_every_caller_hears_is_kept_for_a_week_and_belongs_to_no_call(redis: Redis):
    await takes(redis, "one").keep(GREETING, TAKE)
    await takes(redis, "one").find(GREETING)
    assert await keys(redis) == {"jarvis:speech:a": pytest.approx(COMMON_SECS, abs=2)}


@pytest.mark.integration
async def test_a_sentence_is_kept_for_a_day_and_named_after_its_calls(redis: Redis):
    await takes(redis, "one").keep(SENTENCE, TAKE)
    await takes(redis, "two").find(SENTENCE)
    day = pytest.approx(KEPT_SECS, abs=2)
    assert await keys(redis) == {"jarvis:speech:b": day, "jarvis:said:one": day, "jarvis:said:two": day}
    assert set(await said_in(redis, ["two"])) == {"jarvis:said:two", "jarvis:speech:b"}


@pytest.mark.integration
async def test_where_no_call_is_named_no_sentence_is_kept_or_found(redis: Redis):
    await takes(redis, None).keep(SENTENCE, TAKE)
    assert await keys(redis) == {}
    await takes(redis, "one").keep(SENTENCE, TAKE)
    assert await takes(redis, None).find(SENTENCE) is None


@pytest.mark.integration
async def test_speech_that_is_too_large_is_not_kept(redis: Redis):
    store = SpeechStore(redis)
    await store.keep("a", bytes(MAX_BYTES + 1))
    assert await store.find("a") is None


@pytest.mark.integration
async def test_a_call_finds_by_its_cache_what_the_settings_name(redis: Redis, redis_url: str):
    async with voice_cache(SETTINGS, redis_url=redis_url, call_id="one", report=lambda _event: None) as cache:
        await cache.takes.keep(SENTENCE, TAKE)
        assert await cache.takes.find(SENTENCE) == TAKE
        assert cache.kind(SETTINGS.persona.first_words(SETTINGS.llm[0].notice), alone=True) == "greeting"


async def test_a_redis_that_is_gone_is_done_without():
    async with voice_cache(
        SETTINGS, redis_url="redis://127.0.0.1:1", call_id="one", report=lambda _event: None
    ) as cache:
        await cache.takes.keep(GREETING, TAKE)
        assert await cache.takes.find(GREETING) is None


async def test_a_redis_that_hangs_holds_up_one_text_and_not_the_next():
    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    redis = Redis(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
    now = [100.0]
    store = SpeechStore(redis, clock=lambda: now[0])
    took = []
    for secs in (100.0, 100.0 + REST_SECS / 2, 100.0 + REST_SECS):
        now[0], began = secs, time.monotonic()
        assert await store.find("a") is None
        took.append(time.monotonic() - began)
    await redis.aclose()
    server.close()
    assert min(took[0], took[2]) > 0.04
    assert took[1] < 0.04


@pytest.mark.parametrize("data", [b"", b"RIFF", packed(TAKE)[:-3], b"\x01"])
def test_bytes_that_are_no_take_are_none(data: bytes):
    assert unpacked(data) is None


async def test_what_every_caller_hears_is_known_by_what_a_voice_is_given_for_it():
    settings = SETTINGS.model_copy(
        update={"persona": Persona(greeting="{name} here, open 24/7."), "pronunciations": (("Jarvis", "Jarviss"),)}
    )
    async with voice_cache(settings, redis_url="redis://127.0.0.1:1", call_id=None, report=lambda _: None) as cache:
        notice = "I'm running without a language model, so I answer in the words of our documents."
        said = f"Jarviss here, open twenty-four seven. {notice} How can I help? "
        assert cache.kind(said, alone=True) == "greeting"
