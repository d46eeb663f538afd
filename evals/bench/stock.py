"""A bot of Pipecat's own parts as its scaffold joins them, to be called as Jarvis is: `python -m evals.bench.stock`.

It is told the variables of a Jarvis that uses the vendors' doubles as one line of JSON, prints the address that it
answers at, and ends with its input. Services, transport, aggregators and turn strategies are Pipecat's with their own
settings; a session is made, joined and ended by the routes that Jarvis has, one call in one process at a time.
"""

import asyncio
import json
import sys
from collections.abc import Mapping
from typing import Any

from aiohttp import web
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair, LLMUserAggregatorParams
from pipecat.services.stt_service import STTService
from pipecat.transports.base_transport import TransportParams
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.transports.smallwebrtc.transport import SmallWebRTCTransport
from pipecat.workers.runner import WorkerRunner

# Pipecat's own classes, from where vendors are known.
from bot.providers.cartesia_tts import tts as cartesia
from bot.providers.deepgram_recognisers import DeepgramFluxSTTService, DeepgramSTTService
from bot.providers.openai_services import OpenAILLMService
from bot.transports import offer_only
from evals.caller.loopback import LOOPBACK_ADDRESS

GREETING = "Hello."
INSTRUCTION = "You are a helpful assistant in a voice conversation. Your responses will be spoken aloud."
VOICE = "71a7ad14-091c-4e8e-a314-022ece01c121"
HANG_UP_SECS = 5.0


class StockBot:
    """Takes one call after another."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._connection: SmallWebRTCConnection | None = None
        self._run: asyncio.Task[None] | None = None

    def routes(self) -> list[web.RouteDef]:
        """What a caller asks for."""
        sessions = "/api/ingress/session"
        return [
            web.post(f"{sessions}/create", self._create),
            web.post(f"{sessions}/{{id}}/offer", self._offer),
            web.delete(f"{sessions}/{{id}}", self._hang_up),
        ]

    async def end(self) -> None:
        """Lets the caller go."""
        if self._connection is not None:
            await self._connection.disconnect()
            self._connection = None
        if self._run is not None:
            done, _ = await asyncio.wait({self._run}, timeout=HANG_UP_SECS)
            if not done:
                self._run.cancel()
            self._run = None

    async def _create(self, _request: web.Request) -> web.Response:
        await self.end()
        return web.json_response({"id": "stock", "token": "stock"})

    async def _offer(self, request: web.Request) -> web.Response:
        offer = await request.json()
        self._connection = SmallWebRTCConnection()
        await self._connection.initialize(sdp=offer["sdp"], type=offer["type"])
        self._run = asyncio.create_task(self._serve(self._connection), name="call")
        return web.json_response(self._connection.get_answer())

    async def _hang_up(self, _request: web.Request) -> web.Response:
        await self.end()
        return web.Response(status=204)

    async def _serve(self, connection: SmallWebRTCConnection) -> None:
        transport = SmallWebRTCTransport(connection, TransportParams(audio_in_enabled=True, audio_out_enabled=True))
        user, assistant = LLMContextAggregatorPair(
            LLMContext(), user_params=LLMUserAggregatorParams(vad_analyzer=SileroVADAnalyzer())
        )
        pipeline = Pipeline(
            [
                transport.input(),
                recogniser(self._variables),
                user,
                answerer(self._variables),
                voice(self._variables),
                transport.output(),
                assistant,
            ]
        )
        worker = PipelineWorker(pipeline, params=PipelineParams(enable_metrics=True, enable_usage_metrics=True))
        runner = WorkerRunner(handle_sigint=False)

        @transport.event_handler("on_client_connected")
        async def on_client_connected(_transport: object, _client: object) -> None:
            await worker.queue_frame(TTSSpeakFrame(GREETING))

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(_transport: object, _client: object) -> None:
            await runner.cancel()

        await runner.add_workers(worker)
        await runner.run()


def recogniser(variables: Mapping[str, str]) -> STTService:
    """Nova, or Flux where the variables name that."""
    key, sockets = variables["DEEPGRAM_API_KEY"], variables["DEEPGRAM_BASE_URL"].replace("http", "ws", 1)
    if variables["JARVIS_STT"] == "deepgram_flux":
        return DeepgramFluxSTTService(api_key=key, url=f"{sockets}/v2/listen")
    return DeepgramSTTService(api_key=key, base_url=sockets)


def answerer(variables: Mapping[str, str]) -> OpenAILLMService:
    """Chat completions."""
    return OpenAILLMService(
        api_key=variables["OPENAI_API_KEY"],
        base_url=variables["OPENAI_BASE_URL"],
        settings=OpenAILLMService.Settings(system_instruction=INSTRUCTION),
    )


def voice(variables: Mapping[str, str]) -> cartesia.CartesiaTTSService:
    """Sonic over its websocket."""
    return cartesia.CartesiaTTSService(
        api_key=variables["CARTESIA_API_KEY"],
        url=variables["CARTESIA_BASE_URL"].replace("http", "ws", 1) + "/tts/websocket",
        settings=cartesia.CartesiaTTSService.Settings(voice=VOICE),
    )


async def main() -> None:
    """Serves until there is no more input."""
    offer_only((LOOPBACK_ADDRESS,))
    stdin = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stdin), sys.stdin)
    variables: dict[str, Any] = json.loads(await stdin.readline())
    bot = StockBot(variables)
    app = web.Application()
    app.add_routes(bot.routes())
    served = web.AppRunner(app)
    await served.setup()
    await web.TCPSite(served, LOOPBACK_ADDRESS, 0).start()
    print("http://{}:{}".format(*served.addresses[0]), flush=True)
    await stdin.read()
    await bot.end()
    await served.cleanup()


if __name__ == "__main__":
    logger.remove()
    asyncio.run(main())
