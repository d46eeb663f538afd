"""One call from connect to hang-up."""

import asyncio
import time
import traceback
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web
from loguru import logger
from pipecat.frames.frames import (
    EndFrame,
    ErrorFrame,
    Frame,
    InterruptionFrame,
    LLMMessagesUpdateFrame,
    LLMRunFrame,
    TTSSpeakFrame,
)
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIObserverParams, RTVIServerMessageFrame
from pipecat.utils.errors import ErrorCategory
from pipecat.workers.runner import WorkerRunner

from bot.answering import channel_for
from bot.budget import Level
from bot.change import Change
from bot.channels import Join, Signals
from bot.choices import check, check_voice, frames
from bot.errors import ChangeError, OfferError
from bot.failover import Failover, answerer, listener, speaker
from bot.grounds import tell_grounds
from bot.guessing import guess_report
from bot.limits import SILENCED_SECS, LimitKeeper
from bot.observers import TurnObserver
from bot.phrases import Opening, opening_of
from bot.pipeline import CallPipeline, Services, build_pipeline
from bot.reports import Floor, Message, Report
from bot.said import Said
from bot.settings import BotSettings
from bot.speech.client import SpeechClient
from bot.story import Story, awaits_answer, without_last_answer
from bot.talk.parting import part_after_goodbye
from bot.talk.requests import Request
from bot.tools.toolbox import tools_of
from bot.transports import Channel
from bot.turns import TurnModels
from knowledge.client import KnowledgeClient
from processors.guess import Guesses
from processors.takes import VoiceCache

GRACE_SECS = 3.0

# Before these, goodbye was said to its end.
GOODBYE_SAID = ("goodbye", "idle", "max_duration", "closed")


class Session:
    """A caller's connection and its one bot.

    `story` is what was said before, where this bot goes on with a call that another one lost; None where the call is
    new. `report` is told what happens: `answered` an offer, `connected`, `turn`, `filler`, `interruption`, `said`,
    `story`, `citation`, `marker_dropped`, `unsupported`, `gap`, `guess`, `provider`, `failover`, `usage`, `route`,
    `speech_cache`, `changed`, `llm_failed`, `turn_stop_timeout`, `talk_request`, `tool`, `message`, and at last `ended`
    with its reason (hang_up, goodbye, idle, max_duration, closed, never_connected, shutdown, operator, error).
    """

    def __init__(
        self,
        *,
        session_id: str,
        settings: BotSettings,
        models: TurnModels,
        report: Report,
        story: Sequence[Message] | None = None,
    ):
        self._id = session_id
        self._settings = settings
        self._words = settings.words
        self._models = models
        self._tell_server = report
        self._story = story
        self._chosen = settings.chosen
        self._services: Services | None = None
        self._channel: Channel | None = None
        self._turns = TurnObserver(report=self._report)
        self._failover = Failover(settings, report=self._report)
        self._silent = asyncio.Event()
        self._connected = asyncio.Event()
        self._worker: PipelineWorker | None = None
        self._limits: LimitKeeper | None = None
        self._runner: WorkerRunner | None = None
        self._run: asyncio.Task[None] | None = None
        self._reason: str | None = None
        self.ended = asyncio.Event()

    @property
    def floor(self) -> Floor:
        """Who has the word."""
        return self._turns.floor

    @property
    def joined(self) -> bool:
        """Whether a caller's offer was answered."""
        return self._run is not None

    def learn(self, known: Sequence[Mapping[str, Any]]) -> None:
        """Takes what other calls found of the providers, as they reported it."""
        self._failover.learn(known)

    def limit(self, day: Level) -> None:
        """Takes what the day's budget leaves."""
        self._failover.limit(day)

    async def change(self, change: Change) -> None:
        """Lets others listen, answer or speak from the next turn on; raises `ChangeError` for those it has not."""
        if self._reason is not None:
            raise ChangeError("This call is ending.")
        check(change, self._settings)
        speech = SpeechClient(self._settings.speech_socket)
        try:
            await check_voice(self._chosen.then(change), self._settings, speech)
        finally:
            await speech.aclose()
        made = self._choose(change)
        if self._worker is not None:
            await self._worker.queue_frames(made)

    def _choose(self, change: Change) -> list[Frame]:
        """Takes a change over for the rest of the call, and returns what makes it."""
        self._chosen = self._chosen.then(change)
        self._report({"type": "changed", "change": change.model_dump(exclude_none=True)})
        return [] if self._services is None else frames(self._chosen, self._settings, self._services)

    async def connect(self, join: Join) -> dict[str, str]:
        """Joins the caller, or joins them again: the channel's answer.

        Raises `SessionTakenError` for a second caller and `OfferError` for one that can't be joined so.
        """
        if self._reason is not None:
            raise OfferError("This call is ending.")
        if self._channel is None:
            self._channel = channel_for(join, self._settings)
        channel = self._channel
        answer = await channel.answer(join)
        self._report({"type": "answered", "pc_id": answer["pc_id"]})
        if self._run is None:
            with logger.contextualize(session=self._id):
                self._run = asyncio.create_task(self._serve(channel), name=f"session-{self._id}")
        return answer

    async def signal(self, signals: Signals) -> None:
        """Takes what a channel's two ends tell each other after the answer; raises `OfferError`."""
        await self._joined_channel().signal(signals)

    async def attach(self, pc_id: str, request: web.Request) -> web.StreamResponse:
        """Serves the websocket of a caller who was answered, to its end; raises `OfferError`."""
        if self._reason is not None:
            raise OfferError("This call is ending.")
        return await self._joined_channel().attach(pc_id, request)

    def _joined_channel(self) -> Channel:
        if self._channel is None:
            raise OfferError("There is no connection of this call yet.")
        return self._channel

    async def end(self, reason: str) -> None:
        """Ends the call: falls silent, tells the page why, then cancels what has not ended by itself."""
        if self._reason is not None:
            return
        self._reason = reason
        if self._worker is None or self._runner is None:
            self._finish()
            return
        if reason in self._words.endings and self._connected.is_set():
            message = {"type": "call_ended", "reason": reason, "text": self._words.endings[reason]}
            # Pipecat plays all that is queued before it ends, and takes no cancel meanwhile.
            cut = [] if reason in GOODBYE_SAID else [InterruptionFrame()]
            await self._worker.queue_frames([*cut, RTVIServerMessageFrame(data=message), EndFrame()])
            if self._run is not None:
                await asyncio.wait({self._run}, timeout=GRACE_SECS)
        await self._runner.cancel(reason)

    def _report(self, event: dict[str, Any]) -> None:
        self._tell_server(event)
        if self._channel is not None:
            self._channel.reported(event)

    async def _serve(self, channel: Channel) -> None:
        retrieval = self._settings.retrieval
        search = KnowledgeClient(
            retrieval.socket, timeout_secs=retrieval.timeout_secs,
            collection=retrieval.collection, access=retrieval.access,
        )  # fmt: skip
        limits = asyncio.create_task(self._keep_limits(), name=f"limits-{self._id}")
        stack = AsyncExitStack()
        try:
            cache = await stack.enter_async_context(self._cache())
            transport, services = channel.transport(), self._built(search, cache)
            tools = await stack.enter_async_context(tools_of(self._settings, finder=search, report=self._report))
            call = build_pipeline(
                self._settings,
                transport=transport,
                services=services,
                search=search,
                models=self._models,
                guesses=Guesses(settled=lambda guess: self._report(guess_report(guess))),
                chosen=lambda: self._chosen,
                choose=self._choose,
                story=self._story or (),
                before_voice=channel.before_voice(),
                tools=tools,
            )
            story, said = Story(context=call.context, report=self._report), Said(report=self._report)
            said.listen(call)
            # Pipecat's spans hold what metrics measure; without them it costs less. Usage is told in any case.
            traced = self._settings.tracing is not None
            self._worker = worker = PipelineWorker(
                call.pipeline,
                params=PipelineParams(
                    audio_in_sample_rate=16000,
                    audio_out_sample_rate=24000,
                    enable_metrics=traced,
                    enable_usage_metrics=True,
                ),
                observers=[self._turns, story, said, *channel.observers()],
                rtvi_observer_params=RTVIObserverParams(
                    bot_llm_enabled=False, metrics_enabled=False, ignored_sources=services.members
                ),
                enable_turn_tracking=traced,
                enable_tracing=traced,
                idle_timeout_secs=None,
                conversation_id=self._id,
            )
            opening = opening_of(self._settings, at=datetime.now(UTC))
            self._listen(worker, transport, call, services.llm, story, opening)
            away = opening.words if opening.ends and self._story is None else None
            self._limits = LimitKeeper(
                self._settings.limits,
                silence=call.silence,
                push=worker.queue_frame,
                words=self._words,
                turned_away=away,
            )
            part_after_goodbye(worker, floor=lambda: self.floor, end=self.end)
            tell_grounds(
                call.citations, search, report=self._report, call_id=self._id, keeps=self._settings.retrieval.keep_gaps
            )
            self._services = services
            await worker.queue_frames(frames(self._chosen, self._settings, services))
            self._runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
            await self._runner.add_workers(worker)
            await self._runner.run()
        except Exception as error:
            logger.error("session {}: the pipeline failed: {} at {}", self._id, type(error).__name__, place_of(error))
            self._reason = "error"
        finally:
            limits.cancel()
            await channel.close(self._reason or "hang_up")
            await search.aclose()
            await stack.aclose()
            self._finish()

    def _cache(self) -> AbstractAsyncContextManager[VoiceCache | None]:
        if self._settings.speech_cache is None:
            return nullcontext()
        from bot.takes import voice_cache  # a bot whose voices have no cache loads none of it

        return voice_cache(
            self._settings,
            redis_url=self._settings.speech_cache.get_secret_value(),
            # Where no call is kept, no sentence of one is.
            call_id=self._id if self._settings.retrieval.keep_gaps else None,
            report=self._report,
        )

    def _built(self, knowledge: KnowledgeClient, cache: VoiceCache | None) -> Services:
        settings = self._settings
        return Services(
            stt=listener(settings, self._failover),
            llm=answerer(settings, self._failover, similarity=knowledge, spoken=True),
            tts=speaker(settings, self._failover, cache=cache),
        )

    def _listen(
        self, worker: PipelineWorker, transport: Any, call: CallPipeline, llm: FrameProcessor, story: Story,
        opening: Opening,
    ) -> None:  # fmt: skip
        @transport.event_handler("on_client_connected")
        async def on_client_connected(_transport: object, _client: object) -> None:
            first = not self._connected.is_set()
            self._connected.set()
            self._report({"type": "connected", "at": time.time(), "at_mono": time.monotonic()})
            if first and self._story is None:
                if not opening.ends:
                    await worker.queue_frame(TTSSpeakFrame(opening.words))
            else:
                await self._go_on(worker, call, first_words=opening.words)

        @call.assistant.event_handler("on_assistant_turn_started")
        async def on_assistant_turn_started(_aggregator: object) -> None:
            self._silent.clear()

        @call.assistant.event_handler("on_assistant_turn_stopped")
        async def on_assistant_turn_stopped(_aggregator: object, _message: object) -> None:
            story.tell()
            self._failover.tell_usage()
            self._silent.set()

        @transport.event_handler("on_client_disconnected")
        async def on_client_disconnected(_transport: object, _client: object) -> None:
            await self.end("hang_up")

        @worker.event_handler("on_pipeline_error")
        async def on_pipeline_error(_worker: object, frame: ErrorFrame) -> None:
            # What the application reports of itself, it has coped with; anything else cost the caller the answer.
            if frame.processor is llm and frame.category is not ErrorCategory.APPLICATION:
                self._report({"type": "llm_failed"})
                await worker.queue_frame(TTSSpeakFrame(self._words.no_answer))

        @call.talk.event_handler("on_request")
        async def on_request(_processor: object, request: Request) -> None:
            self._report({"type": "talk_request", "request": str(request)})

        @call.user.event_handler("on_user_turn_stopped")
        async def on_user_turn_stopped(_aggregator: object, _strategy: object, _turn: object) -> None:
            story.tell()

        @call.user.event_handler("on_user_turn_stop_timeout")
        async def on_user_turn_stop_timeout(_aggregator: object) -> None:
            self._report({"type": "turn_stop_timeout"})

    async def _go_on(self, worker: PipelineWorker, call: CallPipeline, *, first_words: str) -> None:
        """Speaks to a caller who was lost, and answers again what they asked but did not hear the answer to."""
        lost_at = self._joined_channel().lost_at
        messages = call.context.get_messages()
        frames: list[Frame] = [TTSSpeakFrame(self._words.lost_you, append_to_context=False)]
        if lost_at is not None and (self.floor == "bot" or self._turns.spoke_at > lost_at):
            await worker.queue_frame(InterruptionFrame())
            try:
                await asyncio.wait_for(self._silent.wait(), SILENCED_SECS)
            except TimeoutError:
                logger.warning("session {}: the bot did not fall silent for a caller who came back", self._id)
            heard = without_last_answer(call.context.get_messages())
            again = LLMMessagesUpdateFrame(heard, run_llm=True) if awaits_answer(heard) else TTSSpeakFrame(first_words)
            frames.append(again)
        elif lost_at is None and awaits_answer(messages):
            frames.append(LLMRunFrame())
        elif self.floor != "thinking":
            frames.append(TTSSpeakFrame(self._words.go_on, append_to_context=False))
        await worker.queue_frames(frames)

    async def _keep_limits(self) -> None:
        try:
            await asyncio.wait_for(self._connected.wait(), self._settings.limits.connect_secs)
        except TimeoutError:
            await self.end("never_connected")
            return
        assert self._limits is not None, "a caller connects to a pipeline"
        await self.end(await self._limits.keep())

    def _finish(self) -> None:
        if not self.ended.is_set():
            self.ended.set()
            self._failover.tell_usage()
            self._report({"type": "ended", "reason": self._reason or "hang_up"})


def place_of(error: BaseException) -> str:
    """The file and line that raised the error: what a log may say of it, unlike its text."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
