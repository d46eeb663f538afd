"""What voices said before, in Redis, where all calls find it; the one place that knows how it stands there.

Speech that every caller hears, such as the greeting, is kept for a week. Any other sentence of a call may hold what its
caller said: it is kept for a day, and the call has a set of all that it had said, so that whoever erases a call erases
that, too (`said_in`). No text is in Redis, only hashes are.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgpack
from loguru import logger
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from bot.phrases import in_answers, spoken_alone
from bot.reading.aloud import Aloud
from bot.reports import Report
from bot.settings import BotSettings
from processors.takes import Kind, Place, Take, VoiceCache, Word

PREFIX = "jarvis:speech:"
SAID_PREFIX = "jarvis:said:"
KEPT_SECS = 24 * 3600
COMMON_SECS = 7 * 24 * 3600
# 20 s of speech at 24 kHz.
MAX_BYTES = 1024 * 1024
# As long as a vendor's first sound takes: a Redis that answers later is no gain.
FIND_SECS = 0.15
KEEP_SECS = 0.5
# A Redis that did not answer is left alone for so long, so that it doesn't hold up each sentence.
REST_SECS = 2.0


class SpeechStore:
    """Speech by the hash of what it is, at most 1 MB each; a Redis that is slow or gone is done without."""

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock
        self._rests_until = 0.0

    async def find(self, digest: str, *, call_id: str | None = None) -> bytes | None:
        """The speech, where there is some; notes that this call had it said."""
        if self._clock() < self._rests_until:
            return None
        pipe = self._redis.pipeline(transaction=False)
        pipe.execute_command("GET", PREFIX + digest, **{NEVER_DECODE: True})
        self._note(pipe, digest, call_id)
        return (await self._answered(pipe, within_secs=FIND_SECS) or [None])[0]

    async def keep(self, digest: str, speech: bytes, *, common: bool = False, call_id: str | None = None) -> None:
        """Keep speech that is whole; `common` is what every caller hears."""
        if len(speech) > MAX_BYTES or self._clock() < self._rests_until:
            return
        pipe = self._redis.pipeline(transaction=False)
        pipe.set(PREFIX + digest, speech, ex=COMMON_SECS if common else KEPT_SECS)
        self._note(pipe, digest, call_id)
        await self._answered(pipe, within_secs=KEEP_SECS)

    async def connect(self) -> None:
        """Have a connection ready for the first speech that is looked for."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.ping()
        await self._answered(pipe, within_secs=KEEP_SECS)

    def _note(self, pipe: Any, digest: str, call_id: str | None) -> None:
        if call_id is not None:
            pipe.sadd(SAID_PREFIX + call_id, digest)
            pipe.expire(SAID_PREFIX + call_id, KEPT_SECS)

    async def _answered(self, pipe: Any, *, within_secs: float) -> list[Any] | None:
        try:
            async with asyncio.timeout(within_secs):
                return await pipe.execute()
        except (RedisError, OSError, TimeoutError) as error:
            self._rests_until = self._clock() + REST_SECS
            logger.debug("the cache of speech does not answer: {}", type(error).__name__)
            return None


async def said_in(redis: Redis, call_ids: Sequence[str]) -> list[str]:
    """The keys of all that these calls had said, and of the sets that tell so."""
    sets = [SAID_PREFIX + each for each in call_ids]
    digests: Any = await redis.sunion(sets)  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
    names = (each.decode() if isinstance(each, bytes) else each for each in digests)
    return [*sets, *(PREFIX + name for name in names)]


class RedisTakes:
    """A `TakeStore`; `call_id` is the call whose sentences it keeps, None where it keeps what is common alone."""

    def __init__(self, store: SpeechStore, *, call_id: str | None) -> None:
        self._store = store
        self._call_id = call_id

    async def find(self, place: Place) -> Take | None:
        """The take, where there is one."""
        if not self._takes(place):
            return None
        found = await self._store.find(place.digest, call_id=self._noted(place))
        return None if found is None else unpacked(found)

    async def keep(self, place: Place, take: Take) -> None:
        """Keep it for the calls to come."""
        if self._takes(place):
            await self._store.keep(place.digest, packed(take), common=place.common, call_id=self._noted(place))

    def _takes(self, place: Place) -> bool:
        return place.common or self._call_id is not None

    def _noted(self, place: Place) -> str | None:
        return None if place.common else self._call_id


@asynccontextmanager
async def voice_cache(
    settings: BotSettings, *, redis_url: str, call_id: str | None, report: Report
) -> AsyncIterator[VoiceCache]:
    """A cache for one call, or for none; a Redis that is away is no error."""
    redis = Redis.from_url(
        redis_url,
        socket_timeout=KEEP_SECS,
        socket_connect_timeout=KEEP_SECS,
        retry=Retry(NoBackoff(), 0),
    )
    store = SpeechStore(redis)
    connecting = asyncio.create_task(store.connect(), name="connect-speech-cache")
    try:
        takes = RedisTakes(store, call_id=call_id)
        aloud, phrases = Aloud(settings.pronunciations), in_answers(settings.words) | spoken_alone(settings)
        said: dict[str, Kind] = {each: kind for text, kind in phrases.items() for each in aloud.in_any(text)}
        yield VoiceCache(takes=takes, phrases=said, report=report)
    finally:
        await asyncio.wait({connecting})
        await redis.aclose()


def packed(take: Take) -> bytes:
    """The take as Redis has it."""
    words = [(word.text, word.secs, word.spaced) for word in take.words]
    return msgpack.Packer().pack((take.pcm, words))


def unpacked(data: bytes) -> Take | None:
    """The take; None where these bytes are something else."""
    try:
        pcm, words = msgpack.unpackb(data)
        return Take(pcm, tuple(Word(text, secs, spaced) for text, secs, spaced in words))
    except (ValueError, TypeError, msgpack.UnpackException):
        return None
