"""What a recogniser was given of the caller's utterance, kept until its transcript is there."""

import copy
import itertools
from collections import deque
from collections.abc import Iterator
from typing import TypeVar

from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection
from pipecat.utils.utils import obj_id

from processors.failover.words import said_again, without_words, words_of

BYTES_PER_SAMPLE = 2
AnyFrame = TypeVar("AnyFrame", bound=Frame)
Heard = InputAudioRawFrame | VADUserStartedSpeakingFrame | VADUserStoppedSpeakingFrame


def audio_secs(frame: InputAudioRawFrame) -> float:
    """How long a frame of 16-bit audio sounds."""
    return len(frame.audio) / (frame.sample_rate * frame.num_channels * BYTES_PER_SAMPLE)


class Utterance:
    """The caller's audio with the VAD's marks, from a little before the speech on, and the words that were told of it.

    Between utterances the last `pre_roll_secs` are kept, of one at most its last `kept_secs`.
    """

    def __init__(self, *, pre_roll_secs: float, kept_secs: float):
        self._pre_roll_secs = pre_roll_secs
        self._kept_secs = kept_secs
        self._heard: deque[tuple[Heard, FrameDirection]] = deque()
        self._secs = 0.0
        self._passed_secs = 0.0
        self._start: tuple[Heard, FrameDirection] | None = None
        self._said: list[tuple[float, list[str]]] = []
        self._before: list[str] = []
        self._again: list[str] = []
        self._told = 0
        self.begun = self.speaking = False
        self._interim = self._final = False
        self._unheard_secs = 0.0

    @property
    def secs(self) -> float:
        """How much audio is kept."""
        return self._secs

    @property
    def owed(self) -> bool:
        """Whether words of it must still come: none have, or an interim said that more would, or speech went on."""
        return self.begun and (not self._final or self._interim)

    @property
    def told_before(self) -> bool:
        """Whether another recogniser told words of it already."""
        return bool(self._before)

    def hear(self, frame: InputAudioRawFrame, direction: FrameDirection) -> None:
        """Keeps audio."""
        secs = audio_secs(frame)
        self._heard.append((frame, direction))
        self._secs += secs
        if self.speaking:
            self._unheard_secs += secs
        limit = self._kept_secs if self.begun else self._pre_roll_secs
        while self._secs > limit and len(self._heard) > 1:
            dropped, _ = self._heard.popleft()
            if isinstance(dropped, InputAudioRawFrame):
                secs = audio_secs(dropped)
                self._secs -= secs
                self._passed_secs += secs

    def start(self, frame: VADUserStartedSpeakingFrame, direction: FrameDirection) -> None:
        """The VAD heard speech begin, or go on before the transcript came."""
        self.begun = self.speaking = True
        self._unheard_secs = 0.0
        self._heard.append((frame, direction))
        self._start = self._start or self._heard[-1]

    def stop(self, frame: VADUserStoppedSpeakingFrame, direction: FrameDirection, *, much_secs: float) -> None:
        """The VAD heard speech end; speech of more than `much_secs` without a word since makes words owed."""
        self.speaking = False
        self._heard.append((frame, direction))
        if self._unheard_secs - frame.stop_secs > much_secs:
            self._final = False

    def interim(self) -> None:
        """A recogniser told of words that are not final."""
        self._interim = True
        self._unheard_secs = 0.0

    def final(self, text: str) -> str:
        """Takes a final transcript; what it tells that was not told before."""
        self._final, self._interim, self._unheard_secs = True, False, 0.0
        told = text
        if self._before:
            words = words_of(text)
            earlier = len(self._again)
            self._again += words
            # What came of this recogniser before stays told, whatever a later transcript makes of the comparison.
            self._told = max(self._told, said_again(self._before, self._again))
            told = without_words(text, self._told - earlier)
        self._said.append((self._passed_secs + self._secs, words_of(told)))
        return told

    def replay(self) -> Iterator[tuple[Heard, FrameDirection]]:
        """All of it as new frames in their order, for another recogniser, whose transcripts begin anew."""
        # What was told of audio that is not kept any more will not be told again.
        self._before = [word for until, words in self._said if until > self._passed_secs for word in words]
        self._again, self._told, self._interim, self._final = [], 0, False, False
        lost = self._start is not None and all(kept is not self._start for kept in self._heard)
        for frame, direction in itertools.chain([self._start] if lost and self._start else [], tuple(self._heard)):
            yield anew(frame), direction

    def end(self) -> None:
        """Forgets it."""
        self._heard.clear()
        self._said.clear()
        self._before, self._again, self._told = [], [], 0
        self._secs = self._passed_secs = self._unheard_secs = 0.0
        self._start = None
        self.begun = self.speaking = self._interim = self._final = False


def anew(frame: AnyFrame) -> AnyFrame:
    """The same as a frame of its own, which nobody has seen yet."""
    again = copy.copy(frame)
    again.id = obj_id()
    again.broadcast_sibling_id = None
    return again
