"""Speech that was made before, in Redis."""

import asyncio
import hashlib
import json

from loguru import logger
from redis.asyncio import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import RedisError

from bot.desk.requests import SPEECH_HZ, SynthesisRequest

KEPT_SECS = 24 * 3600
MAX_BYTES = 1024 * 1024
# Speech is made sooner than a slow Redis answers.
FIND_SECS = 0.05
KEEP_SECS = 0.5
PREFIX = "jarvis:speech:"


class SpeechCache:
    """Keeps whole takes for a day, at most 1 MB each; a Redis that is slow or gone is done without.

    `voice` says all that the settings say of the voice, without its keys. The text is in no key, only its hash is.
    """

    def __init__(self, *, redis: Redis, voice: str) -> None:
        self._redis = redis
        self._voice = voice

    def key(self, request: SynthesisRequest) -> str:
        """Where the take of a request is: another for each voice, speed, encoding and exact text."""
        said = json.dumps([self._voice, SPEECH_HZ, request.model_dump()], sort_keys=True)
        return PREFIX + hashlib.sha256(said.encode()).hexdigest()

    async def find(self, key: str) -> bytes | None:
        """The take, where there is one."""
        try:
            async with asyncio.timeout(FIND_SECS):
                return await self._redis.execute_command("GET", key, **{NEVER_DECODE: True})
        except (RedisError, OSError, TimeoutError) as error:
            logger.debug("cached speech can't be read: {}", type(error).__name__)
            return None

    async def keep(self, key: str, take: bytes) -> None:
        """Keep a take that is whole."""
        if len(take) > MAX_BYTES:
            return
        try:
            async with asyncio.timeout(KEEP_SECS):
                await self._redis.set(key, take, ex=KEPT_SECS)
        except (RedisError, OSError, TimeoutError) as error:
            logger.debug("speech can't be cached: {}", type(error).__name__)
