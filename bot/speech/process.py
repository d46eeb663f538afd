"""The recognisers and the voice of this host as one process that every call asks: `python -m bot.speech.process`.

The first line of stdin is JSON (`ProcessSettings`); `ready` on stdout says that the socket answers. It ends on SIGTERM
and when stdin ends, as its parent is then gone; while calls go on it stays, until a successor has taken over.
"""

import asyncio
import json
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgpack
from aiohttp import web
from loguru import logger
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.speech import vocabulary
from bot.speech.errors import SpeechError, SpeechRequestError, SpeechUnavailableError
from bot.speech.pool import RecogniserPool
from bot.speech.recognition import Engine
from bot.speech.synthesis import SpokenWord, Synthesiser
from bot.speech.voice import Speaking
from knowledge.address import SharedAddress
from knowledge.child import Lingering, run_child, tended
from knowledge.logs import LogSettings

EMBEDDED: Engine = "pocketsphinx"
MAX_UTTERANCE_SECS = 60
MAX_TEXT_CHARS = 10_000
MAX_VOCABULARY_BYTES = 64 * 1024 * 1024
MIN_SAMPLE_RATE_HZ, MAX_SAMPLE_RATE_HZ = 8_000, 48_000
BYTES_PER_SAMPLE = 2
VOCABULARY_TIMEOUT_SECS = 300
# A sentence that is being spoken when the process ends, or when a successor takes over, gets so long.
SHUTDOWN_TIMEOUT_SECS = 5.0


class ProcessSettings(BaseModel):
    """What the parent says on the first line of stdin."""

    model_config = ConfigDict(extra="forbid")

    socket: Path
    cache_dir: Path
    recognisers: int = Field(ge=1, le=64, description="workers of each engine")
    engines: tuple[Engine, ...] = Field(default=(), description="those beside pocketsphinx, which is always there")
    lingering: Lingering | None = None
    log: LogSettings | None = None


class SynthesisRequest(BaseModel):
    """Body of `POST /synthesize`."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT_CHARS)
    voice: str
    words_per_minute: int = Field(ge=80, le=450)
    pitch: int = Field(ge=0, le=100)
    sample_rate: int = Field(ge=MIN_SAMPLE_RATE_HZ, le=MAX_SAMPLE_RATE_HZ)


class VocabularyRequest(BaseModel):
    """Body of `POST /vocabulary`."""

    model_config = ConfigDict(extra="forbid")

    texts: list[str]


class SpeechServer:
    """The HTTP routes in front of the recognisers and the voice."""

    def __init__(self, *, pools: Mapping[str, RecogniserPool], synthesiser: Synthesiser, cache_dir: Path) -> None:
        self._pools = pools
        self._synthesiser = synthesiser
        self._cache_dir = cache_dir
        self._changing_vocabulary = asyncio.Lock()

    def app(self) -> web.Application:
        """The web application."""
        app = web.Application(middlewares=[_errors_as_json], client_max_size=MAX_VOCABULARY_BYTES)
        app.router.add_post("/recognise", self.recognise)
        app.router.add_post("/synthesize", self.synthesize)
        app.router.add_post("/vocabulary", self.set_vocabulary)
        app.router.add_get("/healthz", self.healthz)
        return app

    async def recognise(self, request: web.Request) -> web.Response:
        """One utterance of s16le mono PCM -> its words."""
        sample_rate = _sample_rate(request)
        pcm = await request.read()
        if not pcm or len(pcm) % BYTES_PER_SAMPLE:
            raise SpeechRequestError("Send s16le mono PCM: at least one sample, two bytes each.")
        if len(pcm) > MAX_UTTERANCE_SECS * sample_rate * BYTES_PER_SAMPLE:
            raise SpeechRequestError(f"The utterance is longer than {MAX_UTTERANCE_SECS} s; send it in parts.")
        pool = self._pools.get(request.query.get("engine", ""))
        if pool is None:
            raise SpeechRequestError(f"engine must be one of {', '.join(self._pools)}.")
        return web.json_response(await pool.recognise(pcm, sample_rate=sample_rate))

    async def synthesize(self, request: web.Request) -> web.StreamResponse:
        """A text -> a stream of msgpack maps, `{"audio"}` and `{"word", "start_secs"}`; ends when nobody listens."""
        wanted = SynthesisRequest.model_validate_json(await request.read())
        speaking = Speaking(wanted.voice, wanted.words_per_minute, wanted.pitch)
        stream = self._synthesiser.stream(wanted.text, speaking, sample_rate=wanted.sample_rate)
        response = web.StreamResponse(headers={"Content-Type": "application/x-msgpack"})
        try:
            async for part in stream:
                if not response.prepared:
                    await response.prepare(request)
                await response.write(_packed(part))
            if not response.prepared:
                await response.prepare(request)
            await response.write_eof()
        except ConnectionResetError:
            logger.debug("A caller closed the connection in mid-speech")
        finally:
            await stream.aclose()
        return response

    async def set_vocabulary(self, request: web.Request) -> web.Response:
        """The knowledge's texts -> a language model that the recognisers use from now on."""
        wanted = VocabularyRequest.model_validate_json(await request.read())
        started = time.monotonic()
        async with self._changing_vocabulary:
            made = vocabulary.built(texts=wanted.texts, folder=self._cache_dir)
            made = made or await self._build_vocabulary(wanted.texts)
            await self._pools[EMBEDDED].use_model(self._cache_dir / made.name)
        secs = time.monotonic() - started
        logger.info("Vocabulary of {} words in use after {:.1f} s", made.words, secs)
        return web.json_response({"words": made.words, "unknown": made.unknown, "secs": secs})

    async def healthz(self, request: web.Request) -> web.Response:
        """Whether recognisers answer, and their process ids."""
        pids = [pid for pool in self._pools.values() for pid in pool.pids]
        return web.json_response({"recognisers": pids}, status=200 if pids else 503)

    async def _build_vocabulary(self, texts: list[str]) -> vocabulary.Vocabulary:
        builder = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.speech.vocabulary", str(self._cache_dir), stdin=PIPE, stdout=PIPE
        )
        try:
            async with asyncio.timeout(VOCABULARY_TIMEOUT_SECS):
                output, _ = await builder.communicate(json.dumps(texts).encode())
        except TimeoutError as error:
            raise SpeechUnavailableError("The vocabulary took too long to build; send fewer texts.") from error
        finally:
            if builder.returncode is None:
                builder.kill()
        if builder.returncode != 0:
            raise SpeechUnavailableError("The vocabulary could not be built; the one in use stays.")
        return vocabulary.Vocabulary(**json.loads(output))


def _sample_rate(request: web.Request) -> int:
    text = request.query.get("sample_rate", "")
    if not text.isdecimal() or not MIN_SAMPLE_RATE_HZ <= int(text) <= MAX_SAMPLE_RATE_HZ:
        raise SpeechRequestError(f"sample_rate must be between {MIN_SAMPLE_RATE_HZ} and {MAX_SAMPLE_RATE_HZ} Hz.")
    return int(text)


def _packed(part: bytes | SpokenWord) -> bytes:
    message = {"audio": part} if isinstance(part, bytes) else {"word": part.word, "start_secs": part.start_secs}
    return cast(bytes, msgpack.packb(message))


@web.middleware
async def _errors_as_json(request: web.Request, handler: Any) -> web.StreamResponse:
    try:
        return await handler(request)
    except ValidationError as error:
        fields = ", ".join(".".join(str(part) for part in detail["loc"]) or "body" for detail in error.errors())
        return web.json_response({"error": f"Correct these fields: {fields}."}, status=400)
    except SpeechRequestError as error:
        return web.json_response({"error": str(error)}, status=400)
    except SpeechError as error:
        return web.json_response({"error": str(error)}, status=503)


async def serve(settings: ProcessSettings) -> None:
    """Answer on the socket until cancelled."""
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    engines = dict.fromkeys((EMBEDDED, *settings.engines))
    pools = {engine: RecogniserPool(engine=engine, size=settings.recognisers) for engine in engines}
    synthesiser = Synthesiser()
    server = SpeechServer(pools=pools, synthesiser=synthesiser, cache_dir=settings.cache_dir)
    runner = web.AppRunner(server.app(), access_log=None, shutdown_timeout=SHUTDOWN_TIMEOUT_SECS)
    address = SharedAddress(settings.socket)
    try:
        await synthesiser.start()
        for engine, pool in pools.items():
            await pool.use_model(vocabulary.newest(settings.cache_dir) if engine == EMBEDDED else None)
        await runner.setup()
        await web.SockSite(runner, address.bind()).start()
        address.publish()
        print("ready", flush=True)
        await tended(address)
    finally:
        address.close()
        await runner.cleanup()
        for pool in pools.values():
            await pool.end()
        synthesiser.close()


if __name__ == "__main__":
    run_child(serve, ProcessSettings)
