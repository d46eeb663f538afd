"""What a suite leaves behind: results.jsonl, a run a line, and JUnit's XML."""

import json
import os
import re
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from io import FileIO
from pathlib import Path
from typing import Any, Literal

from evals.bench.machine import machine
from evals.program import ROOT
from evals.report.reliability import reliability
from evals.scenarios.checks import Failure
from evals.scenarios.errors import Complaint, SuiteError
from evals.scenarios.keys import Tier
from evals.scenarios.observed import ObservedTurn

RESULTS, JUNIT = "results.jsonl", "junit.xml"
GIT_SECS = 5.0
Status = Literal["passed", "failed", "pending", "invalid", "error"]
# What XML can't hold.
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Results:
    """A folder of results. Each line is on the disk before the next run begins."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.records: list[Mapping[str, Any]] = []
        self.trouble: SuiteError | None = None

    def begin(self, header: Mapping[str, Any]) -> None:
        """Makes the folder, and a file with this header in it; raises `SuiteError` where there are results already."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / RESULTS).open("xb", buffering=0) as file:
                _write(file, {"x_header": header})
        except FileExistsError:
            raise SuiteError(f"{self.folder} holds results already. Name another folder: --out") from None
        except OSError as error:
            raise SuiteError(f"{self.folder} can't be written ({error.strerror}). Name another: --out") from None

    def add(self, record: Mapping[str, Any]) -> None:
        """Keeps a run. Where the disk takes no more, `trouble` says so and the suite goes on."""
        self.records.append(record)
        try:
            with (self.folder / RESULTS).open("ab", buffering=0) as file:
                _write(file, record)
        except OSError as error:
            self.trouble = SuiteError(f"{self.folder / RESULTS} can't be written ({error.strerror}): it lacks runs.")

    def end(self) -> None:
        """Writes what the runs came to, and JUnit's file over them."""
        try:
            with (self.folder / RESULTS).open("ab", buffering=0) as file:
                _write(file, reliability(self.records))
        except OSError as error:
            self.trouble = self.trouble or SuiteError(
                f"{self.folder / RESULTS} can't be written ({error.strerror}): it lacks its summary."
            )
        file = self.folder / JUNIT
        try:
            file.write_bytes(junit(self.records))
        except OSError as error:
            self.trouble = self.trouble or SuiteError(f"{file} can't be written ({error.strerror}).")
            with suppress(OSError):
                file.unlink(missing_ok=True)


def _write(file: FileIO, line: Mapping[str, Any]) -> None:
    """Puts a whole line at the end, or none."""
    left = (json.dumps(line, ensure_ascii=False, default=str) + "\n").encode(errors="replace")
    end = file.seek(0, os.SEEK_END)
    try:
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())
    except OSError:
        # A disk that is full takes a part; the next line must not go on behind it.
        with suppress(OSError):
            file.truncate(end)
        raise


def header(*, providers: Sequence[str], repeat: int, tiers: Sequence[Tier]) -> dict[str, Any]:
    """What was run, where and when; `git` is the short commit of a checkout, else None."""
    return {
        "version": 1,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine().to_json(),
        "providers": "-".join(sorted({*providers})) or None,
        "jarvis": version("jarvis"),
        "git": _commit(),
        "repeat": repeat,
        "tiers": list(tiers),
    }


def _commit() -> str | None:
    try:
        done = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607
            cwd=ROOT, capture_output=True, text=True, timeout=GIT_SECS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def named(file: Path) -> str:
    """A file by its place from here, where it is below; a place of one machine says little on another."""
    here = Path.cwd()
    return str(file.resolve().relative_to(here)) if file.resolve().is_relative_to(here) else str(file)


def failed(failure: Failure) -> dict[str, Any]:
    """A failure as a line of results has it."""
    where = failure.place
    return {
        "turn": failure.turn,
        "check": failure.check,
        "reason": failure.reason,
        "file": named(where.file),
        "line": where.line,
    }


def complained(complaint: Complaint) -> dict[str, Any]:
    """What keeps a scenario from being held, likewise."""
    return failed(Failure(None, "lint", complaint.text, complaint.place))


def shown(turn: ObservedTurn) -> dict[str, Any]:
    """A turn as a line of results has it."""
    kept = {name: value for name, value in asdict(turn).items() if name not in ("passages", "cited", "tone_hz")}
    return kept | {
        "sources": list(dict.fromkeys(each.title for each in turn.cited)),
        "passages": list(dict.fromkeys(each.title for each in turn.passages or ())),
    }


def junit(records: Sequence[Mapping[str, Any]]) -> bytes:
    """JUnit's XML: a suite a tier, a case a run; pending is skipped, and what could not be held is an error."""
    root = ET.Element("testsuites", name="jarvis eval")
    for tier in dict.fromkeys(each["x_tier"] for each in records):
        cases = [each for each in records if each["x_tier"] == tier]
        counts = {status: sum(each["x_status"] == status for each in cases) for status in ("failed", "pending")}
        # What was held again is no error of the suite's.
        replaced = sum(each.get("x_replaced", False) for each in cases)
        errors = sum(each["x_status"] in ("invalid", "error") for each in cases) - replaced
        secs = sum(each["duration_ms"] for each in cases) / 1000
        suite = ET.SubElement(
            root, "testsuite", name=f"jarvis.{tier}", tests=str(len(cases)), failures=str(counts["failed"]),
            skipped=str(counts["pending"] + replaced), errors=str(errors), time=f"{secs:.3f}",
        )  # fmt: skip
        for each in cases:
            _case(suite, each)
    ET.indent(root)
    return ET.tostring(root, encoding="utf-8", xml_declaration=True)


def _case(suite: ET.Element, record: Mapping[str, Any]) -> None:
    file, _, name = record["scenario_name"].rpartition("/")
    more = f" ({record['x_run']})" if record["x_run"] > 1 else ""
    case = ET.SubElement(
        suite, "testcase", classname=f"jarvis.{record['x_tier']}.{file or name}", name=f"{name}{more}",
        file=record["x_file"], time=f"{record['duration_ms'] / 1000:.3f}",
    )  # fmt: skip
    lines = [f"{each['file']}:{each['line']}: {each['check']}: {each['reason']}" for each in record["x_failures"]]
    text = _NO_XML.sub("�", "\n".join(lines))
    match record["x_status"]:
        case "failed":
            ET.SubElement(case, "failure", message=text.partition("\n")[0]).text = text
        case "pending":
            ET.SubElement(case, "skipped", message=_NO_XML.sub("�", str(record["skipped"])))
        case "invalid" if record.get("x_replaced"):
            ET.SubElement(case, "skipped", message=f"held again: {text.partition(chr(10))[0]}")
        case "invalid" | "error" as status:
            ET.SubElement(case, "error", type=status, message=text.partition("\n")[0]).text = text
