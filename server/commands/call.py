"""`jarvis call`."""

import asyncio
import contextlib
import json
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Annotated

import aiohttp
import typer
from rich.console import Console
from rich.markup import escape

from server.commands.problems import stop_on_setup_error
from server.commands.running import operator_key
from server.errors import SetupError
from server.logging import configure
from server.settings import Settings, read_settings

START_SECS = 120.0
PROBE_SECS = 2.0
STOP_SECS = 20.0


def call(
    questions: Annotated[list[str] | None, typer.Argument(help="What to say, one turn each.")] = None,
    wav: Annotated[
        list[Path] | None,
        typer.Option("--wav", help="Speak a recording (WAV, FLAC, Ogg); one turn each, after the questions."),
    ] = None,
    barge_in: Annotated[
        float | None, typer.Option(min=0.0, help="Interrupt each answer with the next turn after so many seconds.")
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="The call in stereo: caller left, bot right.")] = Path(
        "call.wav"
    ),
    url: Annotated[
        str | None, typer.Option(help="The server to call; default: the one on this host, started if need be.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The report as one JSON object on stdout.")] = False,
) -> None:
    """Call Jarvis without a microphone: speak questions over real WebRTC, hear the answers, measure them.

    Prints per turn what the bot heard and said, its sources, and the milliseconds from the caller's last voiced sample
    to the bot's first, measured on the audio. Exit code 1 when a turn got no answer.
    """
    from evals.caller.errors import CallError

    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings()
        configure("WARNING")
        try:
            code = asyncio.run(
                _call(
                    settings, console, questions or [], wav or [], barge_in=barge_in, out=out, url=url, as_json=as_json
                )
            )
        except CallError as error:
            console.print(f"[red]No call.[/red] {escape(str(error))}", highlight=False, soft_wrap=True)
            code = 2
    raise typer.Exit(code)


async def _call(
    settings: Settings,
    console: Console,
    questions: list[str],
    recordings: list[Path],
    *,
    barge_in: float | None,
    out: Path,
    url: str | None,
    as_json: bool,
) -> int:
    from evals.caller.call import Turn
    from evals.caller.call import call as place_call
    from evals.caller.render import progress, render
    from evals.caller.speaker import FliteSpeaker

    async with AsyncExitStack() as stack:
        base_url, key = url, None
        if base_url is None:
            base_url = await stack.enter_async_context(_server(settings, console))
            with contextlib.suppress(SetupError):  # whoever can't read it calls as anybody does
                key = operator_key(settings)
        report = await place_call(
            base_url=base_url,
            key=key,
            turns=[*map(Turn, questions), *map(Turn, recordings)],
            speaker=FliteSpeaker(),
            barge_in_secs=barge_in,
            wav_out=out,
            on_event=stack.enter_context(progress(console)),
        )
    if as_json:
        typer.echo(json.dumps(report.to_json(), ensure_ascii=False))
    else:
        Console().print(render(report))
    return report.exit_code


@asynccontextmanager
async def _server(settings: Settings, console: Console) -> AsyncIterator[str]:
    """The server's URL: the one that runs on this host already, or one that lasts as long as the call."""
    base_url = f"http://{settings.host}:{settings.port}"
    if await _is_ready(base_url):
        yield base_url
        return
    port = _free_port()
    base_url = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "server", "run", "--host", "127.0.0.1", "--port", str(port),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    said = asyncio.create_task(process.stderr.read())
    try:
        with console.status("No Jarvis runs on this host: starting one for this call"):
            deadline = time.monotonic() + START_SECS
            while not await _is_ready(base_url):
                if process.returncode is not None:
                    raise SetupError(f"The server did not start:\n{(await said).decode(errors='replace').strip()}")
                if time.monotonic() > deadline:
                    raise SetupError(
                        f"The server was not ready within {START_SECS:.0f} s. Start it by hand: jarvis run"
                    )
                await asyncio.sleep(0.1)
        yield base_url
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_SECS)
        if process.returncode is None:
            process.kill()
        said.cancel()


async def _is_ready(base_url: str) -> bool:
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PROBE_SECS)) as http,
            http.get(f"{base_url}/readyz") as response,
        ):
            return response.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
