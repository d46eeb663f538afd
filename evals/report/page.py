"""One page that shows what scenarios came to: a table, and each run with its timeline to see and to listen to."""

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from evals.report.errors import ReportError
from evals.report.results import Results, RunResult
from evals.report.sound import Sound, as_flac, read_sound
from evals.report.summary import MEASURES, ScenarioSummary, by_leg, summaries
from evals.report.timeline import PEAKS_PER_SEC, Chart, describe, draw

TEMPLATES = Path(__file__).parent / "templates"
# A recording larger than this stays beside the page; so does what no longer fits into what the page may carry in all.
EMBEDDED_BYTES = 2_000_000
EMBEDDED_BYTES_IN_ALL = 24_000_000
SYMBOLS = {"passed": "✓", "failed": "✗", "error": "!", "invalid": "?", "pending": "…", "mixed": "±"}
PROVIDERS = {
    "doubles": "Vendors were simulated by doubles on this host. A pass says nothing about a real vendor.",
    "embedded": "Speech and language were the parts embedded in Jarvis; no vendor was asked.",
    "live": "Vendors were asked for real, over the network.",
}


@dataclass(frozen=True)
class RunView:
    """A run as the page shows it. `audio` is where the recording is: in the page, beside it, or nowhere (None)."""

    anchor: str
    result: RunResult
    chart: Chart | None
    audio: str | None
    complaint: str | None


@dataclass(frozen=True)
class ScenarioView:
    """A scenario in a tier with its runs."""

    anchor: str
    summary: ScenarioSummary
    runs: tuple[RunView, ...]


def write_page(results: Results, out: Path) -> list[str]:
    """Write the page, whole or not at all, and return what of the results could not be shown, as sentences.

    Raises ReportError when it can't be written.
    """
    scenarios = _views(results, out.parent)
    complaints = [*results.complaints, *(run.complaint for each in scenarios for run in each.runs if run.complaint)]
    page = _page(results, scenarios, complaints)
    part = out.with_name(f"{out.name}.part")
    try:
        part.write_text(page, encoding="utf-8")
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise ReportError(f"{out} cannot be written ({error.strerror}).") from error
    return complaints


def _page(results: Results, scenarios: Sequence[ScenarioView], complaints: Sequence[str]) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"share": _share, "ms": _ms, "span": describe}
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return environment.get_template("report.html.jinja").render(
        header=results.header,
        legs=by_leg([each.summary for each in scenarios]),
        scenarios=scenarios,
        repeats=max((len(each.summary.counted) for each in scenarios), default=0),
        complaints=complaints,
        symbols=SYMBOLS,
        measures=MEASURES,
        providers={run.providers: PROVIDERS.get(run.providers, "") for run in results.runs},
        first_bad=next((run.anchor for each in scenarios for run in each.runs if _is_bad(run.result)), None),
        style=style,
        script=script,
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _views(results: Results, page_folder: Path) -> list[ScenarioView]:
    found = summaries(results.runs)
    # What went wrong is listened to first, so it comes into the page first.
    order = sorted((run for each in found for run in each.runs), key=lambda run: not _is_bad(run))
    left = EMBEDDED_BYTES_IN_ALL
    views: dict[int, RunView] = {}
    anchors = {id(run): f"run-{number}" for number, run in enumerate((r for each in found for r in each.runs), start=1)}
    for run in order:
        views[id(run)], used = _run(run, results, page_folder, anchor=anchors[id(run)], left=left)
        left -= used
    return [
        ScenarioView(f"scenario-{number}", each, tuple(views[id(run)] for run in each.runs))
        for number, each in enumerate(found, start=1)
    ]


def _run(run: RunResult, results: Results, page_folder: Path, *, anchor: str, left: int) -> tuple[RunView, int]:
    """A run, and how many bytes its recording takes in the page."""
    sound, audio, complaint, used = None, None, None, 0
    if run.audio is not None:
        try:
            path = _beside(results, run.audio)
            sound = read_sound(path, per_sec=PEAKS_PER_SEC)
            audio, used = _audio(path, page_folder, left)
        except ReportError as error:
            complaint = f"{run.scenario_name}, run {run.run}: the recording {error}"
    return RunView(anchor, run, _chart(run, sound), audio, complaint), used


def _chart(run: RunResult, sound: Sound | None) -> Chart | None:
    return draw(run.timeline, sound)


def _beside(results: Results, audio: str) -> Path:
    """Where a recording lies; results name none outside of their folder."""
    folder = results.folder.resolve()
    path = (folder / audio).resolve()
    if not path.is_relative_to(folder):
        raise ReportError(f"{audio} is not below {folder}, so it is left alone.")
    return path


def _audio(path: Path, page_folder: Path, left: int) -> tuple[str, int]:
    # FLAC never gets the samples of a call below a twentieth, so what is that large is not even tried.
    if path.stat().st_size < 20 * min(EMBEDDED_BYTES, left):
        packed = as_flac(path)
        if len(packed) <= min(EMBEDDED_BYTES, left):
            return f"data:audio/flac;base64,{base64.b64encode(packed).decode()}", len(packed)
    return quote(Path(os.path.relpath(path, page_folder.resolve())).as_posix()), 0


def _is_bad(run: RunResult) -> bool:
    return run.counts and not run.passed


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _share(value: float) -> str:
    return f"{100 * value:.0f} %"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f} ms"
