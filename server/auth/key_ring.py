"""The keys that were shown lately, so that a request costs Postgres nothing."""

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from loguru import logger

from knowledge.errors import KnowledgeUnavailableError
from server.auth.key_store import KeyStore
from server.auth.keys import ApiKey

FRESH_SECS = 5.0
# So long a key that was seen goes on working while Postgres is away.
STALE_SECS = 600.0
LOOK_UP_SECS = 1.0
# Postgres is not asked again for so long after it did not answer.
REST_SECS = 2.0
# Keys that nobody has cost a look-up each; more at once would take the pool from everybody else.
STRANGERS_AT_ONCE = 2
NOTED_SECS = 60.0


class KeysAwayError(Exception):
    """The key was not seen lately, and Postgres does not say whether there is such a key."""


@dataclass(frozen=True, slots=True)
class _Seen:
    key: ApiKey
    at_mono: float


class KeyRing:
    """Looks keys up, at most once in five seconds each, and notes their use, at most once a minute each."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store
        self._seen: dict[str, _Seen] = {}
        self._noted: dict[str, float] = {}
        self._asking: dict[str, asyncio.Task[bool]] = {}
        self._noting: set[asyncio.Task[None]] = set()
        self._strangers = asyncio.Semaphore(STRANGERS_AT_ONCE)
        self._rest_until_mono = 0.0
        self._away = False

    async def find(self, key_id: str, *, now_mono: float) -> ApiKey | None:
        """The key of this id, as it was at most five seconds ago; raises KeysAwayError."""
        seen = self._seen.get(key_id)
        if seen is not None and now_mono - seen.at_mono < FRESH_SECS:
            return seen.key
        if now_mono >= self._rest_until_mono and await self._ask(key_id, now_mono=now_mono):
            return None if (found := self._seen.get(key_id)) is None else found.key
        if seen is not None and now_mono - seen.at_mono < STALE_SECS:
            return seen.key
        raise KeysAwayError

    def forget(self, key_id: str) -> None:
        """Has the key looked up again, whoever asks for it next; what is being looked up does not count any more."""
        self._seen.pop(key_id, None)
        self._asking.pop(key_id, None)

    def used(self, key_id: str, *, now_mono: float) -> None:
        """The key opened something; written down while nobody waits for it."""
        if now_mono - self._noted.get(key_id, -NOTED_SECS) < NOTED_SECS:
            return
        self._noted[key_id] = now_mono
        task = asyncio.create_task(self._note(key_id))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def close(self) -> None:
        """Ends what is being written and looked up."""
        tasks = [*self._noting, *self._asking.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, key_id: str, *, now_mono: float) -> bool:
        """Whether Postgres answered; those who ask for one key at the same time share the answer."""
        task = self._asking.get(key_id)
        if task is None:
            task = self._asking[key_id] = asyncio.create_task(self._look_up(key_id, now_mono=now_mono))
            task.add_done_callback(lambda done: self._asked(key_id, done))
        return await asyncio.shield(task)

    def _asked(self, key_id: str, task: asyncio.Task[bool]) -> None:
        if self._asking.get(key_id) is task:
            del self._asking[key_id]

    async def _look_up(self, key_id: str, *, now_mono: float) -> bool:
        this, asked = asyncio.current_task(), False
        try:
            async with asyncio.timeout(LOOK_UP_SECS), self._lane(key_id):
                asked = True
                found = await self._store.find(key_id, timeout_secs=LOOK_UP_SECS)
        except (KnowledgeUnavailableError, TimeoutError):
            if asked:
                self._rest(now_mono)
            return False
        self._away = False
        if self._asking.get(key_id) is not this:
            return True
        if found is None:
            self._seen.pop(key_id, None)
        else:
            self._seen[key_id] = _Seen(found, now_mono)
        return True

    def _lane(self, key_id: str) -> AbstractAsyncContextManager[None]:
        return nullcontext() if key_id in self._seen else self._strangers

    def _rest(self, now_mono: float) -> None:
        self._rest_until_mono = now_mono + REST_SECS
        if not self._away:
            logger.error("keys can't be looked up: Postgres does not answer; those used lately go on working")
        self._away = True

    async def _note(self, key_id: str) -> None:
        try:
            await self._store.note_used(key_id)
        except KnowledgeUnavailableError:
            logger.info("the use of key {} could not be noted", key_id)
