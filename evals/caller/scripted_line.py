"""A line to a bot that follows a script, on a clock that only waiting moves."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evals.caller.audio import RATE_HZ, Run, Samples
from evals.caller.line import Message
from evals.caller.recording import Recording

VOICE_HZ = 200
VOICE_AMPLITUDE = 8_000


@dataclass(frozen=True)
class Reply:
    """What the bot does after the caller has spoken, in seconds from the end of that; for the greeting, from 0.

    `voice` lists when it begins and ends to speak. Spoken over, it falls silent `yields_secs` later, or with its next
    reply, and sends `when_spoken_over`, in seconds from then.
    """

    voice: Sequence[tuple[float, float]] = ()
    messages: Sequence[tuple[float, Message]] = ()
    yields_secs: float | None = None
    when_spoken_over: Sequence[tuple[float, Message]] = ()


class ScriptedLine:
    """A Line whose bot gives its replies in order. Speech that the script does not expect fails."""

    def __init__(self, *, greeting: Reply, replies: Sequence[Reply]) -> None:
        self.recording = Recording()
        self._now_secs = 0.0
        self._replies = list(replies)
        self._messages: list[tuple[float, Message]] = []
        self._speech: Run | None = None
        self._begin(greeting)

    @property
    def now_secs(self) -> float:
        return self._now_secs

    @property
    def spoken(self) -> Run | None:
        return self._speech if self._speech and self._now_secs * RATE_HZ >= self._speech.stop else None

    def say(self, samples: Samples) -> None:
        if not self._replies:
            raise AssertionError("The caller spoke although the script has no reply left.")
        if self._speech is not None and self.spoken is None:
            raise AssertionError("The caller spoke while still speaking.")
        start = round(self._now_secs * RATE_HZ)
        self._speech = Run(start, start + samples.size)
        self.recording.write_caller(start, samples)
        if self._reply.yields_secs is not None:
            self._silent_from_secs = self._now_secs + self._reply.yields_secs
        self._schedule(self._reply.when_spoken_over)

    async def next_message(self, timeout_secs: float) -> Message | None:
        until_secs = self._now_secs + timeout_secs
        if self._speech is not None and self._replies and self._now_secs < self._speech.stop / RATE_HZ <= until_secs:
            self._advance(self._speech.stop / RATE_HZ)
            self._begin(self._replies.pop(0))
        if self._messages and self._messages[0][0] <= until_secs:
            at_secs, message = self._messages.pop(0)
            self._advance(max(self._now_secs, at_secs))
            return message
        self._advance(until_secs)
        return None

    def assert_finished(self) -> None:
        """Fail when the script has replies or messages left."""
        if self._replies or self._messages:
            raise AssertionError(f"{len(self._replies)} replies and {len(self._messages)} messages were left over.")

    def _begin(self, reply: Reply) -> None:
        self._reply = reply
        self._began_secs = self._now_secs
        self._silent_from_secs = float("inf")
        self._schedule(reply.messages)

    def _schedule(self, messages: Sequence[tuple[float, Message]]) -> None:
        self._messages += [(self._now_secs + after_secs, message) for after_secs, message in messages]
        self._messages.sort(key=lambda message: message[0])

    def _advance(self, to_secs: float) -> None:
        for start_secs, stop_secs in self._reply.voice:
            start = round(max(self._began_secs + start_secs, self._now_secs) * RATE_HZ)
            stop = round(min(self._began_secs + stop_secs, to_secs, self._silent_from_secs) * RATE_HZ)
            voice = VOICE_AMPLITUDE * np.sin(2 * np.pi * VOICE_HZ * np.arange(start, stop) / RATE_HZ)
            if voice.size:
                self.recording.write_bot(start, voice.astype(np.int16))
        self._now_secs = to_secs
