"""Deepgram's recognisers, as our turns need them.

VAD and smart-turn decide here when a turn ends, and wait for a transcript: a stretch of speech that got none would keep
a caller waiting until Pipecat's last resort. Pipecat's services leave that open.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Any

from deepgram.core import ApiError
from deepgram.listen.v1.types import ListenV1Results
from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    STTMetadataFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.services.deepgram.flux.stt import DeepgramFluxSTTService
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.stt_service import STTService
from pipecat.utils.errors import ErrorCategory
from pipecat.utils.time import time_now_iso8601
from websockets.exceptions import ConnectionClosed

from bot.providers.liveness import give_up, is_there

# A call begins without its recogniser after so long; it goes on connecting.
CONNECT_SECS = 0.5
# A stretch of speech that is over has its words by then: several times what Deepgram takes.
ANSWER_SECS = 2.0
# Between two attempts to connect of which Pipecat gave the first up, unless somebody begins to speak.
AGAIN_SECS = 5.0
TOO_MANY_REQUESTS = 429
# In a silence so long Flux has transcribed all that was said, and ends its turn when told to.
TRANSCRIBED_SECS = 0.5
# Audio that isn't taken for so long would hold up the whole call: what hears the caller speak is behind it.
SEND_SECS = 0.2
# From the end of speech to Flux's words, the silence above included; 99 of 100 come by then.
FLUX_P99_SECS = 1.0
NO_WORDS = " "


class _Answering(STTService):
    """Has an answer to each stretch of speech: its words, or a blank transcript, which ends a turn at once."""

    _waiting: asyncio.Task[None] | None = None
    _has_words = False
    _has_spoken = False

    @property
    def _socket(self) -> Any:
        """The connection as `websockets` has it; None where there is none."""
        raise NotImplementedError

    async def run_stt(self, audio: bytes) -> AsyncGenerator[Frame | None, None]:
        """Sends audio; a connection that takes none is given up."""
        sending = super().run_stt(audio)  # pyright: ignore[reportAbstractUsage]  (a real one stands behind this)
        try:
            async with asyncio.timeout(SEND_SECS):
                frames = [frame async for frame in sending]
        except TimeoutError:
            await self._lose("Deepgram takes no audio")
            return
        for frame in frames:
            yield frame

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Watches for the end of each stretch of speech."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            await self._stop_waiting()
            self._has_words = self._has_spoken = False
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame) and not self._has_words:
            await self._stop_waiting()
            self._waiting = self.create_task(self._wait(), "answer")

    async def push_frame(self, frame: Frame, direction: FrameDirection = FrameDirection.DOWNSTREAM) -> None:
        """Notes the words that go by."""
        if isinstance(frame, TranscriptionFrame):
            self._has_words = True
            frame.text = frame.text or NO_WORDS
        await super().push_frame(frame, direction)

    async def cleanup(self) -> None:
        """Stops waiting with the call."""
        await self._stop_waiting()
        await super().cleanup()

    async def begin_anew(self) -> None:
        """Gives the connection up, with the words that are owed on it; Pipecat's service connects anew."""
        if self._socket is not None:
            give_up(self._socket)

    async def _wait(self) -> None:
        await asyncio.sleep(ANSWER_SECS)
        if self._has_words:
            return
        if not self._has_spoken:
            await self.push_error("Deepgram does not answer", category=ErrorCategory.CONNECTIVITY)
        await self._say_nothing()
        if self._socket is not None and not await is_there(self._socket):
            await self._lose("Deepgram is not there any more")

    async def _lose(self, why: str) -> None:
        await self.begin_anew()
        await self.push_error(why, category=ErrorCategory.CONNECTIVITY)

    async def _say_nothing(self) -> None:
        """A blank transcript, where there is none yet: after one, it could come behind the turn and begin another."""
        if not self._has_words:
            await self.push_frame(TranscriptionFrame(NO_WORDS, self._user_id, time_now_iso8601(), finalized=True))

    async def _stop_waiting(self) -> None:
        if self._waiting is not None:
            await self.cancel_task(self._waiting)
            self._waiting = None


class NovaSTTService(_Answering, DeepgramSTTService):
    """Pipecat's, which connects in the background where that takes long, and says so when no word was understood."""

    _again_at = 0.0

    @property
    def _socket(self) -> Any:
        return None if self._connection is None else self._connection._websocket

    async def _connect(self) -> None:
        # Pipecat's returns when it is connected or has given up: after 38 s where a handshake is not answered.
        with suppress(TimeoutError):
            async with asyncio.timeout(CONNECT_SECS):
                await super()._connect()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Connects anew where Pipecat's gave up; whether it is asked at all is for its circuit to say."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._again_at = 0.0
        if isinstance(frame, VADUserStartedSpeakingFrame | InputAudioRawFrame) and self._has_given_up:
            self._again_at = time.monotonic() + AGAIN_SECS
            await self._connect()
        await super().process_frame(frame, direction)

    async def push_error_frame(self, error: ErrorFrame, force_treat_as_permanent: bool = False) -> None:
        """Push it; to Pipecat's any refusal is for good, but too many requests are fewer a moment later."""
        if isinstance(error.exception, ApiError) and error.exception.status_code == TOO_MANY_REQUESTS:
            error.category, force_treat_as_permanent = ErrorCategory.RATE_LIMIT, False
        await super().push_error_frame(error, force_treat_as_permanent)

    @property
    def _has_given_up(self) -> bool:
        task = self._connection_task
        return task is not None and task.done() and self.is_usable and time.monotonic() >= self._again_at

    async def _on_message(self, message: Any) -> None:
        self._has_spoken = True
        await super()._on_message(message)
        if isinstance(message, ListenV1Results) and message.is_final and message.from_finalize:
            await self._say_nothing()


class FluxSTTService(_Answering, DeepgramFluxSTTService):
    """Pipecat's, for turns that Flux does not decide.

    It ends its own turns for its own reasons, up to five seconds after the last word. Where our VAD hears silence it is
    told to (`ForceEndTurn`): at its first guess that the turn has ended, at the latest when all is transcribed. How it
    would have turns begin and end is not recommended to the rest of the pipeline.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(ttfs_p99_latency=FLUX_P99_SECS, **kwargs)
        self._is_silent = True
        self._has_guessed = False
        self._ending: asyncio.Task[None] | None = None

    @property
    def _socket(self) -> Any:
        return self._websocket

    @property
    def supports_ttfs(self) -> bool:
        """True: without a time to wait for words, a turn of two stretches would end with those of the first."""
        return True

    def service_metadata_frame(self) -> STTMetadataFrame:
        """Nothing but that time."""
        frame = super().service_metadata_frame()
        frame.user_turn_strategies = None
        return frame

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Ends Flux's turn in a silence."""
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._is_silent = False
            await self._leave_open()
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._is_silent = True
            await self._leave_open()
            self._ending = self.create_task(self._end_transcribed(), "end-of-turn")

    async def cleanup(self) -> None:
        """Stops waiting with the call."""
        await self._leave_open()
        await super().cleanup()

    async def _handle_turn_info(self, data: dict[str, Any]) -> None:
        self._has_spoken = True
        self._has_guessed = data.get("event") == "EagerEndOfTurn" or (
            self._has_guessed and data.get("event") == "Update"
        )
        await super()._handle_turn_info(data)
        if self._has_guessed and self._is_silent:
            await self._end_turn()

    async def _end_transcribed(self) -> None:
        if not self._has_guessed:
            await asyncio.sleep(TRANSCRIBED_SECS)
        await self._end_turn()

    async def _end_turn(self) -> None:
        if self._user_is_speaking and self._transport_is_active():
            # A lost connection is told where it is read.
            with suppress(ConnectionClosed):
                await self._transport_send_json({"type": "ForceEndTurn"})

    async def _leave_open(self) -> None:
        if self._ending is not None:
            await self.cancel_task(self._ending)
            self._ending = None
