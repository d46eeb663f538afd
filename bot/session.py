"""One call from connect to hang-up."""

import asyncio
import contextlib
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aiortc.sdp import candidate_from_sdp
from loguru import logger
from pipecat.frames.frames import EndFrame, ErrorFrame, TTSSpeakFrame
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frameworks.rtvi import RTVIObserverParams, RTVIServerMessageFrame
from pipecat.services.llm_service import LLMService
from pipecat.transports.smallwebrtc.connection import SmallWebRTCConnection
from pipecat.utils.errors import ErrorCategory
from pipecat.workers.runner import WorkerRunner

from bot.errors import OfferError, SessionTakenError
from bot.extractive.talk import small_talk
from bot.observers import Report, TurnObserver
from bot.pipeline import CallPipeline, Services, build_pipeline
from bot.prompts import prompt
from bot.settings import BotSettings
from bot.transports import release_at_once, webrtc_connection, webrtc_transport
from bot.turns import TurnModels
from knowledge.client import KnowledgeClient
from knowledge.errors import KnowledgeError
from knowledge.types import Passage
from processors.citations import Citation

GRACE_SECS = 3.0

NO_ANSWER = "Sorry, I couldn't work out an answer just now. Please ask me again."

FAREWELLS = {
    "idle": "The call ended because nobody spoke for a while.",
    "max_duration": "The call reached its maximum duration.",
    "shutdown": "Jarvis is being restarted. Please call again in a moment.",
    "error": "Something went wrong on our side. Please call again.",
}


class Session:
    """A caller's connection and its one bot.

    `report` is told what happens: `connected`, `turn`, `citation`, `marker_dropped`, `gap`, `llm_failed`,
    `turn_stop_timeout`, and at last `ended` with its reason (hang_up, idle, max_duration, never_connected, shutdown,
    error).
    """

    def __init__(self, *, session_id: str, settings: BotSettings, models: TurnModels, report: Report):
        self._id = session_id
        self._settings = settings
        self._models = models
        self._report = report
        self._connection: SmallWebRTCConnection | None = None
        self._answering = asyncio.Lock()
        self._connected = asyncio.Event()
        self._worker: PipelineWorker | None = None
        self._runner: WorkerRunner | None = None
        self._run: asyncio.Task[None] | None = None
        self._reason: str | None = None
        self.ended = asyncio.Event()

    async def answer(self, *, sdp: str, kind: str, pc_id: str | None, restart: bool) -> dict[str, str]:
        """Answers a WebRTC offer, or renegotiates the connection that `pc_id` names.

        Raises `SessionTakenError` for a second caller and `OfferError` for an offer that can't be answered.
        """
        async with self._answering:
            if self._connection is not None:
                if pc_id != self._connection.pc_id:
                    raise SessionTakenError("This call was answered elsewhere. Start a new call.")
                await self._connection.renegotiate(sdp=sdp, type=kind, restart_pc=restart)
                if restart:
                    release_at_once(self._connection.pc)
                return self._answer_of(self._connection)
            if "m=audio" not in sdp:
                raise OfferError("The offer is not a WebRTC session description with audio.")
            connection = webrtc_connection(
                ice_servers=self._settings.ice_servers,
                media_addresses=self._settings.media_addresses,
                connect_secs=self._settings.limits.connect_secs,
            )
            try:
                await connection.initialize(sdp=sdp, type=kind)
                release_at_once(connection.pc)
                answer = self._answer_of(connection)
            except Exception as error:
                await connection.disconnect()
                raise OfferError("The offer could not be read. Send the SDP as the browser made it.") from error
            self._connection = connection
            self._run = asyncio.create_task(self._serve(connection), name=f"session-{self._id}")
            return answer

    async def add_candidates(self, *, pc_id: str, candidates: Sequence[tuple[str, str | None, int | None]]) -> None:
        """Takes the caller's late ICE candidates, each (candidate, sdp_mid, sdp_mline_index)."""
        if self._connection is None or pc_id != self._connection.pc_id:
            raise OfferError("These candidates belong to no connection of this call.")
        for text, mid, line in candidates:
            candidate = None
            if text:
                candidate = candidate_from_sdp(text.removeprefix("candidate:"))
                candidate.sdpMid, candidate.sdpMLineIndex = mid, line
            await self._connection.add_ice_candidate(candidate)

    async def end(self, reason: str) -> None:
        """Ends the call: tells the page why, lets what is queued go out, then cancels."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._worker is None or self._runner is None:
            self._finish()
            return
        if reason in FAREWELLS and self._connected.is_set():
            message = {"type": "call_ended", "reason": reason, "text": FAREWELLS[reason]}
            await self._worker.queue_frames([RTVIServerMessageFrame(data=message), EndFrame()])
            if self._run is not None:
                await asyncio.wait({self._run}, timeout=GRACE_SECS)
        await self._runner.cancel(reason)

    async def _serve(self, connection: SmallWebRTCConnection) -> None:
        retrieval = self._settings.retrieval
        search = KnowledgeClient(
            retrieval.socket,
            timeout_secs=retrieval.timeout_secs,
            collection=retrieval.collection,
            access=retrieval.access,
        )
        limits = asyncio.create_task(self._keep_limits(), name=f"limits-{self._id}")
        try:
            transport, services = webrtc_transport(connection), self._services(search)
            call = build_pipeline(
                self._settings, transport=transport, services=services, search=search, models=self._models
            )
            self._worker = worker = PipelineWorker(
                call.pipeline,
                params=PipelineParams(audio_in_sample_rate=16000, audio_out_sample_rate=24000),
                observers=[TurnObserver(report=self._report)],
                rtvi_observer_params=RTVIObserverParams(bot_llm_enabled=False, metrics_enabled=False),
                enable_turn_tracking=False,
                idle_timeout_secs=self._settings.limits.idle_secs,
                cancel_on_idle_timeout=False,
                conversation_id=self._id,
            )
            self._listen(worker, transport, call, services.llm)
            self._keep_gaps(call, search)
            self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
            await self._runner.add_workers(worker)
            await self._runner.run()
        except Exception as error:
            logger.error("session {}: the pipeline failed: {} at {}", self._id, type(error).__name__, place_of(error))
            self._reason = "error"
        finally:
            limits.cancel()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(connection.disconnect(), GRACE_SECS)
            await search.aclose()
            self._finish()

    def _services(self, knowledge: KnowledgeClient) -> Services:
        persona, socket = self._settings.persona, self._settings.speech_socket
        instruction = prompt("instruction", name=persona.name, business=persona.business)
        return Services(
            stt=self._settings.stt.build(speech_socket=socket),
            llm=self._settings.llm.build(instruction=instruction, similarity=knowledge),
            tts=self._settings.tts.build(speech_socket=socket),
        )

    def _listen(self, worker: PipelineWorker, transport: Any, call: CallPipeline, llm: LLMService) -> None:
        greeting = self._settings.persona.spoken_greeting(self._settings.llm.notice)

        @transport.event_handler("on_client_connected")
        async def on_client_connected(_transport: object, _client: object) -> None:
            if not self._connected.is_set():
                self._connected.set()
                self._report({"type": "connected"})
                await worker.queue_frame(TTSSpeakFrame(greeting))

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(_transport: object, _client: object) -> None:
            await self.end("hang_up")

        @worker.event_handler("on_idle_timeout")
        async def on_idle_timeout(_worker: object) -> None:
            await self.end("idle")

        @worker.event_handler("on_pipeline_error")
        async def on_pipeline_error(_worker: object, frame: ErrorFrame) -> None:
            # What the application reports of itself, it has coped with; anything else cost the caller the answer.
            if frame.processor is llm and frame.category is not ErrorCategory.APPLICATION:
                self._report({"type": "llm_failed"})
                await worker.queue_frame(TTSSpeakFrame(NO_ANSWER))

        @call.citations.event_handler("on_citation")
        async def on_citation(_processor: object, citation: Citation) -> None:
            self._report({"type": "citation", "document": str(citation.passage.document_id)})

        @call.citations.event_handler("on_marker_dropped")
        async def on_marker_dropped(_processor: object, count: int) -> None:
            self._report({"type": "marker_dropped", "count": count})

        @call.user.event_handler("on_user_turn_stop_timeout")
        async def on_user_turn_stop_timeout(_aggregator: object) -> None:
            self._report({"type": "turn_stop_timeout"})

    def _keep_gaps(self, call: CallPipeline, search: KnowledgeClient) -> None:
        @call.citations.event_handler("on_unanswered")
        async def on_unanswered(_processor: object, question: str, passages: Sequence[Passage]) -> None:
            # What the embedded answerer has a reply of its own to is nothing that a document could answer.
            if small_talk(question) is None:
                self._report({"type": "gap"})
                try:
                    await search.record_gap(question, passages)
                except KnowledgeError as error:
                    logger.warning("session {}: a gap was not kept: {}", self._id, type(error).__name__)

    async def _keep_limits(self) -> None:
        limits = self._settings.limits
        try:
            await asyncio.wait_for(self._connected.wait(), limits.connect_secs)
        except TimeoutError:
            await self.end("never_connected")
            return
        await asyncio.sleep(limits.max_duration_secs)
        await self.end("max_duration")

    def _finish(self) -> None:
        if not self.ended.is_set():
            self.ended.set()
            self._report({"type": "ended", "reason": self._reason or "hang_up"})

    @staticmethod
    def _answer_of(connection: SmallWebRTCConnection) -> dict[str, str]:
        answer = connection.get_answer()
        if answer is None:
            raise OfferError("The offer could not be answered.")
        return answer


def place_of(error: BaseException) -> str:
    """The file and line that raised the error: what a log may say of it, unlike its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
