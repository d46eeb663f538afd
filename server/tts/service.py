"""Speech by the desk, or from the cache."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from bot.desk.client import DeskClient, SpeechNote
from bot.desk.requests import SynthesisRequest
from bot.takes import MAX_BYTES
from server.desk import with_problems
from server.tts.cache import SpeechCache


@dataclass(frozen=True, slots=True)
class Take:
    """Speech as it comes, and whether it was made before; the parts raise `Problem`."""

    hit: bool
    parts: AsyncGenerator[bytes]


async def take(request: SynthesisRequest, *, desk: DeskClient, cache: SpeechCache) -> Take:
    """The speech of a request; what is made in the usual voice is kept once it is whole."""
    key = cache.key(request)
    found = await cache.find(key)
    if found is not None:
        return Take(True, _kept(found))
    return Take(False, _made(request, key, desk=desk, cache=cache))


async def _kept(found: bytes) -> AsyncGenerator[bytes]:
    yield found


async def _made(request: SynthesisRequest, key: str, *, desk: DeskClient, cache: SpeechCache) -> AsyncGenerator[bytes]:
    made, note = bytearray(), SpeechNote()
    async with aclosing(with_problems(desk.synthesize(request.model_dump(), note=note))) as parts:
        async for part in parts:
            if len(made) <= MAX_BYTES:
                made += part
            yield part
    if note.is_usual:
        await cache.keep(key, bytes(made))
