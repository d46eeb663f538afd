"""Asks every configured provider for real, side by side."""

import asyncio
import importlib
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

from bot.desk.probe import ProbeError, probe
from bot.desk.requests import RATE_HZ
from bot.providers.embedded import EmbeddedTTS
from bot.providers.stages import Stage, members, name_of
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio, SpeechClient
from server.commands.speech import own_speech_socket
from server.settings import Settings
from server.vendors import Listed

LIMIT_SECS = 20.0
SENTENCE = "Hello. What are your opening hours?"
PITCH = 50


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a check: the seconds until the first word or sound, or what went wrong."""

    secs: float | None
    error: str | None


Answers = dict[tuple[Stage, str], Answer]


async def checked(settings: Settings, rows: Sequence[Listed], *, progress: Callable[[Listed], None]) -> Answers:
    """The answer of each configured provider, by stage and name; raises `SetupError` where this host can't speak."""
    configured = [row for row in rows if row.configured]
    async with own_speech_socket() as socket:
        speech = await _sentence(socket)

        async def check(row: Listed) -> Answer:
            answer = await _check(settings, row, socket=socket, speech=speech)
            progress(row)
            return answer

        answers = await asyncio.gather(*(check(row) for row in configured))
    return {(row.stage, row.name): answer for row, answer in zip(configured, answers, strict=True)}


async def _check(settings: Settings, row: Listed, *, socket: Path, speech: bytes) -> Answer:
    provider = next(each for each in members(row.stage) if name_of(each) == row.name)
    bot = BotSettings(retrieval=Retrieval(socket=settings.knowledge_socket), speech_socket=socket)
    alone = bot.model_copy(update={row.stage: (settings.set_up.made(row.stage, provider),)})
    try:
        # An SDK takes seconds to load: not the provider's seconds, and not the others'.
        for name in provider.preload:
            await asyncio.to_thread(importlib.import_module, name)
        return Answer(await probe(row.stage, alone, speech=speech, limit_secs=LIMIT_SECS), None)
    except ImportError:
        return Answer(None, f'it can\'t be loaded; install it: make setup EXTRAS="{row.extra}"')
    except ProbeError as error:
        return Answer(None, str(error))


async def _sentence(socket: Path) -> bytes:
    """Clear speech, at the rate of a recogniser."""
    voice, client = EmbeddedTTS(), SpeechClient(socket)
    manner = {"voice": voice.voice, "words_per_minute": voice.words_per_minute, "pitch": PITCH}
    try:
        async with aclosing(client.synthesize(SENTENCE, **manner, sample_rate=RATE_HZ)) as parts:
            return b"".join([part.pcm async for part in parts if isinstance(part, SpeechAudio)])
    finally:
        await client.aclose()
