"""Answers single requests with the services that calls use: `python -m bot.desk.process`, or forked (`entry.py`).

The first line of stdin is JSON (`ProcessSettings`); `ready` on stdout says that the socket answers. It ends on SIGTERM
and when stdin ends. Calls go first: it runs at a lower priority, and answers few requests at once.

    POST /transcribe   audio in chunks → one JSON object a line, as it is heard
    POST /complete     CompletionRequest → one JSON object a line, as it is said
    POST /synthesize   SynthesisRequest → the speech, as it is spoken; `no-store` where it is another voice than usual
    POST /providers    {known}: what calls found of the providers, as bots report it
    POST /budget       {day}: who may still be asked (bot/budget.py) → {usage}, what was spent since the last time
    POST /warm         {redis_url}: the voices say what every caller hears, into this cache
    POST /check        each vendor is asked for a word; what is wrong with one is in the log
    GET  /healthz      which of them can be answered

What goes wrong before the answer begins is `{"title", "error"}` with a status: 429 and 503 where the same request may
succeed a moment later. Behind its beginning it is a last line `{"type": "error", "status", "title", "detail"}`, or the
answer breaks off.
"""

import asyncio
import gc
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from loguru import logger
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from bot.budget import Level
from bot.confinement import give_back
from bot.desk.attempts import by_any
from bot.desk.audio import decoded
from bot.desk.completion import Completion
from bot.desk.errors import DeskBusyError, DeskError, DeskRequestError
from bot.desk.line import Line
from bot.desk.lines import Lines
from bot.desk.requests import NOT_TO_KEEP, CompletionRequest, SynthesisRequest, TranscriptionRequest, WarmRequest
from bot.desk.synthesis import synthesized, voice_line
from bot.desk.transcription import Transcriber, recogniser_line
from bot.failover import Failover
from bot.providers.tts import TTSProvider
from bot.settings import BotSettings
from bot.turns import TurnModels
from knowledge.address import SharedAddress
from knowledge.child import run_child, tended
from knowledge.logs import LogSettings

MOST_TRANSCRIPTIONS, MOST_COMPLETIONS, MOST_SYNTHESES = 2, 4, 4
MAX_JSON_BYTES = 2 * 1024 * 1024
# How much a call may take from this process' share of a core.
NICENESS = 5
SHUTDOWN_SECS = 1.0
TIDY_SECS = 5.0


class ProcessSettings(BaseModel):
    """What the parent says on the first line of stdin."""

    model_config = ConfigDict(extra="forbid")

    socket: Path
    bot: BotSettings
    log: LogSettings | None = None


class Desk:
    """The routes, and the pipelines behind them."""

    def __init__(self, settings: BotSettings, *, models: TurnModels) -> None:
        self._settings = settings
        self._failover = Failover(settings, report=self._on_event)
        self._usage: list[dict[str, Any]] = []
        self._transcriptions = Lines(most=MOST_TRANSCRIPTIONS, keep=lambda: recogniser_line(settings, self._failover))
        self._completions = Lines(most=MOST_COMPLETIONS)
        self._syntheses = Lines(most=MOST_SYNTHESES, keep=lambda: self._voice_line(settings.tts[0]))
        self._asked = asyncio.Event()
        self._behind: set[asyncio.Task[None]] = set()
        self._transcriber = Transcriber(models=models, confidence=settings.turns.vad_confidence)

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[_errors_as_json], client_max_size=MAX_JSON_BYTES)
        app.router.add_post("/transcribe", self.transcribe)
        app.router.add_post("/complete", self.complete)
        app.router.add_post("/synthesize", self.synthesize)
        app.router.add_post("/providers", self.learn)
        app.router.add_post("/budget", self.budget)
        app.router.add_post("/warm", self.warm)
        app.router.add_post("/check", self.check)
        app.router.add_get("/healthz", self.healthz)
        return app

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[None]:
        """Pipelines wait for requests meanwhile."""
        meanwhile = [
            asyncio.create_task(work)
            for work in (self._syntheses.prepare(), self._transcriptions.prepare(), self._tidy())
        ]
        try:
            yield
        finally:
            for task in (*meanwhile, *self._behind):
                task.cancel()
            await asyncio.gather(*meanwhile, *self._behind, return_exceptions=True)
            await self.close()

    async def close(self) -> None:
        """End the pipelines that wait."""
        for lines in (self._transcriptions, self._completions, self._syntheses):
            await lines.close()

    async def transcribe(self, request: web.Request) -> web.StreamResponse:
        """Audio → `ready`, `speech`, `interim`, `final` …, `end`."""
        form = TranscriptionRequest.model_validate(dict(request.query))
        self._asked.set()
        async with self._transcriptions.line() as line:
            pcm = decoded(_received(request), form, longest_secs=form.longest_secs)
            async with aclosing(pcm), aclosing(self._transcriber.transcribe(pcm, line)) as events:
                return await _told(request, events)

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """A conversation → `text`, `citation` …, `end`."""
        wanted = CompletionRequest.model_validate_json(await request.read())
        self._asked.set()
        completion = Completion(self._settings, wanted, failover=self._failover)
        try:
            async with self._completions.line(completion.line) as line, aclosing(completion.answer(line)) as events:
                return await _told(request, events)
        finally:
            await completion.aclose()

    async def synthesize(self, request: web.Request) -> web.StreamResponse:
        """A text → audio, in chunks; an answer that breaks off is not whole."""
        wanted = SynthesisRequest.model_validate_json(await request.read())
        self._asked.set()
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        async with aclosing(by_any(self._failover.of("tts"), lambda name: self._spoken(wanted, name))) as parts:
            try:
                async for voice, part in parts:
                    if not response.prepared:
                        if voice is not self._settings.tts[0]:
                            response.headers.update(NOT_TO_KEEP)
                        await response.prepare(request)
                    await response.write(part)
            except DeskError as error:
                if not response.prepared:
                    raise
                raise ConnectionResetError from error
            await response.write_eof()
        return response

    async def _spoken(self, wanted: SynthesisRequest, name: str) -> AsyncGenerator[tuple[TTSProvider, bytes]]:
        """What the voice of this name says, each piece with it."""
        voices = self._settings.tts
        voice = next(each for each in voices if each.provider == name)
        is_usual = voice is voices[0]
        # A voice that is asked for is one of the usual provider's, of which alone a pipeline waits for requests.
        manner = voice.manner(voice=wanted.voice if is_usual else None, speed=wanted.speed)
        make = None if is_usual else lambda: self._voice_line(voice)
        async with (
            self._syntheses.line(make) as line,
            aclosing(synthesized(wanted, line, manner, last=voice is voices[-1])) as parts,
        ):
            async for part in parts:
                yield voice, part

    async def learn(self, request: web.Request) -> web.Response:
        """Takes what calls found of the providers."""
        self._failover.learn((await request.json())["known"])
        return web.Response(status=204)

    async def budget(self, request: web.Request) -> web.Response:
        """What the day leaves → what was spent."""
        self._failover.limit(TypeAdapter[Level](Level).validate_python((await request.json())["day"]))
        self._failover.tell_usage()
        usage, self._usage = self._usage, []
        return web.json_response({"usage": usage})

    async def warm(self, request: web.Request) -> web.Response:
        """Has the voices say what every caller hears, behind the answer."""
        wanted = WarmRequest.model_validate_json(await request.read())
        # A desk that has no voice to warm loads none of it.
        from bot.desk.warming import warm

        return self._begin(warm(self._settings, redis_url=wanted.redis_url.get_secret_value()))

    async def check(self, _request: web.Request) -> web.Response:
        """Has each vendor asked for a word, behind the answer; what is wrong is in the log."""
        from bot.desk.checking import check

        return self._begin(check(self._settings))

    def _begin(self, work: Coroutine[Any, Any, None]) -> web.Response:
        self._asked.set()
        task = asyncio.create_task(work, name=work.__name__)
        self._behind.add(task)
        task.add_done_callback(self._behind.discard)
        return web.json_response({})

    def _voice_line(self, voice: TTSProvider) -> Line:
        return voice_line(voice, self._settings, meter=self._failover.meter)

    async def _tidy(self) -> None:
        """Gives back what requests took: pipelines that ended are cycles, which Python keeps for long."""
        while True:
            self._asked.clear()
            await self._asked.wait()
            await asyncio.sleep(TIDY_SECS)
            gc.collect()
            await asyncio.to_thread(give_back)

    async def healthz(self, _request: web.Request) -> web.Response:
        """Which services can be asked; asks none of them."""
        tts = self._syntheses.able or len(self._settings.tts) > 1
        able = {"asr": self._transcriptions.able, "llm": self._completions.able, "tts": tts}
        return web.json_response(able)

    def _on_event(self, event: dict[str, Any]) -> None:
        match event["type"]:
            case "provider":
                logger.warning("the {} provider {} is {}", event["stage"], event["provider"], event["state"])
            case "failover":
                logger.warning("{} went from {} to {}: {}", event["stage"], event["from"], event["to"], event["reason"])
            case "usage":
                self._usage.append(event)


async def _received(request: web.Request) -> AsyncGenerator[bytes]:
    async for part in request.content.iter_any():
        yield part


async def _told(request: web.Request, events: AsyncGenerator[dict[str, Any]]) -> web.StreamResponse:
    """One event a line; an error behind the first is the last line."""
    response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
    try:
        async for event in events:
            if not response.prepared:
                await response.prepare(request)
            await response.write(_line(event))
    except DeskError as error:
        if not response.prepared:
            raise
        status, title = _status(error)
        await response.write(_line({"type": "error", "status": status, "title": title, "detail": str(error)}))
        # The pipeline that failed is not used again, though its answer ends in order.
        raise _ToldError(response) from error
    await response.write_eof()
    return response


class _ToldError(Exception):
    """An error that the answer has told."""

    def __init__(self, response: web.StreamResponse) -> None:
        super().__init__()
        self.response = response


def _line(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode() + b"\n"


def _status(error: DeskError) -> tuple[int, str]:
    match error:
        case DeskRequestError():
            return error.status, error.title
        case DeskBusyError():
            return 429, "Too many requests at once"
        case _:
            return 503, "The services can't answer now"


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except _ToldError as told:
        await told.response.write_eof()
        return told.response
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in detail["loc"]) or "body" for detail in error.errors())
        body = {"title": "The request is not valid", "error": f"Correct these fields: {fields}."}
        return web.json_response(body, status=422)
    except DeskError as error:
        status, title = _status(error)
        return web.json_response({"title": title, "error": str(error)}, status=status)


async def serve(settings: ProcessSettings) -> None:
    """Answer on the socket until cancelled."""
    from bot.preload import MODELS

    with suppress(OSError):
        os.nice(NICENESS)
    desk = Desk(settings.bot, models=MODELS)
    # A client that leaves cancels what is done for it.
    runner = web.AppRunner(desk.app(), access_log=None, shutdown_timeout=SHUTDOWN_SECS, handler_cancellation=True)
    address = SharedAddress(settings.socket)
    # The pipelines end behind the last request: a pipeline in use would hold up the end of the event loop.
    async with desk.ready():
        try:
            await runner.setup()
            await web.SockSite(runner, address.bind()).start()
            address.publish()
            print("ready", flush=True)
            await tended(address)
        finally:
            address.close()
            await runner.cleanup()


if __name__ == "__main__":
    run_child(serve, ProcessSettings)
