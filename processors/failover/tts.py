"""Voices of which the next says what the one before it left unsaid."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipecat.frames.frames import (
    AggregatedTextFrame,
    CancelFrame,
    EndFrame,
    Frame,
    InterruptionFrame,
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    ServiceUpdateSettingsFrame,
    SystemFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.tts_service import TTSService
from pipecat.utils.errors import ErrorCategory

from processors.alarm import Alarm
from processors.failover.circuit import Failure
from processors.failover.providers import Providers
from processors.failover.script import Script, Unit
from processors.failover.switcher import KeptSwitcher
from processors.failover.take import (
    MAX_FIRST_AUDIO_SECS,
    UNKNOWN_FIRST_AUDIO_SECS,
    Take,
    Word,
    first_audio_limit_secs,
    written,
)
from processors.frames import RepeatedAudioFrame

BYTES_PER_SAMPLE = 2
SAMPLES = 20


@dataclass(frozen=True, slots=True)
class TTSLimits:
    """How long is waited: for a voice's first audio at most, for more of it, and at the end of a call for the last."""

    first_audio_secs: float = MAX_FIRST_AUDIO_SECS
    stall_secs: float = 1.5
    end_secs: float = 15.0


class KeptTTS(KeptSwitcher):
    """Keeps what is to be said until it was, and has the next voice say the rest where one fails.

    A word leaves for the context and the page only once the audio that holds it has left for the loudspeaker: so what
    was not said is in neither, and the next voice begins behind the last word, or with the sentence where a voice
    doesn't tell its words. What fails: an error, a first audio that is late, audio that stalls, that ends before its
    text does, that is far too long for its text or of another rate, and a socket that closes while it speaks. An answer
    that begins when nothing is being said goes to the voice that `providers` chooses.
    """

    def __init__(self, services: Mapping[str, TTSService], *, providers: Providers, limits: TTSLimits | None = None):
        super().__init__(services, providers=providers)
        self._voices = dict(services)
        self._limits = limits or TTSLimits()
        self._script = Script()
        self._takes: dict[str | None, Take] = {}
        self._take: Take | None = None
        self._again: set[int] = set()
        self._resets: dict[int, FrameProcessor] = {}
        self._dead: dict[FrameProcessor, set[str]] = {}
        self._first_audio = {name: deque[float](maxlen=SAMPLES) for name in services}
        self._started = False
        self._moved_at = 0.0
        # All that was sent will have sounded then; a voice that takes over counts its words from now.
        self._plays_until_ns = 0
        self._shift_ns = 0
        self._mixed = False
        # Whether the voice at work failed while nothing was being said.
        self._broken = False
        self._last_pts: dict[FrameProcessor, int] = {}
        self._due = Alarm(self, self._late)
        self._quiet = asyncio.Event()
        self._quiet.set()
        for service in services.values():
            service.add_event_handler("on_disconnected", self._on_disconnected)

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Chooses the voice where something begins to be said, and waits for the last of it before the end."""
        if isinstance(frame, InterruptionFrame):
            self._interrupt()
        elif isinstance(frame, CancelFrame):
            self._due.clear()
        elif isinstance(frame, EndFrame) and self._script.complete:
            # A voice that was told of the end can't take over any more.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._quiet.wait(), self._limits.end_secs)
        elif isinstance(frame, LLMFullResponseStartFrame | TTSSpeakFrame) and self._script.empty:
            await self._choose()
        await super().process_frame(frame, direction)
        if isinstance(frame, LLMFullResponseEndFrame | TTSSpeakFrame) and not self._script.empty:
            self._expect_audio()

    def enters(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> bool:
        """Keeps what the voice at work is given to say."""
        if not super().enters(service, frame, direction):
            return False
        kept = direction == FrameDirection.DOWNSTREAM and not isinstance(
            frame, SystemFrame | ServiceUpdateSettingsFrame
        )
        if kept:
            self._script.give(frame)
            if not self._script.empty:
                self._quiet.clear()
        return True

    async def leaves(self, service: FrameProcessor, frame: Frame, direction: FrameDirection) -> Iterable[Frame]:
        """Counts the audio against the text, holds words that were not said yet, and sees what fails."""
        if self._resets.get(frame.id) is service:
            # It dropped all that it still had to say, so what it sends from now on is new.
            del self._resets[frame.id]
            return ()
        if frame.id in self._again:
            self._again.discard(frame.id)
            return ()
        passed = await super().leaves(service, frame, direction)
        if not passed or direction == FrameDirection.UPSTREAM:
            return passed
        if isinstance(frame, InterruptionFrame):
            # What it sent between the interruption's coming and its going is not heard either.
            self._keep_uninterruptible()
            self._last_pts.clear()
            self._plays_until_ns = self._shift_ns = 0
        if isinstance(frame, SystemFrame):
            return passed
        if getattr(frame, "context_id", None) in self._dead.get(service, ()):
            return ()
        if isinstance(frame, TTSAudioRawFrame):
            return await self._audio(frame)
        if isinstance(frame, Word):
            return self._word(frame)
        if isinstance(frame, AggregatedTextFrame):
            if frame.will_be_spoken:
                self._announced(frame)
            return passed
        if isinstance(frame, TTSStartedFrame):
            self._take_of(frame.context_id)
            started, self._started = self._started, True
            return () if started else passed
        if isinstance(frame, TTSStoppedFrame | LLMAssistantPushAggregationFrame):
            return await self._stopped(frame)
        return await self._came_out(frame)

    async def fail(self, service: FrameProcessor, failure: Failure) -> bool:
        """Has the next voice say the rest; False where none is left."""
        name = self._names[service]
        if service is not self.strategy.active_service or self._script.empty:
            # Nothing is lost by it. A connection that breaks may tell of each attempt to make it anew.
            if not self._broken:
                self._blame(name, failure)
            self._broken = True
            return True
        self._blame(name, failure)
        self._tried.add(name)
        chosen = self._next_name()
        if chosen is None:
            await self._give_up(service)
            return False
        self._dead[service] = {context for context in self._takes if context}
        self._dead[service].update(self._voices[name].get_audio_contexts())
        self._takes.clear()
        self._take = None
        self._mixed = True
        await self._switch(chosen, failure=failure)
        for frame, out in self._script.rest():
            if out:
                self._again.add(frame.id)
            await self._voices[chosen].queue_frame(frame)
        self._expect_audio()
        # Last, since this may be running in the task that the interruption ends.
        await self._reset(service)
        return True

    async def _reset(self, service: FrameProcessor) -> None:
        reset = InterruptionFrame()
        self._resets[reset.id] = service
        await service.queue_frame(reset)

    async def _choose(self) -> None:
        self._tried.clear()
        self._broken = False
        self._script.forget()
        self._takes.clear()
        self._take = None
        self._mixed = self._mixed and self._plays_until_ns > self.get_clock().get_time()
        chosen = self._next_name()
        if chosen is None:
            return
        if chosen != self.active:
            self._mixed = True
            await self._switch(chosen, failure=None)
        else:
            self._providers.tried(chosen)

    def _next_name(self) -> str | None:
        return self._providers.next(besides=self._tried | {self._names[s] for s in self._resets.values()})

    def _interrupt(self) -> None:
        if not self._script.empty:
            self._providers.left(self.active)
        self._script.interrupt()
        self._keep_uninterruptible()
        if self._script.empty:
            self._rest_quiet()

    def _keep_uninterruptible(self) -> None:
        self._takes = {context: t for context, t in self._takes.items() if t.unit and not t.unit.interruptible}
        self._take = None
        self._started = bool(self._takes)

    async def _give_up(self, last: FrameProcessor) -> None:
        """No voice is left for what is being said. The last may hang in it, which would hold up what comes after."""
        ends: list[Frame] = [*self._script.ends]
        if self._started:
            ends.insert(0, TTSStoppedFrame())
        self._script.forget()
        self._takes.clear()
        self._take = None
        self._started = False
        self._rest_quiet()
        for end in ends:
            await self.push_frame(end)
        await self._reset(last)

    def _take_of(self, context_id: str | None, text: str = "") -> Take:
        take = self._takes.get(context_id) if context_id else self._take
        if take is None:
            take = self._takes[context_id] = Take(self._script.unit_of(text), asked_at=self.get_event_loop().time())
        self._take = take
        return take

    def _announced(self, frame: AggregatedTextFrame) -> None:
        self._take_of(frame.context_id, frame.text).announced += frame.text
        self._expect_audio()

    async def _audio(self, frame: TTSAudioRawFrame) -> Iterable[Frame]:
        take = self._take_of(frame.context_id)
        now = self.get_event_loop().time()
        if frame.sample_rate != self.processor_setup.audio_out_sample_rate or frame.num_channels != 1:
            return await self._failed_at(Failure.GARBLED, frame)
        made = not isinstance(frame, RepeatedAudioFrame)
        if take.unit is not None:
            take.unit.made |= made
        if take.begun_ns is None and take.announced and made:
            self._first_audio[self.active].append(now - take.asked_at)
        self._moved_at = now
        secs = len(frame.audio) / (frame.sample_rate * BYTES_PER_SAMPLE)
        now_ns = self.get_clock().get_time()
        # Pipecat counts on from the last word where that is later than now.
        base_ns = max(now_ns, self._last_pts.get(self.strategy.active_service, 0))
        if take.begun_ns is None:
            self._shift_ns = max(0, self._plays_until_ns - base_ns) if self._mixed else 0
        take.sound(secs, base_ns=base_ns)
        self._plays_until_ns = max(self._plays_until_ns, now_ns) + round(secs * 1e9)
        if take.too_long:
            return await self._failed_at(Failure.GARBLED, frame)
        return (frame, *self._released(take)) if take.held else (frame,)

    def _word(self, frame: Word) -> Iterable[Frame]:
        take = self._take_of(frame.context_id)
        take.held.append(frame)
        return self._released(take)

    def _released(self, take: Take) -> Iterable[Word]:
        released = take.release()
        for frame in released:
            if frame.pts:
                self._last_pts[self.strategy.active_service] = frame.pts
                self._shift(frame)
            if take.unit is not None and isinstance(frame, TTSTextFrame):
                self._script.said(take.unit, written(frame))
        return released

    def _shift(self, frame: Frame) -> None:
        if frame.pts:
            frame.pts += self._shift_ns

    async def _stopped(self, frame: TTSStoppedFrame | LLMAssistantPushAggregationFrame) -> Iterable[Frame]:
        context_id = frame.context_id if isinstance(frame, TTSStoppedFrame) else None
        take = self._takes.get(context_id) if context_id else self._take
        if take is not None and (failure := self._missing(take)):
            return await self._failed_at(failure, frame)
        if isinstance(frame, LLMAssistantPushAggregationFrame):
            self._shift(frame)
            return (frame,)
        self._started = False
        self._shift(frame)
        if take is not None:
            self._drop(take)
            if take.unit is not None and take.unit.speech:
                self._said(take.unit)
        return (frame,)

    async def _came_out(self, frame: Frame) -> Iterable[Frame]:
        self._shift(frame)
        unit = self._script.came_out(frame)
        if unit is None:
            return (frame,)
        for take in [take for take in self._takes.values() if take.unit is unit]:
            if failure := self._missing(take):
                return await self._failed_at(failure, frame)
            self._drop(take)
        self._said(unit)
        return (frame,)

    def _missing(self, take: Take) -> Failure | None:
        if not any(c.isalnum() for c in take.announced):
            return None
        if take.begun_ns is None:
            return Failure.EMPTY
        return Failure.STALLED if take.held else None

    async def _failed_at(self, failure: Failure, frame: Frame) -> Iterable[Frame]:
        """Drops the frame at which the voice was seen to fail, unless it ends an answer that nobody takes over."""
        if await self.fail(self.strategy.active_service, failure):
            return ()
        await self._report()
        return (frame,) if isinstance(frame, LLMFullResponseEndFrame) else ()

    def _drop(self, take: Take) -> None:
        self._takes = {context: other for context, other in self._takes.items() if other is not take}
        self._take = None if self._take is take else self._take

    def _said(self, unit: Unit) -> None:
        self._script.done(unit)
        if unit.made:
            self._providers.worked(self.active)
        else:
            self._providers.left(self.active)
        if self._script.empty:
            self._rest_quiet()

    def _rest_quiet(self) -> None:
        self._due.clear()
        self._quiet.set()

    def _expect_audio(self) -> None:
        self._moved_at = self.get_event_loop().time()
        self._due.set(self._wait_secs())

    def _wait_secs(self) -> float:
        sounding = any(take.begun_ns is not None for take in self._takes.values())
        if sounding:
            return self._limits.stall_secs
        other = self._providers.next(besides=self._tried | {self.active})
        unknown_secs = MAX_FIRST_AUDIO_SECS if other in (None, self._providers.last) else UNKNOWN_FIRST_AUDIO_SECS
        limit_secs = first_audio_limit_secs(self._first_audio[self.active], unknown_secs=unknown_secs)
        return min(limit_secs, self._limits.first_audio_secs)

    async def _late(self) -> None:
        idle_secs, wait_secs = self.get_event_loop().time() - self._moved_at, self._wait_secs()
        waiting = any(take.unsaid for take in self._takes.values()) or (not self._takes and self._script.complete)
        if not waiting:
            return
        if idle_secs < wait_secs:
            self._due.set(wait_secs - idle_secs)
            return
        sounding = any(take.begun_ns is not None for take in self._takes.values())
        failure = Failure.STALLED if sounding else Failure.LATE
        if not await self.fail(self.strategy.active_service, failure):
            await self._report()

    async def _report(self) -> None:
        await self.push_error(
            "The rest could not be said, and there is no other voice.", category=ErrorCategory.UNKNOWN
        )

    async def _on_disconnected(self, service: FrameProcessor) -> None:
        speaking = any(take.unsaid for take in self._takes.values())
        if service is not self.strategy.active_service or not speaking:
            return
        if not await self.fail(service, Failure.CONNECTIVITY):
            await self._report()
