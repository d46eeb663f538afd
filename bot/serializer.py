"""The wire format of `/audio/ingest` (`bot/wire.py`) as Pipecat's frames."""

import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from pipecat.audio.utils import create_stream_resampler
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageFrame,
    OutputTransportMessageUrgentFrame,
)
from pipecat.processors.frame_processor import FrameProcessorSetup
from pipecat.serializers.base_serializer import FrameSerializer

from bot.codecs import SAMPLE_BYTES, SoundCodec
from bot.intake import Intake
from bot.wire import MAX_MESSAGE_BYTES, Close, End, WireError, interrupted, read_text, send_text

# Good to 16 bits, and 22 ms quicker than Pipecat's default: what is spoken passes its filter before it is heard.
RESAMPLING = "MQ"

Tell = Callable[[Mapping[str, Any]], Awaitable[None]]
LetGo = Callable[[Close], Awaitable[None]]


class WireSerializer(FrameSerializer):
    """Takes what a caller sends as far as it makes sense; what does not is dropped, and its sender told.

    `tell` sends a message to the caller, `let_go` closes the connection; `Close.ENDED` says that the caller hung up.
    """

    def __init__(self, *, codec: SoundCodec, tell: Tell, let_go: LetGo, clock: Callable[[], float] = time.monotonic):
        super().__init__()
        self._codec = codec
        self._tell = tell
        self._let_go = let_go
        self._clock = clock
        self._intake = Intake()
        self._resampler = create_stream_resampler(quality=RESAMPLING)
        self._rate_hz = codec.heard_hz

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Learns the rate at which the pipeline hears."""
        self._rate_hz = setup.audio_in_sample_rate

    async def serialize(self, frame: Frame) -> str | bytes | None:
        """The message for the caller, where the frame is one."""
        if isinstance(frame, OutputAudioRawFrame):
            return self._codec.encode(frame.audio)
        if isinstance(frame, InterruptionFrame):
            # RTVI's own message may come before the last of the sound that it is about.
            return json.dumps(interrupted())
        if isinstance(frame, OutputTransportMessageFrame | OutputTransportMessageUrgentFrame):
            return None if frame.message.get("type") == interrupted()["type"] else json.dumps(frame.message)
        return None

    async def deserialize(self, data: str | bytes) -> Frame | None:
        """The frame that the caller's message is; None where it asks for nothing more, or can't be taken."""
        try:
            return await (self._heard(data) if isinstance(data, bytes) else self._read(data))
        except WireError as error:
            match self._intake.verdict(error.fault, now=self._clock()):
                case "tell":
                    await self._tell(error.to_message())
                case "close":
                    await self._let_go(Close.ABUSE)
        return None

    async def _heard(self, message: bytes) -> Frame | None:
        if not message:
            return None
        if len(message) > MAX_MESSAGE_BYTES:
            raise WireError("too_large")
        pcm = self._codec.decode(message)
        if not self._intake.admits(len(pcm) / SAMPLE_BYTES / self._codec.heard_hz, now=self._clock()):
            raise WireError("too_fast")
        audio = await self._resampler.resample(pcm, self._codec.heard_hz, self._rate_hz)
        return InputAudioRawFrame(audio=audio, sample_rate=self._rate_hz, num_channels=1) if audio else None

    async def _read(self, text: str) -> Frame | None:
        if len(text) > MAX_MESSAGE_BYTES:
            raise WireError("too_large")
        message = read_text(text)
        if isinstance(message, End):
            await self._let_go(Close.ENDED)
            return None
        return InputTransportMessageFrame(message=send_text(message.text, message_id=uuid.uuid4().hex))
