"""Keeps the recogniser's words those of the documents."""

import asyncio
import contextlib
import time

import psycopg
from loguru import logger

from bot.speech.client import SpeechClient
from bot.speech.errors import SpeechError
from knowledge.errors import KnowledgeError
from knowledge.sql import queries
from knowledge.store import Store

RETRY_SECS = 5.0
# Learning this many takes some seconds; of more, those of the documents that were indexed last are learned.
MAX_CHARACTERS = 2_000_000
# While documents change one after the other, learning takes at most a tenth of the time.
REST_PER_SEND = 9.0
SETTLE_SECS = 1.0


class Vocabulary:
    """Sends the documents' texts to the speech process at start, when they change, and when that process is new."""

    def __init__(self, *, store: Store, speech: SpeechClient, database_url: str):
        self._store = store
        self._speech = speech
        self._database_url = database_url
        self._tasks: list[asyncio.Task[None]] = []
        self.changed = asyncio.Event()

    async def start(self) -> None:
        """Sends the texts once, then again after each change."""
        await self._send()
        self._tasks = [
            asyncio.create_task(self._listen(), name="vocabulary-listen"),
            asyncio.create_task(self._follow(), name="vocabulary-follow"),
        ]

    async def stop(self) -> None:
        """Ends both tasks."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _listen(self) -> None:
        while True:
            try:
                connection = await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, connect_timeout=5
                )
                async with connection:
                    await connection.execute(queries()["listen_changed"])
                    async for _ in connection.notifies():
                        self.changed.set()
            except (psycopg.Error, OSError) as error:
                logger.warning("not told of changed documents for the moment: {}", type(error).__name__)
            await asyncio.sleep(RETRY_SECS)
            self.changed.set()

    async def _follow(self) -> None:
        while True:
            await self.changed.wait()
            await asyncio.sleep(SETTLE_SECS)
            self.changed.clear()
            started = time.monotonic()
            await self._send()
            await asyncio.sleep(REST_PER_SEND * (time.monotonic() - started))

    async def _send(self) -> None:
        try:
            texts = await self._store.all_texts(max_characters=MAX_CHARACTERS)
            if texts:
                await self._speech.set_vocabulary(texts)
        except (KnowledgeError, SpeechError) as error:
            logger.error("the recogniser keeps its old words: {}", type(error).__name__)
