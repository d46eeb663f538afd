"""What happened in a call, as numbers: what the bot tells the server, without a word of what was said."""

import time
from collections.abc import Callable

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed

from bot.reports import Floor, Report

_FLOORS: dict[type, Floor] = {
    UserStartedSpeakingFrame: "caller",
    UserStoppedSpeakingFrame: "thinking",
    BotStartedSpeakingFrame: "bot",
    BotStoppedSpeakingFrame: "nobody",
}


class TurnObserver(BaseObserver):
    """Reports `{"type": "turn", "number", "latency_secs"}` as the bot begins to speak after the caller stopped.

    `latency_secs` runs from the caller's last voiced sample, as the VAD places it, to the first sound handed to the
    transport. What the channel adds is heard only from outside. `floor` is who has the word, `spoke_at` when the bot
    last ended to speak, by the clock.
    """

    def __init__(self, *, report: Report, clock: Callable[[], float] = time.time):
        super().__init__(observe_every_push=False)
        self._report = report
        self._clock = clock
        self._stopped_at: float | None = None
        self._number = 0
        self.floor: Floor = "nobody"
        self.spoke_at = 0.0

    async def on_push_frame(self, data: FramePushed) -> None:
        """Hears each frame once."""
        frame = data.frame
        self.floor = _FLOORS.get(type(frame), self.floor)
        if isinstance(frame, BotStoppedSpeakingFrame):
            self.spoke_at = self._clock()
        if isinstance(frame, VADUserStoppedSpeakingFrame):
            self._stopped_at = frame.timestamp - frame.stop_secs
        elif isinstance(frame, BotStartedSpeakingFrame) and self._stopped_at is not None:
            self._number += 1
            latency = self._clock() - self._stopped_at
            self._stopped_at = None
            self._report({"type": "turn", "number": self._number, "latency_secs": round(latency, 3)})
