"""What stands in a log line, and what never does."""

import json
import logging
import sys
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from loguru import logger

from knowledge.logs import LogSettings, configure, without_exceptions

SECRET = "Do you rent tandems?"


@pytest.fixture(autouse=True)
def put_back() -> Iterator[None]:
    """Leaves the next test a logger of its own."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logger.remove()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def fails() -> None:
    raise ValueError(SECRET)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def caught(tell: Callable[[Exception], None]) -> None:
    """Tells of an error as it is handled."""
    try:
        fails()
    except ValueError as error:
        tell(error)


def test_a_line_for_programs_says_when_where_how_grave_and_what(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(format="json", process="bot"))
    logger.patch(lambda record: record.update(name="bot.session")).info("it {}", "rains")
    (line,) = lines(capsys)
    assert datetime.fromisoformat(str(line.pop("time"))).utcoffset() is not None
    assert isinstance(line.pop("pid"), int)
    assert line == {"level": "INFO", "process": "bot", "module": "bot.session", "message": "it rains"}


def test_a_line_is_written_in_one_piece_as_other_processes_write_to_the_same_file(monkeypatch: pytest.MonkeyPatch):
    written: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    configure(LogSettings())
    logger.patch(lambda record: record.update(name="server")).info("it rains")
    assert [piece[-9:] for piece in written] == ["it rains\n"]


def test_a_line_that_is_about_a_call_names_it(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(format="json"))
    ours = logger.patch(lambda record: record.update(name="server"))
    with logger.contextualize(session="6f1c"):
        ours.info("connected")
    ours.bind(session="77aa").info("ended")
    assert [line["session"] for line in lines(capsys)] == ["6f1c", "77aa"]


def test_a_message_of_several_lines_is_one_line_for_programs(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(format="json"))
    logger.patch(lambda record: record.update(name="server")).info("a\nb")
    assert [line["message"] for line in lines(capsys)] == ["a\nb"]


@pytest.mark.parametrize(("process", "said"), [("server", " INFO    server.app: up\n"), ("speech", " INFO    speech ")])
def test_a_line_for_people_names_every_process_but_the_server(
    capsys: pytest.CaptureFixture[str], process: str, said: str
):
    configure(LogSettings(process=process))
    logger.patch(lambda record: record.update(name="server.app")).info("up")
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", 2), ("info", 1), ("WARNING", 0)])
def test_the_level_is_that_of_our_own_lines(capsys: pytest.CaptureFixture[str], level: str, shown: int):
    configure(LogSettings.model_validate({"level": level, "format": "json"}))
    ours = logger.patch(lambda record: record.update(name="knowledge.child"))
    ours.debug("a")
    ours.info("b")
    assert len(lines(capsys)) == shown


@pytest.mark.parametrize(("level", "shown"), [("DEBUG", 1), ("WARNING", 1), ("ERROR", 0)])
def test_a_library_is_heard_from_a_warning_on_unless_that_is_too_much(
    capsys: pytest.CaptureFixture[str], level: str, shown: int
):
    configure(LogSettings.model_validate({"level": level, "format": "json"}))
    logging.getLogger("library").info("it goes on")
    logging.getLogger("library").warning("it goes wrong")
    assert len(lines(capsys)) == shown


def test_a_line_that_nobody_reads_is_not_made():
    made: list[int] = []
    configure(LogSettings(level="INFO"))
    logger.patch(lambda record: made.append(1)).debug("a frame went by")
    assert made == []


def test_no_level_lets_pipecat_tell_what_was_said(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(level="DEBUG"))
    logger.patch(lambda record: record.update(name="pipecat.services.tts_service")).debug(f"Generating TTS [{SECRET}]")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "tell",
    [
        lambda error: logging.getLogger("psycopg.pool").warning("error connecting in %r: %s", "pool", error),
        lambda error: logging.getLogger("uvicorn.error").error(f"failed: {error}"),
        lambda error: logging.getLogger("library").exception("failed"),
        lambda error: logging.getLogger("library").error(error),
        lambda error: logging.getLogger("asyncio").error(f"never retrieved\nfuture: {error!r}"),
        lambda error: logging.getLogger("library").warning("failed: %(error)s", {"error": error}),
    ],
    ids=["argument", "in the message", "traceback", "alone", "second line", "named argument"],
)
@pytest.mark.parametrize("log_format", ["text", "json"])
def test_a_library_that_logs_an_exception_tells_only_its_type(
    capsys: pytest.CaptureFixture[str], tell: Callable[[Exception], None], log_format: str
):
    configure(LogSettings.model_validate({"format": log_format}))
    caught(tell)
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert SECRET not in said


def test_a_traceback_is_in_no_line(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings())
    caught(lambda error: logger.patch(lambda record: record.update(name="pipecat")).exception(f"it failed: {error}"))
    said = capsys.readouterr().err
    assert "it failed: ValueError" in said
    assert len(said.splitlines()) == 1
    assert SECRET not in said


def test_the_type_of_an_exception_that_is_logged_is_told(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings())
    caught(lambda _error: logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n"))
    assert capsys.readouterr().err.endswith("uvicorn.error: Exception in ASGI application: ValueError\n")


def test_a_library_that_logs_through_the_standard_library_is_named(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(format="json"))
    logging.getLogger("uvicorn.error").warning("%s and {} and %d", "braces", 5)
    (line,) = lines(capsys)
    assert (line["module"], line["level"], line["message"]) == ("uvicorn.error", "WARNING", "braces and {} and 5")


def test_a_message_that_does_not_fit_its_arguments_is_told_without_them(capsys: pytest.CaptureFixture[str]):
    configure(LogSettings(format="json"))
    logging.getLogger("library").warning("%d", "five")
    assert [line["message"] for line in lines(capsys)] == ["%d"]


def test_what_an_exception_says_is_found_in_its_own_words_and_as_it_is_shown():
    error = ValueError("no such host 'db'")
    assert without_exceptions(f"a: {error}; b: {error!r}", error) == "a: ValueError; b: ValueError"


@pytest.mark.parametrize(
    ("name", "is_told"),
    [("pipecat.services.tts_service", False), ("pipecat.evals.serializer", False), ("pipecat.pipeline.worker", True)],
)
def test_pipecats_services_may_warn_of_what_was_said_and_are_not_heard(
    capsys: pytest.CaptureFixture[str], name: str, is_told: bool
):
    configure(LogSettings(format="json"))
    logger.patch(lambda record: record.update(name=name)).warning("not speaking [{}]", SECRET)
    assert bool(lines(capsys)) == is_told
