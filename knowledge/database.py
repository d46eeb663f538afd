"""The connection to a package's tables: every statement by its name, in a transaction that ends in time."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from loguru import logger
from psycopg import sql
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from knowledge.errors import KnowledgeUnavailableError, SchemaError
from knowledge.sql import KNOWLEDGE, migrations, queries

READ_TIMEOUT_SECS = 5.0
RETRY_SECS = 1.0
# Loading every document, writing a large one or making an index takes longer than a look-up.
BULK_TIMEOUT_SECS = 120.0
# At its limit a statement is cancelled on the server. psycopg waits ten seconds for that; a connection that hangs is
# closed sooner.
CANCEL_SECS = 0.5


class Statements:
    """One transaction: runs the named statements of a package's queries.sql."""

    def __init__(self, cursor: psycopg.AsyncCursor[DictRow], package: str) -> None:
        self._cursor = cursor
        self._package = package

    async def run(self, name: str, /, *, vectors: str | None = None, **parameters: Any) -> list[DictRow]:
        """Run one statement and return its rows; `vectors` names the table of vectors that it is about."""
        await self._cursor.execute(self._statement(name, vectors=vectors), parameters)
        return await self._cursor.fetchall() if self._cursor.description else []

    async def migrate(self, name: str) -> None:
        """Run one of the package's migrations."""
        await self._cursor.execute(migrations(self._package)[name])

    async def run_many(self, name: str, rows: Sequence[Mapping[str, Any]], *, vectors: str | None = None) -> None:
        """Run one statement for each row of parameters, in few round trips."""
        await self._cursor.executemany(self._statement(name, vectors=vectors), rows)

    async def insert_many(self, name: str, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Insert each row in few round trips and return the ids that the statement returns."""
        if not rows:
            return []
        await self._cursor.executemany(self._statement(name), rows, returning=True)
        ids: list[int] = []
        while True:
            (row,) = await self._cursor.fetchall()
            ids.append(row["id"])
            if not self._cursor.nextset():
                return ids

    def _statement(self, name: str, *, vectors: str | None = None) -> sql.SQL | sql.Composed:
        statement = sql.SQL(queries(self._package)[name])
        return statement if vectors is None else statement.format(vectors=sql.Identifier(vectors))


class Database:
    """Runs the statements of a package of SQL on a pool whose connections `prepare_connection` set up.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, pool: AsyncConnectionPool[Any], *, package: str = KNOWLEDGE) -> None:
        self._pool = pool
        self._package = package

    async def migrate(self) -> None:
        """Apply those of the package's migrations that were not yet; raises SchemaError when that cannot be done."""
        known = migrations(self._package)
        try:
            async with self._cursor(BULK_TIMEOUT_SECS) as cursor, cursor.connection.transaction():
                ledger = Statements(cursor, KNOWLEDGE)
                await ledger.run("lock_schema")
                await ledger.run("make_migrations")
                applied = {row["name"] for row in await ledger.run("migrations", package=self._package)}
                if unknown := applied - known.keys():
                    raise SchemaError(
                        f"The database was made by a newer version of Jarvis ({min(unknown)}): run that version, or "
                        "give this one an empty database or another data directory."
                    )
                for name in known:
                    if name not in applied:
                        await Statements(cursor, self._package).migrate(name)
                        await ledger.run("add_migration", package=self._package, name=name)
        except psycopg.DatabaseError as error:
            raise SchemaError(
                "The tables cannot be made; the database needs pgvector 0.8 or later, and its user the right to create "
                "extensions, tables and functions."
            ) from error

    async def read(self, name: str, /, *, timeout_secs: float = READ_TIMEOUT_SECS, **parameters: Any) -> list[DictRow]:
        """Run one statement, in one round trip, and return its rows.

        A connection that was lost while it waited is noticed only here; the statement is then run on another, so it
        must be one that can be run twice.
        """
        try:
            return await self._read(name, timeout_secs, parameters)
        except KnowledgeUnavailableError as error:
            if not isinstance(error.__cause__, psycopg.OperationalError):
                raise
        await self._pool.check()
        return await self._read(name, timeout_secs, parameters)

    async def _read(self, name: str, timeout_secs: float, parameters: Mapping[str, Any]) -> list[DictRow]:
        async with self._cursor(timeout_secs) as cursor:
            return await Statements(cursor, self._package).run(name, **parameters)

    @asynccontextmanager
    async def transaction(self, timeout_secs: float = READ_TIMEOUT_SECS) -> AsyncIterator[Statements]:
        """Yield one transaction, committed at the end, rolled back on any error."""
        async with self._cursor(timeout_secs) as cursor, cursor.connection.transaction():
            yield Statements(cursor, self._package)

    @asynccontextmanager
    async def writing(self, timeout_secs: float = BULK_TIMEOUT_SECS) -> AsyncIterator[Statements]:
        """Yield a transaction that changes documents; writers take turns: changes are numbered as they commit."""
        async with self.transaction(timeout_secs) as statements:
            await statements.run("lock_writes")
            yield statements

    @asynccontextmanager
    async def _cursor(self, timeout_secs: float) -> AsyncIterator[psycopg.AsyncCursor[DictRow]]:
        try:
            async with (
                asyncio.timeout(timeout_secs + CANCEL_SECS),
                asyncio.timeout(timeout_secs),
                self._pool.connection() as connection,
                connection.cursor(row_factory=dict_row) as cursor,
            ):
                yield cursor
        except (psycopg.OperationalError, psycopg.errors.UndefinedTable, PoolTimeout, TimeoutError) as error:
            # A table of vectors goes while searches move to another embedding model.
            raise KnowledgeUnavailableError(
                "The database does not answer; check that Postgres runs and that its URL is right."
            ) from error


async def migrated(database: Database) -> None:
    """Apply the migrations, as soon as the database is there; raises SchemaError."""
    while True:
        try:
            return await database.migrate()
        except KnowledgeUnavailableError:
            logger.warning("The database is not there; trying again every {} s", RETRY_SECS)
            await asyncio.sleep(RETRY_SECS)


async def prepare_connection(connection: psycopg.AsyncConnection[Any]) -> None:
    """Set a new connection of a pool up: statements commit by themselves, indexes search on to the limit."""
    await connection.set_autocommit(True)
    await connection.execute(queries()["search_settings"])
