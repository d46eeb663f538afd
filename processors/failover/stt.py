"""Recognisers of which the next hears again what the one before it left untold."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from pipecat.frames.frames import (
    CancelFrame,
    EndFrame,
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    STTMuteFrame,
    TranscriptionFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.stt_service import STTService

from processors.alarm import Alarm
from processors.failover.circuit import Failure
from processors.failover.providers import Providers
from processors.failover.switcher import KeptSwitcher
from processors.failover.utterance import Utterance, anew

# A transcript without words: the user aggregator adds nothing, and the turn's end need not wait for another.
NO_MORE_WORDS = " "


@dataclass(frozen=True, slots=True)
class STTLimits:
    """How much is kept and how long is waited.

    `margin_secs` comes on top of a service's own time to its transcript. `deaf_secs` of speech without a word make a
    service that tells interim transcripts a failed one. `resting_secs` is how long a service that fell silent, or whose
    socket closed, is left alone, so that what it still sends isn't taken for the next utterance. `replay_rate` is how
    many times faster than it was spoken a service hears kept audio, for the time it is given for that.
    """

    pre_roll_secs: float = 1.0
    kept_secs: float = 30.0
    margin_secs: float = 0.5
    deaf_secs: float = 1.4
    untold_secs: float = 0.4
    resting_secs: float = 5.0
    replay_rate: float = 10.0


@runtime_checkable
class Streams(Protocol):
    """A recogniser that hears all utterances on one stream, and may tell the words of one with those of the next."""

    async def begin_anew(self) -> None:
        """Leaves the stream with all that is owed on it, for another."""
        ...


class KeptSTT(KeptSwitcher):
    """Keeps the caller's utterance until its final transcript, and has the next service hear it where one fails.

    What fails: an error, a socket that closes while an utterance is heard, and silence. Silence may be the caller's
    cough, so it is held against a service only where another one finds words in the same audio; a stream that owes
    them is begun anew. An utterance that begins when none is open goes to the service that `providers` chooses, so that
    a recovered one is back.

    What leaves are new frames: an observer that is told which services these are, and passes over what they push by
    themselves, hears of no transcript that doesn't count.
    """

    def __init__(self, services: Mapping[str, STTService], *, providers: Providers, limits: STTLimits | None = None):
        super().__init__(services, providers=providers)
        self._limits = limits or STTLimits()
        self._waits_secs = {name: s.service_metadata_frame().ttfs_p99_latency for name, s in services.items()}
        self._utterance = Utterance(pre_roll_secs=self._limits.pre_roll_secs, kept_secs=self._limits.kept_secs)
        self._again: set[int] = set()
        self._interims: set[str] = set()
        self._silent: list[str] = []
        self._resting: dict[str, float] = {}
        self._ending = self._turn = False
        self._final_due = Alarm(self, self._no_final)
        self._word_due = Alarm(self, self._no_word)
        for service in services.values():
            service.add_event_handler("on_disconnected", self._on_disconnected)
            service.add_event_handler("on_connected", self._on_connected)

    @property
    def patience_secs(self) -> float:
        """How long after speech the transcript may take if all but the last service fall silent one after another.

        The user aggregator's `user_turn_stop_timeout` has to be longer.
        """
        replay_secs = self._limits.kept_secs / self._limits.replay_rate
        return sum(wait + self._limits.margin_secs + replay_secs for wait in self._waits_secs.values())

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Chooses the service where an utterance begins, and keeps its times."""
        if isinstance(frame, EndFrame | CancelFrame):
            self._ending = True
            self._final_due.clear()
            self._word_due.clear()
        elif isinstance(frame, VADUserStartedSpeakingFrame) and not self._utterance.begun:
            await self._choose()
        elif isinstance(frame, UserStartedSpeakingFrame | UserStoppedSpeakingFrame):
            self._turn = isinstance(frame, UserStartedSpeakingFrame)
        await super().process_frame(frame, direction)
        if isinstance(frame, VADUserStartedSpeakingFrame):
            self._final_due.clear()
            self._expect_word()
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._word_due.clear()
            self._expect_final(since_secs=frame.stop_secs)

    def enters(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> bool:
        """Keeps what the service at work hears; the others are told only what they must know meanwhile."""
        if not super().enters(service, frame, direction):
            return isinstance(frame, STTMuteFrame | UserStoppedSpeakingFrame)
        if isinstance(frame, InputAudioRawFrame):
            self._utterance.hear(frame, direction)
        elif isinstance(frame, VADUserStartedSpeakingFrame):
            self._utterance.start(frame, direction)
        elif isinstance(frame, VADUserStoppedSpeakingFrame):
            self._utterance.stop(frame, direction, much_secs=self._limits.untold_secs)
        return True

    async def leaves(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> Iterable[Frame]:
        """Keeps back what a service lets through a second time, and words that were told before."""
        if frame.id in self._again:
            self._again.discard(frame.id)
            return ()
        passed = await super().leaves(service, frame, direction)
        if isinstance(frame, TranscriptionFrame):
            if not passed:
                # What it owed has come, so it can be asked again.
                self._resting.pop(self._names[service], None)
                return ()
            return self._final(frame)
        if isinstance(frame, InterimTranscriptionFrame) and passed:
            self._interims.add(self.active)
            self._utterance.interim()
            self._expect_word()
            # After a failure it may repeat what was told; its final transcript is compared, this isn't.
            return () if self._utterance.told_before else (anew(frame),)
        return passed

    async def fail(self, service: FrameProcessor, failure: Failure) -> bool:
        """Has the next service hear the utterance; False where none is left."""
        self._blame(self._names[service], failure)
        if not self._utterance.begun:
            # What it was sent may be the beginning of the next one.
            self._rest(self._names[service])
        return await self._give_on(service, failure)

    async def _choose(self) -> None:
        self._tried.clear()
        chosen = self._next_name()
        if chosen is None:
            return
        if chosen != self.active:
            await self._hand_over(chosen, failure=None)
        else:
            self._providers.tried(chosen)

    def _next_name(self) -> str | None:
        now = self.get_event_loop().time()
        resting = {name for name, until in self._resting.items() if until > now}
        return self._providers.next(besides=self._tried | resting) or self._providers.next(besides=self._tried)

    async def _give_on(self, service: FrameProcessor, failure: Failure) -> bool:
        if service is not self.strategy.active_service:
            return True
        self._tried.add(self._names[service])
        chosen = self._next_name()
        if chosen is None:
            return False
        await self._hand_over(chosen, failure=failure)
        if self._utterance.speaking:
            self._expect_word()
        elif self._utterance.begun:
            self._expect_final(replay_secs=self._utterance.secs / self._limits.replay_rate)
        return True

    async def _hand_over(self, target: str, *, failure: Failure | None) -> None:
        """Nothing here waits, so that no frame comes between the audio that is heard again and what follows it."""
        failed = self.strategy.active_service
        await self._switch(target, failure=failure)
        for frame, direction in self._utterance.replay():
            await self._lend(self._named[target], frame, direction)
        if self._utterance.speaking:
            # It hears no more of this utterance: without an end it would put it before the next that it hears.
            await self._lend(failed, VADUserStoppedSpeakingFrame(), FrameDirection.UPSTREAM)

    async def _lend(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> None:
        self._again.add(frame.id)
        await service.queue_frame(frame, direction)

    def _final(self, frame: TranscriptionFrame) -> Iterable[Frame]:
        speaking = self._utterance.speaking
        told = self._utterance.final(frame.text)
        if told.strip():
            for silent in self._silent:
                self._blame(silent, Failure.EMPTY)
                if isinstance(service := self._named[silent], Streams):
                    self.create_task(service.begin_anew(), "begin-anew")
            self._silent.clear()
        if frame.text.strip():
            self._providers.worked(self.active)
        if speaking:
            self._expect_word()
        else:
            self._settle()
        if told == frame.text:
            return (anew(frame),)
        if not told and (speaking or not self._turn):
            return ()
        rest = anew(frame)
        rest.text = told or NO_MORE_WORDS
        return (rest,)

    def _settle(self) -> None:
        # Where nobody found words there were none, and those who fell silent owe nothing.
        for silent in self._silent:
            self._resting.pop(silent, None)
            self._providers.left(silent)
        self._silent.clear()
        self._final_due.clear()
        self._word_due.clear()
        self._utterance.end()

    def _expect_final(self, *, since_secs: float = 0.0, replay_secs: float = 0.0) -> None:
        wait_secs = self._waits_secs[self.active]
        # None is waited for where the service itself ends the turn.
        if wait_secs and not self._ending:
            self._final_due.set(max(wait_secs - since_secs, 0.0) + self._limits.margin_secs + replay_secs)

    def _expect_word(self) -> None:
        # Another one may have been waited for.
        self._word_due.clear()
        if self._utterance.speaking and self.active in self._interims and not self._ending:
            self._word_due.set(self._limits.deaf_secs)

    async def _no_final(self) -> None:
        if not self._utterance.owed or not await self._silence(Failure.EMPTY):
            self._settle()

    async def _no_word(self) -> None:
        if self._utterance.speaking:
            await self._silence(Failure.STALLED)

    async def _silence(self, failure: Failure) -> bool:
        self._rest(self.active)
        self._silent.append(self.active)
        return await self._give_on(self.strategy.active_service, failure)

    def _rest(self, name: str) -> None:
        self._resting[name] = self.get_event_loop().time() + self._limits.resting_secs

    async def _on_disconnected(self, service: FrameProcessor) -> None:
        if self._ending:
            return
        self._rest(self._names[service])
        if not self._utterance.begun or service is not self.strategy.active_service:
            return
        if not await self.fail(service, Failure.CONNECTIVITY):
            await self.push_error("The recogniser's connection closed, and there is no other.")

    async def _on_connected(self, service: FrameProcessor) -> None:
        self._resting.pop(self._names[service], None)
