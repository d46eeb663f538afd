"""The process a call runs in: forked, waits for a session, serves its control socket, ends.

The control socket is HTTP on a unix socket, for the server alone:

    POST  /session   {session_id, settings}       the call this bot takes
    POST  /offer     {sdp, type, pc_id, restart_pc} → {sdp, type, pc_id}
    PATCH /offer     {pc_id, candidates}
    POST  /end       {reason}
    GET   /events    one JSON object a line, until the bot ends; a heartbeat every second
"""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

from aiohttp import web
from loguru import logger
from pydantic import ValidationError

from bot.errors import BotError, OfferError, SessionTakenError
from bot.session import Session
from bot.settings import BotSettings
from bot.turns import TurnModels

HEARTBEAT_SECS = 1.0
ORPHANED_SECS = 10.0
LOG_FORMAT = "{time:HH:mm:ss.SSS} {level: <7} bot {process} {name}: {message}"
# Pipecat's WebRTC warns of the video that no call has, and of the track that ends with each call.
LOG_LEVELS: dict[str | None, str | int | bool] = {"": "WARNING", "pipecat.transports.smallwebrtc": "ERROR"}


class BotProcess:
    """Holds the one session that this process will serve."""

    def __init__(self, *, models: TurnModels):
        self._models = models
        self._session: Session | None = None
        self._listeners: set[asyncio.Queue[dict[str, Any] | None]] = set()
        self._history: list[dict[str, Any]] = []
        self._heard_at = time.monotonic()
        self.done = asyncio.Event()

    def app(self) -> web.Application:
        """The control socket's routes."""
        app = web.Application(middlewares=[_errors_as_json])
        app.add_routes(
            [
                web.post("/session", self._take),
                web.post("/offer", self._offer),
                web.patch("/offer", self._candidates),
                web.post("/end", self._end),
                web.get("/events", self._events),
            ]
        )
        return app

    async def end(self, reason: str) -> None:
        """Ends the session, or the wait for one."""
        if self._session is None:
            self.done.set()
        else:
            await self._session.end(reason)

    async def watch(self) -> None:
        """Beats until the bot is done."""
        while not self.done.is_set():
            before = time.monotonic()
            await asyncio.sleep(HEARTBEAT_SECS)
            now = time.monotonic()
            self.beat(now=now, lag_secs=now - before - HEARTBEAT_SECS)

    def beat(self, *, now: float, lag_secs: float) -> None:
        """Tells the server that this bot lives; ends a waiting bot that no server listens to any more.

        `now` is the monotonic clock's, `lag_secs` how late the event loop came to this.
        """
        self._tell({"type": "heartbeat", "loop_lag_secs": round(lag_secs, 4)})
        if self._listeners:
            self._heard_at = now
        elif self._session is None and now - self._heard_at > ORPHANED_SECS:
            logger.info("no server listens to this waiting bot; it ends")
            self.done.set()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._session is not None:
            raise SessionTakenError("This bot has a session already.")
        settings = BotSettings.model_validate(body["settings"])
        self._session = Session(
            session_id=body["session_id"], settings=settings, models=self._models, report=self._on_event
        )
        return web.Response(status=204)

    async def _offer(self, request: web.Request) -> web.Response:
        body = await request.json()
        answer = await self._taken().answer(
            sdp=body["sdp"], kind=body["type"], pc_id=body.get("pc_id"), restart=bool(body.get("restart_pc"))
        )
        return web.json_response(answer)

    async def _candidates(self, request: web.Request) -> web.Response:
        body = await request.json()
        candidates = [(c["candidate"], c.get("sdp_mid"), c.get("sdp_mline_index")) for c in body["candidates"]]
        await self._taken().add_candidates(pc_id=body["pc_id"], candidates=candidates)
        return web.Response(status=204)

    async def _end(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self.end(body["reason"])
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await response.prepare(request)
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        for event in self._history:
            queue.put_nowait(event)
        if self.done.is_set():
            queue.put_nowait(None)
        self._listeners.add(queue)
        try:
            while (event := await queue.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            pass  # the server stopped listening
        finally:
            self._listeners.discard(queue)
        return response

    def _taken(self) -> Session:
        if self._session is None:
            raise OfferError("This bot has no session yet.")
        return self._session

    def _on_event(self, event: dict[str, Any]) -> None:
        self._history.append(event)
        self._tell(event)
        if event["type"] == "ended":
            self.done.set()

    def _tell(self, event: dict[str, Any] | None) -> None:
        for queue in self._listeners:
            queue.put_nowait(event)

    def close_streams(self) -> None:
        """Lets each event stream end after what it still has to say."""
        self._tell(None)


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except SessionTakenError as error:
        return web.json_response({"error": str(error)}, status=409)
    except BotError as error:
        return web.json_response({"error": str(error)}, status=422)
    except (ValidationError, KeyError, json.JSONDecodeError) as error:
        return web.json_response({"error": f"not a request this bot knows: {type(error).__name__}"}, status=400)


async def serve(socket_path: Path, *, models: TurnModels) -> None:
    """Serves one session on the control socket, from waiting to its end."""
    bot = BotProcess(models=models)
    loop = asyncio.get_running_loop()
    endings: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGTERM, lambda: endings.add(asyncio.create_task(bot.end("shutdown"))))
    runner = web.AppRunner(bot.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.UnixSite(runner, str(socket_path)).start()
    socket_path.chmod(0o600)
    watch = asyncio.create_task(bot.watch())
    try:
        await bot.done.wait()
        bot.close_streams()
        await asyncio.sleep(0)
    finally:
        watch.cancel()
        await runner.cleanup()
        socket_path.unlink(missing_ok=True)


def main(socket_path: str) -> None:
    """Entry of a forked bot."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logger.remove()
    logger.add(sys.stderr, format=LOG_FORMAT, filter=LOG_LEVELS)
    from bot import preload

    asyncio.run(serve(Path(socket_path), models=preload.MODELS))
