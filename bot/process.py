"""The process a call runs in: forked, waits for a session, serves its control socket, ends.

The control socket is HTTP on a unix socket, for the server alone:

    POST  /session   {session_id, settings, call, story}   the call this bot takes
    PATCH /session   {stt, llm, tts}   who listens, answers and speaks from the next turn on (bot/change.py)
    GET   /session   → {session_id, call, owned}           that call; session_id is null while the bot waits
    POST  /connect   how the caller is joined (bot/channels.py) → the channel's answer
    PATCH /connect   what the channel's ends tell each other later
    GET   /audio     the websocket of a caller who was answered with this pc_id (bot/websocket.py)
    POST  /providers {known}                               what other calls found of the providers, as they reported it
    POST  /budget    {day}                                 who may still be asked today (bot/budget.py)
    POST  /end       {reason}
    GET   /events    one JSON object a line, from the first, until the bot ends; a heartbeat every second;
                     what an earlier listener was told is marked `"again": true`

`call` is the server's own record of the call: kept here, and given back to a server that takes the call over. The
events have one listener at a time, the server that owns the call; another is refused with 409 while the first is there.
"""

import asyncio
import json
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web
from loguru import logger
from pydantic import TypeAdapter, ValidationError

from bot.budget import Level
from bot.change import Change
from bot.channels import Join, Signals
from bot.confinement import Confinement, give_back, private_mb
from bot.errors import BotError, OfferError, OwnedError, SessionTakenError
from bot.session import Session
from bot.settings import BotSettings, Tracing
from bot.turns import TurnModels
from knowledge.logs import LogSettings, configure

if TYPE_CHECKING:
    from bot.tracing import CallTracing

HEARTBEAT_SECS = 1.0
ORPHANED_SECS = 10.0
# A call that nobody has joined, on a bot that no server listens to.
UNJOINED_SECS = 60.0
MEMORY_EVERY_SECS = 5.0


class BotProcess:
    """Holds the one session that this process will serve."""

    def __init__(self, *, models: TurnModels):
        self._models = models
        self._session: Session | None = None
        self._session_id: str | None = None
        self._call: dict[str, Any] = {}
        self._owner: tuple[web.Request, asyncio.Queue[dict[str, Any] | None]] | None = None
        self._history: list[dict[str, Any]] = []
        self._told = 0
        self._owned_at = time.monotonic()
        self._memory: tuple[float, float] | None = None
        self._tracing: CallTracing | None = None
        self.done = asyncio.Event()

    def app(self) -> web.Application:
        """The control socket's routes."""
        app = web.Application(middlewares=[_errors_as_json])
        app.add_routes(
            [
                web.post("/session", self._take),
                web.patch("/session", self._change),
                web.get("/session", self._tell_session),
                web.post("/connect", self._connect),
                web.patch("/connect", self._signal),
                web.get("/audio", self._attach, allow_head=False),
                web.post("/providers", self._learn),
                web.post("/budget", self._limit),
                web.post("/end", self._end),
                web.get("/events", self._events, allow_head=False),
            ]
        )
        return app

    async def end(self, reason: str) -> None:
        """Ends the session, or the wait for one."""
        if self._session is None:
            self.done.set()
        else:
            await self._session.end(reason)

    async def watch(self, confinement: Confinement) -> None:
        """Beats until the bot is done."""
        while not self.done.is_set():
            before = time.monotonic()
            confinement.renew(now=before, cpu_secs=time.process_time())
            await asyncio.sleep(HEARTBEAT_SECS)
            now = time.monotonic()
            self.beat(now=now, lag_secs=now - before - HEARTBEAT_SECS)
            await asyncio.to_thread(give_back)

    def beat(self, *, now: float, lag_secs: float) -> None:
        """Tells the server that this bot lives; ends a bot that no server listens to and that nobody is on a call with.

        `now` is the monotonic clock's, `lag_secs` how late the event loop came to this.
        """
        if self._memory is None or now - self._memory[0] >= MEMORY_EVERY_SECS:
            self._memory = now, round(private_mb(), 1)
        vitals = {
            "loop_lag_secs": round(lag_secs, 4),
            "cpu_secs": round(time.process_time(), 2),
            "private_mb": self._memory[1],
            "floor": "nobody" if self._session is None else self._session.floor,
        }
        self._tell({"type": "heartbeat", **vitals})
        if self._owner is not None:
            self._owned_at = now
            return
        patience_secs = ORPHANED_SECS if self._session is None else UNJOINED_SECS
        if (self._session is None or not self._session.joined) and now - self._owned_at > patience_secs:
            logger.info("no server listens to this bot, and nobody called; it ends")
            self.done.set()

    async def _take(self, request: web.Request) -> web.Response:
        body = await request.json()
        if self._session is not None:
            raise SessionTakenError("This bot has a session already.")
        settings = BotSettings.model_validate(body["settings"])
        self._session_id, self._call = body["session_id"], body["call"]
        if settings.tracing is not None:
            self._tracing = _traced(settings.tracing)
        self._session = Session(
            session_id=body["session_id"],
            settings=settings,
            models=self._models,
            report=self._on_event,
            story=body["story"],
        )
        if body["story"]:
            self._on_event({"type": "story", "keep": 0, "add": body["story"]})
        return web.Response(status=204)

    async def _change(self, request: web.Request) -> web.Response:
        await self._taken().change(Change.model_validate(await request.json()))
        return web.Response(status=204)

    async def _tell_session(self, request: web.Request) -> web.Response:
        return web.json_response({"session_id": self._session_id, "call": self._call, "owned": self._owned})

    async def _connect(self, request: web.Request) -> web.Response:
        join = TypeAdapter[Join](Join).validate_python(await request.json())
        return web.json_response(await self._taken().connect(join))

    async def _signal(self, request: web.Request) -> web.Response:
        signals = TypeAdapter[Signals](Signals).validate_python(await request.json())
        await self._taken().signal(signals)
        return web.Response(status=204)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        return await self._taken().attach(request.query["pc_id"], request)

    async def _learn(self, request: web.Request) -> web.Response:
        self._taken().learn((await request.json())["known"])
        return web.Response(status=204)

    async def _limit(self, request: web.Request) -> web.Response:
        day = TypeAdapter[Level](Level).validate_python((await request.json())["day"])
        self._taken().limit(day)
        return web.Response(status=204)

    async def _end(self, request: web.Request) -> web.Response:
        body = await request.json()
        await self.end(body["reason"])
        return web.Response(status=204)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        if self._owned:
            raise OwnedError("Another server listens to this bot.")
        queue: asyncio.Queue[dict[str, Any] | None] = asyncio.Queue()
        self._owner = owner = (request, queue)
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        for number, event in enumerate(self._history):
            queue.put_nowait(event | {"again": True} if number < self._told else event)
        if self.done.is_set():
            queue.put_nowait(None)
        try:
            await response.prepare(request)
            while (event := await queue.get()) is not None:
                await response.write(json.dumps(event).encode() + b"\n")
        except ConnectionError:
            pass  # the server stopped listening
        finally:
            self._told = len(self._history)
            if self._owner is owner:
                self._owner = None
        return response

    @property
    def _owned(self) -> bool:
        return self._owner is not None and not _is_gone(self._owner[0])

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
        if self._owner is not None:
            self._owner[1].put_nowait(event)

    def close_stream(self) -> None:
        """Lets the stream of events end after what it still has to say."""
        self._tell(None)

    async def close(self) -> None:
        """Sends the last spans of the call."""
        if self._tracing is not None:
            await self._tracing.close()


def _traced(settings: Tracing) -> "CallTracing":
    """Starts tracing; a bot that is not traced loads none of it."""
    from bot.tracing import CallTracing

    return CallTracing.start(settings)


def _is_gone(request: web.Request) -> bool:
    """Whether the other end of the request has closed the connection."""
    return request.transport is None or request.transport.is_closing()


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except (SessionTakenError, OwnedError) as error:
        return web.json_response({"error": str(error)}, status=409)
    except BotError as error:
        return web.json_response({"error": str(error)}, status=422)
    except (ValidationError, KeyError, json.JSONDecodeError) as error:
        return web.json_response({"error": f"not a request this bot knows: {type(error).__name__}"}, status=400)


async def serve(socket_path: Path, *, models: TurnModels, confinement: Confinement) -> None:
    """Serves one session on the control socket, from waiting to its end."""
    bot = BotProcess(models=models)
    loop = asyncio.get_running_loop()
    endings: set[asyncio.Task[None]] = set()
    loop.add_signal_handler(signal.SIGTERM, lambda: endings.add(asyncio.create_task(bot.end("shutdown"))))
    runner = web.AppRunner(bot.app(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.UnixSite(runner, str(socket_path)).start()
    socket_path.chmod(0o600)
    watch = asyncio.create_task(bot.watch(confinement))
    try:
        await bot.done.wait()
        bot.close_stream()
        await asyncio.sleep(0)
        await bot.close()
    finally:
        watch.cancel()
        confinement.stop()
        await runner.cleanup()
        socket_path.unlink(missing_ok=True)


def main(socket_path: str, memory_mb: int, log: LogSettings) -> None:
    """Entry of a forked bot that may take so much memory of its own."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure(log)
    confinement = Confinement(memory_mb=memory_mb)
    confinement.start()
    from bot import preload, steady

    steady.CLOCK.set()
    asyncio.run(serve(Path(socket_path), models=preload.MODELS, confinement=confinement))
