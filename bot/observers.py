"""What happened in a call, as numbers: what the bot tells the server, without a word of what was said."""

import time
from collections.abc import Callable

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    LLMTextFrame,
    TranscriptionFrame,
    TTSAudioRawFrame,
    TTSStoppedFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed

from bot.reports import Floor, Report, Stage
from bot.stages import Stages
from processors.frames import FillerFrame, PassagesFrame

_FLOORS: dict[type[Frame], Floor] = {
    UserStartedSpeakingFrame: "caller",
    UserStoppedSpeakingFrame: "thinking",
    BotStartedSpeakingFrame: "bot",
    BotStoppedSpeakingFrame: "nobody",
}
# The frame whose first push ends a stage.
_ENDS: dict[type[Frame], Stage] = {
    TranscriptionFrame: "transcript",
    UserStoppedSpeakingFrame: "turn_end",
    PassagesFrame: "retrieval",
    LLMTextFrame: "llm",
    TTSAudioRawFrame: "tts",
}
_HEARD = frozenset({*_FLOORS, *_ENDS, VADUserStoppedSpeakingFrame, FillerFrame, TTSStoppedFrame})


class TurnObserver(BaseObserver):
    """Reports `{"type": "turn", "number", "latency_secs", "stages"}` as the bot begins to speak after the caller did.

    `latency_secs` runs from the caller's last voiced sample, as the VAD places it, to the first sound handed to the
    transport; `stages` says where it went (`bot/stages.py`). What the channel adds is heard only from outside.
    `{"type": "filler"}` is a word that was said because the answer was slow, which is waited for all the same;
    `{"type": "interruption"}` is a caller who began to speak while the bot spoke. `floor` is who has the word,
    `spoke_at` when the bot last ended to speak, by the clock.
    """

    def __init__(self, *, report: Report, clock: Callable[[], float] = time.time):
        super().__init__(observe_every_push=False)
        self._report = report
        self._clock = clock
        self._stages: Stages | None = None
        self._transcript_at = 0.0
        self._number = 0
        # A filler is being made; it is to sound before the answer does.
        self._making_filler = self._filler_due = False
        self.floor: Floor = "nobody"
        self.spoke_at = 0.0

    async def on_push_frame(self, data: FramePushed) -> None:
        """Hears each frame once; all but a few are none of its business, a hundred of them a second."""
        frame, kind = data.frame, type(data.frame)
        if kind not in _HEARD:
            return
        now = self._clock()
        if isinstance(frame, FillerFrame):
            self._making_filler = self._filler_due = True
            self._report({"type": "filler"})
        elif isinstance(frame, TTSStoppedFrame):
            self._making_filler = False
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._stopped(silent_at=frame.timestamp - frame.stop_secs)
        if (stage := _ENDS.get(kind)) is not None:
            self._passed(stage, now)
        if (floor := _FLOORS.get(kind)) is not None:
            self._took_floor(floor, now)

    def _stopped(self, *, silent_at: float) -> None:
        """The caller fell silent: the wait begins, for the first time or anew."""
        self._stages = Stages(silent_at=silent_at)
        if self._transcript_at > silent_at:
            self._stages.passed("transcript", self._transcript_at)

    def _passed(self, stage: Stage, now: float) -> None:
        if stage == "transcript":
            self._transcript_at = now
        if self._stages is not None and not (stage == "tts" and self._making_filler):
            self._stages.passed(stage, now)

    def _took_floor(self, floor: Floor, now: float) -> None:
        if floor == "caller" and self.floor == "bot":
            self._report({"type": "interruption"})
        elif floor == "nobody":
            self.spoke_at = now
        self.floor = floor
        if floor == "caller":
            self._making_filler = self._filler_due = False
        elif floor == "bot" and self._filler_due:
            self._filler_due = False
        elif floor == "bot" and self._stages is not None:
            self._number += 1
            latency = round(now - self._stages.silent_at, 3)
            report = {"type": "turn", "number": self._number, "latency_secs": latency, "stages": self._stages.secs()}
            self._stages = None
            self._report(report)
