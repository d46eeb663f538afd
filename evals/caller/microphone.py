"""The caller's microphone: 20 ms frames in real time, silence unless there is something to say."""

import asyncio
import fractions
import time
from collections.abc import Callable, Sequence

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from evals.caller.audio import RATE_HZ, Run, Samples
from evals.degraded.packets import Fate

FRAME_MS = 20
FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
FRAME_SECS = FRAME_MS / 1000
# Sending more than this behind the clock skips frames, as a stalled sound card does, rather than send a burst.
LATEST_SECS = 2 * FRAME_SECS


def slot_to_send(next_slot: int, elapsed_secs: float) -> int:
    """The frame's place on the clock: the next one, or the current one when the next is long past."""
    late_secs = elapsed_secs - next_slot * FRAME_SECS
    return int(elapsed_secs / FRAME_SECS) if late_secs > LATEST_SECS else next_slot


class Microphone(MediaStreamTrack):
    """An audio track paced by the monotonic clock alone, so it neither drifts nor bursts."""

    kind = "audio"

    def __init__(self, *, on_frame: Callable[[float, Samples], Run | None], room: Samples | None = None) -> None:
        """`on_frame(monotonic seconds at which the frame is sent, samples)` returns where it was recorded, if it was.

        `room` is what is to be heard while nothing is said, again and again.

        A microphone sends a frame when it has captured all of it: the frame's last sample is as old as its sending.
        """
        super().__init__()
        self._on_frame = on_frame
        self._epoch_secs: float | None = None
        self._slot = 0
        self._room = np.zeros((1, FRAME_SAMPLES), np.int16) if room is None else _frames(room)
        self._unspoken: list[Samples] = []
        self._fates: list[Fate] = []
        self.fate = Fate()
        """What is to become of the frame that was handed out last."""
        self._spoken: Run | None = None
        self._first: int | None = None

    def say(self, samples: Samples, fates: Sequence[Fate] = ()) -> None:
        """Speak 48 kHz samples from the next frame on; `fates` are those of its frames, where the line is a bad one."""
        if self._unspoken:
            raise RuntimeError("The microphone is still speaking; wait for `spoken`.")
        self._unspoken = list(_frames(samples)[::-1])
        self._fates = list(fates)[::-1]
        self._spoken = self._first = None

    @property
    def spoken(self) -> Run | None:
        """Where the last speech was recorded; None until it has been sent."""
        return self._spoken

    async def recv(self) -> AudioFrame:
        """The next frame, when it is due."""
        if self.readyState != "live":
            raise MediaStreamError
        due_secs = await self._next_due()
        speech = self._unspoken.pop() if self._unspoken else None
        self.fate = self._fates.pop() if speech is not None and self._fates else Fate()
        samples = self._room[self._slot % len(self._room)] if speech is None else speech
        recorded = self._on_frame(due_secs, samples)
        if speech is not None and recorded is not None:
            self._first = recorded.start if self._first is None else self._first
            if not self._unspoken:
                self._spoken = Run(self._first, recorded.stop)
        frame = AudioFrame.from_ndarray(samples[None, :], format="s16", layout="mono")
        frame.sample_rate = RATE_HZ
        frame.time_base = fractions.Fraction(1, RATE_HZ)
        frame.pts = self._slot * FRAME_SAMPLES
        self._slot += 1
        return frame

    async def _next_due(self) -> float:
        if self._epoch_secs is None:
            self._epoch_secs = time.monotonic()
        self._slot = slot_to_send(self._slot, time.monotonic() - self._epoch_secs)
        due_secs = self._epoch_secs + self._slot * FRAME_SECS
        await asyncio.sleep(max(0.0, due_secs - time.monotonic()))
        return due_secs


def _frames(samples: Samples) -> Samples:
    return np.pad(samples, (0, -samples.size % FRAME_SAMPLES)).reshape(-1, FRAME_SAMPLES)
