"""Stops the embedded databases that nobody uses any more: `python -m server.embedded.leave DATA_DIR`.

For whoever is left when a server was killed; a program that uses them keeps them, and one that starts meanwhile waits.
"""

import asyncio
import sys
from pathlib import Path

from loguru import logger

from server.embedded.errors import EmbeddedServiceError
from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis


def leave_command(data_dir: Path) -> tuple[str, ...]:
    """What to run."""
    return (sys.executable, "-m", "server.embedded.leave", str(data_dir.resolve()))


async def leave(data_dir: Path) -> None:
    """Stop each of them that has no user."""
    for service in (EmbeddedPostgres(data_dir), EmbeddedRedis(data_dir)):
        try:
            await service.stop_unused()
        except EmbeddedServiceError as error:
            logger.error("The embedded {} could not be stopped: {}", service.name, type(error).__name__)


if __name__ == "__main__":
    asyncio.run(leave(Path(sys.argv[1])))
