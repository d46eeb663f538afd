"""Keeps the indexes of words in line with the database."""

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loguru import logger

from knowledge.database import Database
from knowledge.lexical import FORMAT, IndexState, LexicalWriter, read_state
from knowledge.store import Store

BATCH_DOCUMENTS = 200


class LexicalSync:
    """Writes what changed in the database into the indexes below a folder; one process at a time holds `lock`."""

    def __init__(self, *, database: Database, folder: Path) -> None:
        self._database = database
        self._store = Store(database)
        self._folder = folder
        self._writer = LexicalWriter(folder)

    @contextmanager
    def lock(self) -> Iterator[bool]:
        """Yield whether the folder is ours until the end of the block."""
        self._folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(descriptor)

    async def catch_up(self) -> set[str]:
        """Write all changes there are, and return the collections that they were in."""
        database_id = await self._store.database_id()
        state = await asyncio.to_thread(read_state, self._folder)
        if state is None or (state.format, state.database) != (FORMAT, database_id):
            await asyncio.to_thread(self._writer.clear)
            state = IndexState(FORMAT, database_id, 0)
        touched: set[str] = set()
        while changed := await self._store.changes(after=state.change, limit=BATCH_DOCUMENTS):
            windows = await self._store.windows_of([document.id for document in changed if document.live])
            state = IndexState(FORMAT, database_id, changed[-1].change)
            await asyncio.to_thread(self._writer.apply, changed, windows, state=state)
            collections = {document.collection for document in changed}
            for collection in collections:
                await self._database.read("notify_searchable", collection=collection)
            touched |= collections
            logger.debug("The index of words took {} documents in", len(changed))
        return touched
