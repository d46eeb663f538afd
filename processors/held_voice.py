"""The bot's voice, which can be held in mid-word and goes on at the sample where it was held."""

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass

from pipecat.audio.filters.base_audio_filter import BaseAudioFilter
from pipecat.frames.frames import (
    BotStoppedSpeakingFrame,
    FilterControlFrame,
    Frame,
    InterruptionFrame,
    SystemFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor, FrameProcessorSetup

from processors.echo import JustSaid

# A voice that nobody lets go on does so by itself: a call is never silent for good.
LONGEST_HOLD_SECS = 4.0


@dataclass
class HoldVoiceFrame(SystemFrame):
    """The voice is to fall silent, and to keep what it has not said yet."""


@dataclass
class ResumeVoiceFrame(SystemFrame):
    """The voice is to go on where it was held."""


class VoiceGate(BaseAudioFilter):
    """An output transport's filter, which keeps the transport waiting while the voice is held.

    Pipecat filters each 20 ms of sound right before it is written, so that what is held is what was not heard.
    """

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._dropping = False

    @property
    def held(self) -> bool:
        """Whether the voice is being held."""
        return not self._open.is_set()

    def hold(self) -> None:
        """Lets no sound pass from now on."""
        self._dropping = False
        self._open.clear()

    def release(self, *, drop: bool = False) -> None:
        """Lets sound pass again; with `drop`, without the piece that waits."""
        if self.held:
            self._dropping = drop
            self._open.set()

    async def start(self, sample_rate: int) -> None:
        """Needs nothing."""

    async def stop(self) -> None:
        """Lets go whoever waits."""
        self.release(drop=True)

    async def process_frame(self, frame: FilterControlFrame) -> None:
        """Has nothing to set: what is to be held can't wait in line behind sound."""

    async def filter(self, audio: bytes) -> bytes:
        """The sound as it is, once it may pass; nothing of a piece that is dropped."""
        if self._open.is_set():
            return audio
        try:
            async with asyncio.timeout(LONGEST_HOLD_SECS):
                await self._open.wait()
        except TimeoutError:
            self.release()
        if self._dropping:
            self._dropping = False
            return b""
        return audio


class HeldVoice(FrameProcessor):
    """Holds the voice and lets it go on; stands behind the output transport, whose filter it becomes.

    A word is passed on when it is heard: its time, which is that of an undisturbed voice, comes as much later as the
    voice was held since it began to speak. What was not heard when the voice is interrupted is never passed on.
    """

    def __init__(self, *, output: FrameProcessor, just_said: JustSaid) -> None:
        super().__init__()
        self.gate = VoiceGate()
        vars(output)["_params"].audio_out_filter = self.gate
        self._just_said = just_said
        self._later: deque[tuple[float, Frame, FrameDirection]] = deque()
        self._held_since: float | None = None
        self._held_secs = 0.0
        self._moved = asyncio.Event()
        self._passing: asyncio.Task[None] | None = None

    async def setup(self, setup: FrameProcessorSetup) -> None:
        """Begins to pass on what comes later."""
        await super().setup(setup)
        self._passing = self.create_task(self._pass_on())

    async def cleanup(self) -> None:
        """Stops."""
        await super().cleanup()
        if self._passing is not None:
            await self.cancel_task(self._passing)
            self._passing = None

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Passes everything on, timed words when they are heard; takes what it is told of the voice."""
        await super().process_frame(frame, direction)
        match frame:
            case HoldVoiceFrame():
                self._hold()
                return
            case ResumeVoiceFrame():
                self._resume()
                return
            case InterruptionFrame():
                self._resume(drop=True)
                await self._flush(heard=False)
            case BotStoppedSpeakingFrame() if direction is FrameDirection.DOWNSTREAM:
                self._resume()
                await self._flush(heard=True)
                self._held_secs = 0.0
            case _:
                pass
        if self._is_late(frame, direction):
            self._later.append((self._now(), frame, direction))
            self._moved.set()
            return
        await self._push(frame, direction)

    def _is_late(self, frame: Frame, direction: FrameDirection) -> bool:
        """Whether it goes by the voice's time, and that is behind."""
        if direction is not FrameDirection.DOWNSTREAM or isinstance(frame, SystemFrame) or not frame.pts:
            return False
        return bool(self._later) or self._held_secs_now() > 0

    def _hold(self) -> None:
        if self._held_since is None:
            self._held_since = self._now()
            self.gate.hold()

    def _resume(self, *, drop: bool = False) -> None:
        self._held_secs = self._held_secs_now()
        self._held_since = None
        self.gate.release(drop=drop)
        self._moved.set()

    def _held_secs_now(self) -> float:
        """How long the voice was held since it began to speak."""
        if self._held_since is None:
            return self._held_secs
        return self._held_secs + self._now() - self._held_since

    def _played_at(self) -> float:
        """The time as the voice has it, which stands still while it is held."""
        return self._now() - self._held_secs_now()

    def _now(self) -> float:
        return self.get_event_loop().time()

    async def _pass_on(self) -> None:
        while True:
            while self._later and not self.gate.held and self._later[0][0] <= self._played_at():
                _, frame, direction = self._later.popleft()
                await self._push(frame, direction)
            wait = None if not self._later or self.gate.held else self._later[0][0] - self._played_at()
            self._moved.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._moved.wait(), wait)

    async def _flush(self, *, heard: bool) -> None:
        """Passes on what waits, and where it was not `heard` only what must not be lost."""
        later, self._later = self._later, deque()
        for _, frame, direction in later:
            if heard or not frame.interruptible:
                await self._push(frame, direction)

    async def _push(self, frame: Frame, direction: FrameDirection) -> None:
        if isinstance(frame, TTSTextFrame):
            self._just_said.note(frame.text, at=self._now())
        await self.push_frame(frame, direction)
