"""One line an event, to stderr; no words of a call are in it."""

import logging
import sys

from loguru import logger


class _ToLoguru(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(depth=6).log(record.levelname, record.getMessage())


def configure(level: str) -> None:
    """Sends Jarvis', Pipecat's and the libraries' log lines to stderr."""
    logger.remove()
    logger.add(sys.stderr, level=level.upper(), format="{time:HH:mm:ss.SSS} {level: <7} {name}: {message}")
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)
