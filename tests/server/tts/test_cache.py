"""Speech that was made before."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from bot.desk.requests import SynthesisRequest
from bot.takes import KEPT_SECS, MAX_BYTES, PREFIX
from server.tts.cache import SpeechCache

HELLO = SynthesisRequest(text="Hello there.")
TAKE = bytes(range(256)) * 4


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """As the server opens it."""
    redis = Redis.from_url(redis_url, decode_responses=True)
    await redis.flushall()
    yield redis
    await redis.aclose()


@pytest.fixture
def cache(redis: Redis) -> SpeechCache:
    return SpeechCache(redis=redis, voice="a voice")


@pytest.mark.integration
async def test_a_take_is_found_again_byte_by_byte(cache: SpeechCache):
    await cache.keep(cache.key(HELLO), TAKE)
    assert await cache.find(cache.key(HELLO)) == TAKE


@pytest.mark.integration
async def test_a_take_is_kept_for_a_day(cache: SpeechCache, redis: Redis):
    await cache.keep(cache.key(HELLO), TAKE)
    assert 0 < await redis.ttl(PREFIX + cache.key(HELLO)) <= KEPT_SECS


@pytest.mark.integration
async def test_what_is_too_large_is_not_kept(cache: SpeechCache):
    await cache.keep(cache.key(HELLO), bytes(MAX_BYTES + 1))
    assert await cache.find(cache.key(HELLO)) is None


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Hello there"},
        {"text": "hello there."},
        {"text": "Hello there. "},
        {"voice": "en-us+m3"},
        {"speed": 1.1},
        {"encoding": "mp3"},
    ],
)
def test_each_text_voice_speed_and_encoding_has_a_key_of_its_own(other: dict):
    cache = SpeechCache(redis=Redis(), voice="a voice")
    assert cache.key(HELLO.model_copy(update=other)) != cache.key(HELLO)


def test_another_voice_in_the_settings_has_other_keys():
    assert SpeechCache(redis=Redis(), voice="x").key(HELLO) != SpeechCache(redis=Redis(), voice="y").key(HELLO)


def test_no_word_of_the_text_is_in_the_key():
    key = SpeechCache(redis=Redis(), voice="a voice").key(HELLO)
    assert "Hello" not in key
    assert len(key) < 100


async def test_a_redis_that_is_gone_is_done_without():
    cache = SpeechCache(redis=Redis.from_url("redis://127.0.0.1:1"), voice="a voice")
    await cache.keep("k", TAKE)
    assert await cache.find("k") is None


async def test_a_redis_that_hangs_is_not_waited_for():
    async def hang(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(30)
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    redis = Redis(host="127.0.0.1", port=port)
    began = time.monotonic()
    assert await SpeechCache(redis=redis, voice="a voice").find("k") is None
    assert time.monotonic() - began < 1.0
    await redis.aclose()
    server.close()
