"""Log lines, to stderr: readable ones, or one JSON object a line. No level lets a word of a call through."""

import json
import logging
import sys
from datetime import UTC
from typing import TYPE_CHECKING, Annotated, Any, Literal

from loguru import logger
from pydantic import BaseModel, BeforeValidator, ConfigDict

if TYPE_CHECKING:
    from loguru import Message, Record

Level = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"], BeforeValidator(lambda v: v.upper() if isinstance(v, str) else v)
]
LogFormat = Literal["text", "json"]

OURS = ("server", "evals", "bot", "processors", "knowledge", "__main__")
# What a library says below a warning may be what was said in a call. OpenTelemetry repeats what a collector answers,
# Pipecat's services what they could not speak and what a vendor sent; each of their errors is a frame that we report.
# Pipecat's evals repeat a message that they can't read.
# Pipecat's WebRTC warns of the video that no call has, and of the track that ends with each call.
LIBRARIES = {
    "": "WARNING",
    "opentelemetry": "CRITICAL",
    "pipecat.evals": "CRITICAL",
    "pipecat.services": "CRITICAL",
    "pipecat.transports.smallwebrtc": "ERROR",
}


_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogSettings(BaseModel):
    """How a process logs; `process` names it in each line."""

    model_config = ConfigDict(frozen=True)

    level: Level = "INFO"
    format: LogFormat = "text"
    process: str = "server"


def configure(settings: LogSettings) -> None:
    """Sends this process' log lines, and those of its libraries, to stderr."""
    write = json_line if settings.format == "json" else text_line

    def sink(message: "Message") -> None:
        # In one piece: other processes of the program write to the same file.
        sys.stderr.write(write(message.record, process=settings.process) + "\n")
        sys.stderr.flush()

    logger.remove()
    levels: dict[str | None, str | int | bool] = {**LIBRARIES, **dict.fromkeys(OURS, settings.level)}
    # A line below the level is not even made: Pipecat would have a hundred a second.
    logger.add(sink, level=settings.level, format="{message}", filter=levels, diagnose=False, backtrace=False)
    logging.basicConfig(handlers=[_ToLoguru()], level=logging.WARNING, force=True)


def text_line(record: "Record", *, process: str) -> str:
    """The line for people: the server's without its name, as most are."""
    who = "" if process == "server" else f"{process} {record['process'].id} "
    return f"{record['time']:HH:mm:ss.SSS} {record['level'].name: <7} {who}{record['name']}: {_told(record)}"


def json_line(record: "Record", *, process: str) -> str:
    """The line for programs: time, level, process, pid, module, message, and session where it is about one."""
    fields: dict[str, Any] = {
        "time": record["time"].astimezone(UTC).isoformat(timespec="milliseconds"),
        "level": record["level"].name,
        "process": process,
        "pid": record["process"].id,
        "module": record["name"],
        "message": _told(record),
    }
    if session := record["extra"].get("session"):
        fields["session"] = session
    return json.dumps(fields, ensure_ascii=False)


def without_exceptions(text: str, error: BaseException | None) -> str:
    """A library's message: its first line, with the name of the exception's type for what the exception says."""
    if error is not None and (said := str(error)):
        text = text.replace(repr(error), type(error).__name__).replace(said, type(error).__name__)
    return text.partition("\n")[0]


def _told(record: "Record") -> str:
    """The message; a library's without what an exception says that is handled just now."""
    if (record["name"] or "").partition(".")[0] in OURS:
        return record["message"]
    attached = record["exception"]
    return without_exceptions(record["message"], sys.exc_info()[1] if attached is None else attached.value)


class _ToLoguru(logging.Handler):
    """Takes what libraries log by the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        level = record.levelname if record.levelname in _LEVELS else "WARNING"
        error = record.exc_info[1] if record.exc_info else None
        said = without_exceptions(_formatted(record), error)
        # "Exception in ASGI application" alone says nothing.
        if error is not None and type(error).__name__ not in said:
            said = f"{said}: {type(error).__name__}"
        logger.patch(lambda line: line.update(name=record.name)).log(level, "{}", said)


def _formatted(record: logging.LogRecord) -> str:
    """The message with its arguments, an exception among them only by its type."""
    if isinstance(record.msg, BaseException):
        return type(record.msg).__name__
    args = record.args
    if isinstance(args, tuple):
        args = tuple(type(each).__name__ if isinstance(each, BaseException) else each for each in args)
    try:
        return str(record.msg) % args if args else str(record.msg)
    except (TypeError, ValueError):
        return str(record.msg)
