"""The results of scenarios, as `jarvis eval run` leaves them in results.jsonl: a header, a line a run, a summary."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.report.errors import ReportError

RESULTS = "results.jsonl"
NAMED_FIELDS = 3

Status = Literal["passed", "failed", "pending", "invalid", "error"]
# A name of a path through Jarvis, or of vendors; more may come.
Word = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=40)]
DAY_MS = 86_400_000
Moment = Annotated[float, Field(ge=-DAY_MS, le=DAY_MS)]


class _Line(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False, frozen=True)


class Machine(_Line):
    """The host that the scenarios ran on; None where it could not be read."""

    cpu: str | None = None
    cores: int | None = None
    memory_gb: float | None = None
    python: str | None = None


class Agreement(_Line):
    """How far who judged agrees with labelled replies: shares of 1, `kappa` is Cohen's; None where there is none."""

    name: str
    accuracy: float | None = None
    kappa: float | None = None
    right_right: int = 0
    right_wrong: int = 0
    wrong_right: int = 0
    wrong_wrong: int = 0
    unanswered: int = 0


class Header(_Line):
    """What was run, when and where. `created` is ISO 8601, `jarvis` a version, `git` a short commit."""

    version: int = 1
    created: str | None = None
    machine: Machine = Machine()
    providers: Word | None = None
    jarvis: str | None = None
    git: str | None = None
    repeat: int = 1
    tiers: tuple[str, ...] = ()
    judge: tuple[Agreement, ...] = ()


class HeaderLine(_Line):
    """The first line."""

    header: Header = Field(alias="x_header")


class Failure(_Line):
    """What did not hold. `turn` counts from 0, None for the whole call; `file` and `line` say where it was asked."""

    turn: int | None = None
    check: str
    reason: str
    file: str | None = None
    line: int | None = None


class TurnResult(_Line):
    """One turn as it was observed; None where nothing was measured."""

    user: str | None = None
    heard: str | None = None
    said: str | None = None
    sources: tuple[str, ...] = ()
    passages: tuple[str, ...] = ()
    v2v_ms: float | None = None
    yield_ms: float | None = None
    longest_gap_ms: float | None = None


class Span(_Line):
    """What went on in a lane, in milliseconds of the call; `to_ms` is None for a moment."""

    lane: Word
    from_ms: Moment
    to_ms: Moment | None = None
    label: str = ""


class RunResult(_Line):
    """One run of one scenario: the keys of Pipecat's own that are shown, and Jarvis' beside them.

    `run` counts the repeats from 1. `audio` is a WAV beside the results, the caller left and the bot right.
    """

    scenario_name: str
    duration_ms: float = 0.0
    debug_log: tuple[str, ...] = ()
    skipped: str | None = None
    tier: Word = Field(alias="x_tier")
    run: int = Field(alias="x_run", default=1)
    status: Status = Field(alias="x_status")
    providers: Word = Field(alias="x_providers")
    file: str = Field(alias="x_file", default="")
    session: str | None = Field(alias="x_session", default=None)
    failures: tuple[Failure, ...] = Field(alias="x_failures", default=())
    turns: tuple[TurnResult, ...] = Field(alias="x_turns", default=())
    timeline: tuple[Span, ...] = Field(alias="x_timeline", default=())
    audio: str | None = Field(alias="x_audio", default=None)

    @property
    def counts(self) -> bool:
        """Whether it says anything about Jarvis: a pending or invalid one does not."""
        return self.status not in ("pending", "invalid")

    @property
    def passed(self) -> bool:
        """Whether everything held; a run that broke down did not pass."""
        return self.status == "passed"


@dataclass(frozen=True)
class Results:
    """What a results.jsonl holds. `complaints` are sentences about what of it could not be used, by file and line."""

    path: Path
    header: Header | None
    runs: tuple[RunResult, ...]
    complaints: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where the recordings lie."""
        return self.path.parent


def read_results(path: Path) -> Results:
    """Read a results.jsonl, or the one in a folder; what can't be used of it becomes a complaint.

    Raises ReportError when there is no such file, or no run in it.
    """
    path = path / RESULTS if path.is_dir() else path
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ReportError(f"{path} cannot be read ({error.strerror}). `jarvis eval run` writes one.") from error
    lines = list(_parsed(path, raw))
    headers = [line for line in lines if isinstance(line, Header)]
    runs = tuple(line for line in lines if isinstance(line, RunResult))
    complaints = [line for line in lines if isinstance(line, str)]
    if not headers:
        complaints.append(f"{path} has no header: where and when it was run is not known.")
    elif any(header.providers != headers[0].providers or header.git != headers[0].git for header in headers[1:]):
        complaints.append(f"{path} has several headers that differ; the first is shown.")
    if not runs:
        raise ReportError(" ".join([f"{path} has no run in it.", *complaints]))
    return Results(path=path, header=headers[0] if headers else None, runs=runs, complaints=tuple(complaints))


def _parsed(path: Path, raw: bytes) -> Iterator[Header | RunResult | str]:
    *whole, rest = raw.split(b"\n")
    for number, line in enumerate([*whole, rest], start=1):
        if not line.strip() or line.startswith(b'{"x_summary"'):
            continue
        try:
            if number == 1 or line.startswith(b'{"x_header"'):
                yield HeaderLine.model_validate_json(line).header
            else:
                yield RunResult.model_validate_json(line)
        except ValidationError as error:
            if number == 1 and (run := _headless(line)):
                yield run
            elif number > len(whole):
                yield f"{path}:{number} was cut off; the lines before it are used."
            else:
                yield f"{path}:{number} is left out: {_wrong(error)}."


def _headless(line: bytes) -> RunResult | None:
    """The run in a first line that is no header."""
    try:
        return RunResult.model_validate_json(line)
    except ValidationError:
        return None


def _wrong(error: ValidationError) -> str:
    """What is wrong with a line, in a few words and without its contents."""
    errors = error.errors(include_input=False, include_url=False, include_context=False)
    if errors[0]["type"] == "json_invalid":
        return "it is no JSON"
    named = [".".join(map(str, each["loc"])) or "the line" for each in errors[:NAMED_FIELDS]]
    more = f" and {len(errors) - NAMED_FIELDS} more" if len(errors) > NAMED_FIELDS else ""
    return f"it is no run of a scenario, check {', '.join(named)}{more}"
