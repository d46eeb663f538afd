"""Asks every configured provider for real, side by side."""

import asyncio
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from bot.desk.probe import PROBE_SECS, ProbeError, clear_speech, probe
from bot.providers.provider import Provider
from bot.providers.stages import Stage, members, name_of
from bot.settings import BotSettings, Retrieval
from server.commands.speech import own_speech_socket
from server.settings import Settings
from server.vendors import Listed

NOT_LOADED = "its SDK can't be loaded; install it anew (make setup with its EXTRAS)"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a check: the seconds until the first word or sound, or what went wrong."""

    secs: float | None
    error: str | None


Answers = dict[tuple[Stage, str], Answer]


async def checked(settings: Settings, rows: Sequence[Listed], *, progress: Callable[[Listed], None]) -> Answers:
    """The answer of each configured provider, by stage and name; raises `SetupError` where this host can't speak."""
    configured = [row for row in rows if row.configured]
    # An SDK takes seconds to load, and two threads that load at once see half of what they share.
    unloaded = await asyncio.to_thread(_not_loaded, configured)
    engines = {each.engine for each in map(_provider, configured) if each.engine}
    async with own_speech_socket(engines=sorted(engines)) as socket:
        speech = await clear_speech(socket)

        async def check(row: Listed) -> Answer:
            if row in unloaded:
                answer = Answer(None, NOT_LOADED)
            else:
                answer = await _check(settings, row, socket=socket, speech=speech)
            progress(row)
            return answer

        answers = await asyncio.gather(*(check(row) for row in configured))
    return {(row.stage, row.name): answer for row, answer in zip(configured, answers, strict=True)}


async def _check(settings: Settings, row: Listed, *, socket: Path, speech: bytes) -> Answer:
    provider = _provider(row)
    bot = BotSettings(retrieval=Retrieval(socket=settings.knowledge_socket), speech_socket=socket)
    alone = bot.model_copy(update={row.stage: (settings.set_up.made(row.stage, provider),)})
    try:
        return Answer(await probe(row.stage, alone, speech=speech, limit_secs=PROBE_SECS), None)
    except ProbeError as error:
        return Answer(None, str(error))


def _not_loaded(rows: Sequence[Listed]) -> list[Listed]:
    """The providers whose modules can't be imported; blocks."""
    failed = []
    for row in rows:
        try:
            for name in _provider(row).preload:
                importlib.import_module(name)
        except Exception as error:  # whatever a vendor's SDK raises as it is loaded
            logger.debug("{} can't be loaded: {}", row.name, type(error).__name__)
            failed.append(row)
    return failed


def _provider(row: Listed) -> type[Provider]:
    return next(each for each in members(row.stage) if name_of(each) == row.name)
