"""Speech that was made before for single requests."""

import hashlib
import json

from redis.asyncio import Redis

from bot.desk.requests import SPEECH_HZ, SynthesisRequest
from bot.takes import SpeechStore


class SpeechCache:
    """Keeps whole takes for a day, at most 1 MB each; a Redis that is slow or gone is done without.

    `voice` says all that the settings say of the voice, without its keys. The text is in no key, only its hash is.
    """

    def __init__(self, *, redis: Redis, voice: str) -> None:
        self._store = SpeechStore(redis)
        self._voice = voice

    def key(self, request: SynthesisRequest) -> str:
        """Where the take of a request is: another for each voice, speed, encoding and exact text."""
        said = json.dumps([self._voice, SPEECH_HZ, request.model_dump()], sort_keys=True)
        return hashlib.sha256(said.encode()).hexdigest()

    async def find(self, key: str) -> bytes | None:
        """The take, where there is one."""
        return await self._store.find(key)

    async def keep(self, key: str, take: bytes) -> None:
        """Keep a take that is whole."""
        await self._store.keep(key, take)
