"""`jarvis run`."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
import uvicorn
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.errors import SetupError
from server.logging import configure
from server.settings import Settings, read_settings

CLOSE_SECS = 3


def run(
    host: Annotated[str | None, typer.Option(help="Address to listen on (JARVIS_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on (JARVIS_PORT).")] = None,
) -> None:
    """Start Jarvis and print the call link; Ctrl-C stops it."""
    if sys.modules["__main__"].__spec__ is None:
        # Bots are forked by multiprocessing, which loads the main script again in each of them unless it is a package.
        os.execv(sys.executable, [sys.executable, "-m", "server", *sys.argv[1:]])  # noqa: S606
    console = Console(stderr=True)
    with stop_on_setup_error(console):
        settings = read_settings(host=host, port=port)
        configure(settings.log_level)
        asyncio.run(_serve(settings, console))


async def _serve(settings: Settings, console: Console) -> None:
    from server.app import PAGE_DIST, create_app
    from server.startup import start

    started = time.monotonic()
    listener = _listen(settings)
    port = listener.getsockname()[1]
    public_url = (settings.public_url or f"http://{_shown(settings.host)}:{port}").rstrip("/")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    app = create_app()
    server = _Server(
        uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=CLOSE_SECS)
    )
    with console.status("Starting") as status:
        starting = start(
            settings,
            page_dist=PAGE_DIST,
            public_url=public_url,
            progress=lambda text: status.update(f"Starting: {text}"),
        )
        entering = asyncio.ensure_future(starting.__aenter__())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({entering, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not entering.done():
            entering.cancel()
            await asyncio.wait({entering})
            return
        app.state.services = entering.result()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    console.print(
        f"\nJarvis is ready after {time.monotonic() - started:.1f} s.\n\n"
        f"  Call it:  [bold]{public_url}/call[/bold]\n"
        f'  or:       jarvis call "What are your opening hours?"\n'
        f"  Stop it:  Ctrl-C\n",
        highlight=False,
    )
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    console.print("Stopping: calls are told goodbye.")
    await starting.__aexit__(None, None, None)
    server.should_exit = True
    await serving


class _Server(uvicorn.Server):
    """Leaves the signals to us: calls end before the listener does."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise SetupError(
            f"Port {settings.port} on {settings.host} can't be used ({error.strerror}). Stop what uses it, "
            f"or choose another: jarvis run --port {settings.port + 1} (or set JARVIS_PORT)."
        ) from error
    return listener


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::"):  # noqa: S104
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
