"""How a process of this package lives: settings on stdin, `ready` on stdout, until SIGTERM or the end of stdin."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import TypeVar

from loguru import logger
from pydantic import BaseModel, ValidationError

from knowledge.database import Database
from knowledge.errors import KnowledgeError, KnowledgeUnavailableError

RETRY_SECS = 1.0

Settings = TypeVar("Settings", bound=BaseModel)


def run_child(serve: Callable[[Settings], Awaitable[None]], settings_type: type[Settings]) -> None:
    """Run until told to end; where that cannot go on, end with a sentence on stderr and exit code 1."""
    try:
        asyncio.run(_run(serve, settings_type))
    except* ValidationError:
        sys.exit(f"The first line of stdin must be a JSON object with {', '.join(settings_type.model_fields)}.")
    except* KnowledgeError as errors:
        sys.exit("\n".join(str(error) for error in _leaves(errors)))


async def migrated(database: Database) -> None:
    """Create the schema, as soon as the database is there; raises SchemaError."""
    while True:
        try:
            return await database.migrate()
        except KnowledgeUnavailableError:
            logger.warning("The knowledge database is not there; trying again every {} s", RETRY_SECS)
            await asyncio.sleep(RETRY_SECS)


async def _run(serve: Callable[[Settings], Awaitable[None]], settings_type: type[Settings]) -> None:
    loop = asyncio.get_running_loop()
    stdin = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    settings = settings_type.model_validate_json(await stdin.readline())
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)
    serving = asyncio.ensure_future(serve(settings))
    endings = [asyncio.create_task(terminated.wait()), asyncio.create_task(stdin.read())]
    await asyncio.wait([serving, *endings], return_when=asyncio.FIRST_COMPLETED)
    for task in (*endings, serving):
        task.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        logger.info("The process ends as it was told to")


def _leaves(errors: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    leaves: list[BaseException] = []
    for error in errors.exceptions:
        leaves += _leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
    return leaves
