"""A turn through a vendor's service, as a call has it: what came of it, and how soon."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    InputAudioRawFrame,
    InterruptionFrame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStoppedFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.pipeline.worker import PipelineParams
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.tests.utils import SleepFrame
from pipecat.utils.errors import ErrorCategory

from tests.patient import run_test

SPOKEN = "We open at nine."
QUESTION: Any = {"role": "user", "content": "When do you open?"}


@dataclass(frozen=True)
class Came:
    """The frames that came down and up, and the seconds until the pipeline had ended."""

    down: Sequence[Frame]
    up: Sequence[Frame]
    secs: float

    @property
    def text(self) -> str:
        """What a language model said."""
        return "".join(frame.text for frame in self.down if isinstance(frame, LLMTextFrame))

    @property
    def transcripts(self) -> list[tuple[str, bool]]:
        """What was heard, and whether it was final."""
        return [(frame.text, frame.finalized) for frame in self.down if isinstance(frame, TranscriptionFrame)]

    @property
    def pcm(self) -> bytes:
        """What was spoken."""
        return b"".join(frame.audio for frame in self.down if isinstance(frame, TTSAudioRawFrame))

    @property
    def categories(self) -> list[ErrorCategory | None]:
        """Why it failed."""
        return [frame.category for frame in (*self.up, *self.down) if isinstance(frame, ErrorFrame)]

    @property
    def is_ended(self) -> bool:
        """Whether who waits for the answer, or the speech, is told of its end."""
        return any(isinstance(frame, LLMFullResponseEndFrame | TTSStoppedFrame) for frame in self.down)


async def answered(service: FrameProcessor, *messages: Any, **context: Any) -> Came:
    """A language model is asked."""
    return await _run(service, [LLMContextFrame(LLMContext(messages=list(messages) or [QUESTION], **context))])


async def heard(service: FrameProcessor) -> Came:
    """A second of speech, and its end."""
    speech = InputAudioRawFrame(b"\x01\x00" * 16_000, 16_000, 1)
    return await _run(service, [VADUserStartedSpeakingFrame(), speech, VADUserStoppedSpeakingFrame()])


async def spoken(service: FrameProcessor) -> Came:
    """A text is spoken."""
    return await _run(service, [TTSSpeakFrame(SPOKEN)])


async def interrupted(service: FrameProcessor, frame: Frame) -> Came:
    """The caller speaks while the frame is being answered, or spoken."""
    return await _run(service, [frame, SleepFrame(0.5), InterruptionFrame()])


async def _run(service: FrameProcessor, frames: Sequence[Frame]) -> Came:
    begin_secs = time.monotonic()
    rates = PipelineParams(audio_in_sample_rate=16_000, audio_out_sample_rate=24_000)
    down, up = await run_test(service, frames_to_send=frames, pipeline_params=rates)
    return Came(down, up, time.monotonic() - begin_secs)
