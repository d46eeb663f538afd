"""`jarvis run`."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer
import uvicorn
from loguru import logger
from rich.console import Console

from server.commands.problems import stop_on_setup_error
from server.listener import bound, shown
from server.logging import configure
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from server.services import Services

CLOSE_SECS = 3
DRAIN_POLL_SECS = 0.05
# A websocket whose other end answers no ping for so long is taken for gone.
PING_SECS = 5.0
PONG_SECS = 15.0


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
        configure(settings.log_level, settings.log_format)
        asyncio.run(_serve(settings, console))


async def _serve(settings: Settings, console: Console) -> None:
    from server.app import PAGE_DIST, create_app
    from server.metrics.exposition import Metrics
    from server.startup import start

    def tell(line: str, text: str | None = None) -> None:
        """Says it to the operator: as a line of the log where programs read that, else as the text."""
        if settings.log_format == "json":
            logger.info("{}", line)
        else:
            console.print(text or line, highlight=False)

    started = time.monotonic()
    listener = bound(settings)
    port = listener.getsockname()[1]
    public_url = (settings.public_url or f"http://{shown(settings.host)}:{port}").rstrip("/")
    stop = asyncio.Event()
    metrics = Metrics()
    app = create_app(metrics)
    _on_signals(app, stop)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            timeout_graceful_shutdown=CLOSE_SECS,
            forwarded_allow_ips=[str(each) for each in settings.trusted_proxies],
            ws_ping_interval=PING_SECS,
            ws_ping_timeout=PONG_SECS,
            ws_per_message_deflate=False,  # sound does not shrink
        )
    )
    with console.status("Starting") as status:
        starting = start(
            settings,
            page_dist=PAGE_DIST,
            public_url=public_url,
            address=f"{settings.host}:{port}",
            metrics=metrics,
            progress=lambda text: status.update(f"Starting: {text}"),
        )
        entering = asyncio.ensure_future(starting.__aenter__())
        stopping = asyncio.ensure_future(stop.wait())
        await asyncio.wait({entering, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not entering.done():
            entering.cancel()
            await asyncio.wait({entering})
            return
        services: Services = entering.result()
        app.state.services = services
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn has no event for it)
        await asyncio.sleep(0.005)
    await services.operations.opened()
    await asyncio.sleep(2 * DRAIN_POLL_SECS)  # a server that drains at this address leaves it
    ready = f"Jarvis is ready after {time.monotonic() - started:.1f} s."
    tell(
        f"{ready} Call it: {public_url}/call",
        f"\n{ready}\n\n"
        f"  Call it:  [bold]{public_url}/call[/bold]\n"
        f'  or:       jarvis call "What are your opening hours?"\n'
        f"  Stop it:  Ctrl-C, or `jarvis drain` to let calls finish\n",
    )
    draining = asyncio.ensure_future(services.sessions.draining.wait())
    await asyncio.wait({serving, stopping, draining}, return_when=asyncio.FIRST_COMPLETED)
    if draining.done():
        tell(f"Draining: no new calls; {len(services.sessions.live)} go on. Ctrl-C ends them now.")
        await _drained(services, server, stop)
    if services.sessions.live:
        tell("Stopping: calls are told goodbye.")
    await starting.__aexit__(None, None, None)
    server.should_exit = True
    await serving


def _on_signals(app: "FastAPI", stop: asyncio.Event) -> None:
    """Ctrl-C stops; TERM drains, and stops where it comes again or where nothing runs yet."""

    def on_term() -> None:
        services: Services | None = getattr(app.state, "services", None)
        if services is None or services.sessions.draining.is_set():
            stop.set()
        else:
            services.sessions.drain()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop.set)
    loop.add_signal_handler(signal.SIGTERM, on_term)


async def _drained(services: "Services", server: uvicorn.Server, stop: asyncio.Event) -> None:
    """Returns when the calls have ended, or need not be waited for any longer; leaves the address to a successor."""
    deadline = time.monotonic() + services.drain_secs
    while services.sessions.live and not stop.is_set() and time.monotonic() < deadline:
        if any(each.is_serving() for each in server.servers) and await services.operations.succeeded():
            for each in server.servers:
                each.close()
        await asyncio.sleep(DRAIN_POLL_SECS)


class _Server(uvicorn.Server):
    """Leaves the signals to us: calls end before the listener does."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
