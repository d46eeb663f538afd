"""The last answer as it was heard, to be heard again without a voice."""

import copy
from dataclasses import dataclass, field

from pipecat.frames.frames import (
    AggregatedTextFrame,
    AggregatedTextProgressFrame,
    Frame,
    InterruptionFrame,
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.utils.utils import obj_id

from processors.frames import RepeatedAudioFrame, RepeatFrame

# 3 MB at 24 kHz; a longer answer is spoken again.
LONGEST_SECS = 60.0
BYTES_PER_SAMPLE = 2


@dataclass(slots=True)
class Tape:
    """The sound and the words of one answer, in their order, and whether they are all of it.

    `from_ns` is the time of the first sound, from which the times of the words count.
    """

    number: int = 0
    whole: bool = False
    frames: list[Frame] = field(default_factory=list[Frame])
    from_ns: int = 0
    secs: float = 0.0

    def has(self, number: int) -> bool:
        """Whether all of this answer is there."""
        return self.whole and self.number == number

    def begin(self, number: int) -> None:
        """An answer begins."""
        self.forget()
        self.number = number

    def forget(self) -> None:
        """There is nothing to be heard again: the voice has changed, or the answer was cut off."""
        self.number, self.whole, self.frames, self.secs = 0, False, [], 0.0

    def hear(self, frame: Frame, *, now_ns: int) -> None:
        """Takes in what comes of the answer."""
        if not self.number or self.whole:
            return
        if isinstance(frame, TTSAudioRawFrame):
            self.from_ns = self.from_ns if self.secs else now_ns
            self.secs += len(frame.audio) / (frame.sample_rate * frame.num_channels * BYTES_PER_SAMPLE)
        if self.secs > LONGEST_SECS:
            self.forget()
        else:
            self.frames.append(frame)

    def end(self) -> None:
        """The answer is over."""
        self.whole = self.secs > 0

    def again(self, *, now_ns: int) -> list[Frame]:
        """The frames, from now on."""
        ids: dict[int, int] = {}
        return [self._again(frame, ids, now_ns=now_ns) for frame in self.frames]

    def _again(self, frame: Frame, ids: dict[int, int], *, now_ns: int) -> Frame:
        if isinstance(frame, TTSAudioRawFrame):
            made = RepeatedAudioFrame(frame.audio, frame.sample_rate, frame.num_channels)
            made.transport_destination = frame.transport_destination
            return made
        made = copy.copy(frame)
        made.id, made.metadata = ids.setdefault(frame.id, obj_id()), {}
        if isinstance(made, TTSTextFrame | AggregatedTextProgressFrame) and made.segment_id is not None:
            made.segment_id = ids.setdefault(made.segment_id, obj_id())
        if frame.pts:
            made.pts = max(now_ns, frame.pts - self.from_ns + now_ns)
        return made


class TapeProcessor(FrameProcessor):
    """Stands behind the voice: records what leaves it of an answer, and plays it where a `RepeatFrame` comes.

    To all that stand behind it, what is played is speech: it is heard, can be cut off, and is in the context.
    """

    def __init__(self, *, tape: Tape) -> None:
        super().__init__()
        self._tape = tape

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Records, and passes on all but a `RepeatFrame`."""
        await super().process_frame(frame, direction)
        if isinstance(frame, RepeatFrame):
            await self._play()
            return
        if direction is FrameDirection.DOWNSTREAM:
            self._hear(frame)
        await self.push_frame(frame, direction)

    def _hear(self, frame: Frame) -> None:
        match frame:
            case LLMFullResponseStartFrame():
                self._tape.begin(frame.id)
            case LLMFullResponseEndFrame():
                self._tape.end()
            case InterruptionFrame() if not self._tape.whole:
                self._tape.forget()
            case TTSAudioRawFrame() | AggregatedTextFrame() | AggregatedTextProgressFrame():
                self._tape.hear(frame, now_ns=self.get_clock().get_time())
            case _:
                pass

    async def _play(self) -> None:
        frames = self._tape.again(now_ns=self.get_clock().get_time())
        end = LLMAssistantPushAggregationFrame()
        # What has a time goes another way than what has none, and the end must not overtake the last word.
        end.pts = max((frame.pts + 1 for frame in frames if frame.pts), default=None)
        for frame in (TTSStartedFrame(), *frames, end, TTSStoppedFrame()):
            await self.push_frame(frame)
