"""`jarvis doctor`."""

import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from server.commands.providers import asked, failures, survey
from server.errors import SetupError
from server.findings import Finding, Level, budget
from server.logging import configure
from server.settings import Settings, read_settings

COLOURS: dict[Level, str] = {"ok": "green", "warning": "yellow", "error": "red"}


def doctor(
    check: Annotated[bool, typer.Option("--check", help="Ask each configured provider for real, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Say what is wrong with the set-up and what to do; changes nothing, starts no server. Exits with 1 on an error."""
    configure("ERROR")
    found = asyncio.run(_findings(check=check))
    if as_json:
        typer.echo(json.dumps({"findings": [asdict(each) for each in found]}))
    else:
        console = Console()
        for each in found:
            console.print(_line(each), highlight=False, soft_wrap=True)
    if any(each.level == "error" for each in found):
        raise typer.Exit(1)


async def _findings(*, check: bool) -> list[Finding]:
    from server.commands.doctor_looks import looks

    try:
        settings = read_settings()
    except SetupError as error:
        return [Finding("error", "settings", str(error), "Correct them in the environment or in .env.")]
    found = [Finding("ok", "settings", "can be read"), *await looks(settings)]
    return [*found, *await _providers(settings, check=check)]


async def _providers(settings: Settings, *, check: bool) -> list[Finding]:
    rows, problems = survey(settings.set_up)
    found = [
        Finding("error", "providers", problem, "`jarvis providers` lists what each needs.") for problem in problems
    ]
    if not problems:
        order = sorted((row for row in rows if row.place is not None), key=lambda row: (row.stage, row.place))
        said = "; ".join(
            f"{stage}: " + ", ".join(row.name for row in order if row.stage == stage) for stage in ("stt", "llm", "tts")
        )
        found += [Finding("ok", "providers", said), _budget(settings)]
    if check:
        try:
            answers = await asked(settings, rows, Console(stderr=True))
        except SetupError as error:
            return [*found, Finding("error", "providers", str(error), "Embedded speech is what checks need; mend it.")]
        remedy = "Set it right, or leave it out of JARVIS_STT, JARVIS_LLM or JARVIS_TTS."
        failed = [Finding("error", "providers", each, remedy) for each in failures(answers)]
        found += failed or [Finding("ok", "providers", f"{len(answers)} answer")]
    return found


def _budget(settings: Settings) -> Finding:
    try:
        return budget(settings)
    except SetupError as error:
        return Finding("error", "budget", str(error), "bot/providers/prices.toml says how prices are written.")


def _line(finding: Finding) -> str:
    remedy = "" if finding.remedy is None else f" → {escape(finding.remedy)}"
    said = escape(" ".join(finding.said.split()))
    return f"[{COLOURS[finding.level]}]{finding.level:<7}[/] {finding.about}: {said}{remedy}"
