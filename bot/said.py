"""What each side said and when, for the record of the call."""

import time
from collections.abc import Callable
from typing import Any

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    LLMMessagesAppendFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import BaseObserver, FramePushed
from pipecat.processors.aggregators.llm_response_universal import AssistantTurnStoppedMessage, UserTurnStoppedMessage

from bot.pipeline import CallPipeline
from bot.reports import Report
from bot.story import spoken
from processors.citations import Citation
from processors.frames import AskedFrame

SOURCE = ("document_id", "title", "heading_path", "quote", "start", "end", "page")
# Handlers and observers hear of one moment some turns of the event loop apart.
SAME_MOMENT_SECS = 0.05


class Said(BaseObserver):
    """Reports each turn of either side at its end, in order, those without words left out.

        {"type": "said", "number": 1, "role": "user" | "assistant", "text", "started_at", "ended_at", "interrupted",
         "sources": [{"document_id", "title", "heading_path", "quote", "start", "end", "page"}], "unsupported": 0}

    Times are seconds since 1970 by the clock: of the first sound and the last, or of typing. What the assistant said
    is what was heard of it. An answer's `turn` is reported before. Unlike the story this never changes, and holds
    nothing that an earlier bot said. `unsupported` counts the sentences of an answer that were not said, since their
    sources don't say so. Like it, it has words in it and goes nowhere but into the records.
    """

    def __init__(self, *, report: Report, clock: Callable[[], float] = time.time):
        super().__init__(observe_every_push=False)
        self._report = report
        self._clock = clock
        self._number = 0
        self._caller, self._bot = _Sound(), _Sound()
        self._answer_from = 0.0
        self._sources: list[dict[str, Any]] = []
        self._unsupported = 0

    def listen(self, call: CallPipeline) -> None:
        """Hears of turns and sources from the members of the call's pipeline."""

        @call.user.event_handler("on_user_turn_stopped")
        async def on_user_turn_stopped(_aggregator: object, _strategy: object, turn: UserTurnStoppedMessage) -> None:
            self.caller_said(turn.content or "")

        @call.assistant.event_handler("on_assistant_turn_started")
        async def on_assistant_turn_started(_aggregator: object) -> None:
            self.bot_begins()

        @call.assistant.event_handler("on_assistant_turn_stopped")
        async def on_assistant_turn_stopped(_aggregator: object, turn: AssistantTurnStoppedMessage) -> None:
            self.bot_said(turn.content, interrupted=turn.interrupted)

        @call.citations.event_handler("on_citation")
        async def on_citation(_processor: object, citation: Citation) -> None:
            self.cited(citation)

        @call.citations.event_handler("on_unsupported")
        async def on_unsupported(_processor: object, _lacking: object) -> None:
            self.left_out()

    async def on_push_frame(self, data: FramePushed) -> None:
        """Hears each frame once."""
        frame = data.frame
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._caller.begins(frame.timestamp - frame.start_secs)
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._caller.ends(frame.timestamp - frame.stop_secs)
        elif isinstance(frame, BotStartedSpeakingFrame):
            self._bot.begins(self._clock())
        elif isinstance(frame, BotStoppedSpeakingFrame):
            self._bot.ends(self._clock())
        elif isinstance(frame, AskedFrame):
            self._sources, self._unsupported = [], 0  # those of an answer that was cut off before its first word
        elif isinstance(frame, LLMMessagesAppendFrame):
            now = self._clock()
            for message in spoken(frame.messages):
                if message["role"] == "user":
                    self._tell_caller(message["content"], (now, now))

    def caller_said(self, text: str) -> None:
        """The caller's turn is over."""
        self._tell_caller(text, self._caller.taken(now=self._clock()))

    def bot_begins(self) -> None:
        """The assistant's turn begins; its sound comes later."""
        self._answer_from = self._clock()

    def bot_said(self, text: str, *, interrupted: bool) -> None:
        """The assistant's turn is over."""
        times = self._bot.taken(now=self._clock(), since=self._answer_from)
        sources, self._sources = self._sources, []
        unsupported, self._unsupported = self._unsupported, 0
        self._tell("assistant", text, times, interrupted=interrupted, sources=sources, unsupported=unsupported)

    def cited(self, citation: Citation) -> None:
        """The answer that comes names a source."""
        message = citation.to_message()
        self._sources.append({name: message[name] for name in SOURCE})

    def left_out(self) -> None:
        """A sentence of the answer that comes is not said, since its sources don't say so."""
        self._unsupported += 1

    def _tell_caller(self, text: str, times: tuple[float, float]) -> None:
        self._tell("user", text, times)

    def _tell(
        self,
        role: str,
        text: str,
        times: tuple[float, float],
        *,
        interrupted: bool = False,
        sources: list[dict[str, Any]] | None = None,
        unsupported: int = 0,
    ) -> None:
        if not text.strip():
            return
        self._number += 1
        self._report(
            {
                "type": "said",
                "number": self._number,
                "role": role,
                "text": text.strip(),
                "started_at": round(times[0], 3),
                "ended_at": round(max(times), 3),
                "interrupted": interrupted,
                "sources": sources or [],
                "unsupported": unsupported,
            }
        )


class _Sound:
    """When one side's sound began and ended since it was last asked; seconds by the clock."""

    def __init__(self) -> None:
        self._begun: list[float] = []
        self._ended: float | None = None

    def begins(self, at: float) -> None:
        self._begun.append(at)
        self._ended = None

    def ends(self, at: float) -> None:
        self._ended = at

    def taken(self, *, now: float, since: float | None = None) -> tuple[float, float]:
        """The first beginning, of those since then, and the last end; `since`, or `now`, where none is known."""
        earliest = 0.0 if since is None else since - SAME_MOMENT_SECS
        began = next((at for at in self._begun if at >= earliest), now if since is None else since)
        ended = now if self._ended is None else self._ended
        self._begun, self._ended = [], None
        return began, ended
