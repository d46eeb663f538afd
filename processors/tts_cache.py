"""Voices that say again what was said before, without asking their vendor.

Pipecat has one audio context for all sentences of an answer. A voice that streams from its vendor on a task of its own
sends a sentence's audio some time later: the next one from the cache would overtake it. Such a voice repeats only texts
that are spoken by themselves, which have a context to themselves; one whose audio comes as it is asked for, sentences
of answers too. Both funnel all audio and words through `append_to_audio_context`, where they are recorded.
"""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from pipecat.frames.frames import (
    ErrorFrame,
    Frame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
)
from pipecat.services.tts_service import TTSService
from pipecat.services.websocket_service import WebsocketService
from pipecat.utils.context.word_timestamp_tracker import WordTimestamp

from processors.failover.take import least_secs, most_secs
from processors.frames import RepeatedAudioFrame
from processors.takes import Place, Take, VoiceCache, Word

LONGEST_SECS = 20.0
FIRST_PIECE_SECS = 0.04
PIECE_SECS = 0.2
BYTES_PER_SAMPLE = 2
# A voice that doesn't name its contexts may still send the last of one that was cut off.
SETTLED_SECS = 1.0


class CachedVoice(TTSService):
    """A base to put before Pipecat's service of a vendor; without `cache` it changes nothing."""

    def __init__(self, *, cache: VoiceCache | None = None, **service: Any) -> None:
        super().__init__(**service)
        self._voice_cache = cache
        self._speaks_alone = False
        self._repeated: set[str] = set()
        self._recordings: dict[str, Recording] = {}
        self._keeping: set[asyncio.Task[None]] = set()
        self._interrupted_at: float | None = None

    @property
    def repeats_sentences(self) -> bool:
        """Whether it repeats sentences of answers, not only what is spoken by itself."""
        # Audio that is asked for and waited for, without words of which the times would count on.
        return self._push_text_frames and not isinstance(self, WebsocketService)

    def repeats(self, context_id: str) -> bool:
        """Whether a context is one of which the vendor knows nothing."""
        return context_id in self._repeated

    async def append_to_audio_context(self, context_id: str | None, frame: Frame | WordTimestamp | None) -> None:
        """Passes on what comes of a context, and records it."""
        recording = self._recordings.get(context_id or "")
        if recording is not None:
            recording.hear(frame)
            # An end without a stop is that of a connection that broke off.
            if frame is None or isinstance(frame, TTSStoppedFrame):
                self._end(context_id or "", whole=frame is not None)
        await super().append_to_audio_context(context_id, frame)

    async def flush_audio(self, context_id: str | None = None) -> None:
        """Asks the vendor for the rest of what it was given."""
        if context_id not in self._repeated:
            await super().flush_audio(context_id)

    async def on_turn_context_completed(self) -> None:
        """Ends the context of a text that is repeated, where only its vendor would."""
        if (context_id := self._turn_context_id) in self._repeated and not self._push_stop_frames:
            await self.append_to_audio_context(context_id, TTSStoppedFrame(context_id=context_id))
        await super().on_turn_context_completed()

    async def on_audio_context_interrupted(self, context_id: str) -> None:
        """Forgets the context; the vendor is told where it knows it."""
        self._interrupted_at = self.get_event_loop().time()
        self._recordings.pop(context_id, None)
        if context_id in self._repeated:
            self._repeated.discard(context_id)
        else:
            await super().on_audio_context_interrupted(context_id)

    async def on_audio_context_completed(self, context_id: str) -> None:
        """Forgets the context; the vendor is told where it knows it."""
        self._recordings.pop(context_id, None)
        if context_id in self._repeated:
            self._repeated.discard(context_id)
        else:
            await super().on_audio_context_completed(context_id)

    async def cleanup(self) -> None:
        """Waits for what is being kept: half a second at most."""
        await super().cleanup()
        if self._keeping:
            await asyncio.wait(self._keeping)

    async def _handle_tts_speak(self, frame: TTSSpeakFrame) -> None:
        self._speaks_alone = True
        try:
            await super()._handle_tts_speak(frame)
        finally:
            self._speaks_alone = False

    async def _synthesize_text(self, text: str, context_id: str) -> None:
        cache, alone = self._voice_cache, self._speaks_alone
        if cache is None or not (alone or self.repeats_sentences):
            await super()._synthesize_text(text, context_id)
            return
        kind = cache.kind(text, alone=alone)
        place = cache.place(text, kind=kind, settings=self._settings.given_fields(), rate_hz=self.sample_rate)
        take = await cache.takes.find(place)
        cache.report(
            {
                "type": "speech_cache",
                "result": "miss" if take is None else "hit",
                "kind": kind,
                "characters": len(text.strip()),
            }
        )
        if take is None:
            await self._record(text, context_id, place)
        else:
            await self._repeat(take, context_id, alone=alone)

    async def _repeat(self, take: Take, context_id: str, *, alone: bool) -> None:
        if alone:
            self._repeated.add(context_id)
        if not self.audio_context_available(context_id):
            await self.create_audio_context(context_id)
            await self.start_ttfb_metrics()
            await self.append_to_audio_context(context_id, TTSStartedFrame(context_id=context_id))
        await self.tts_process_generator(context_id, self._again(take, context_id))

    async def _again(self, take: Take, context_id: str) -> AsyncGenerator[Frame | None, None]:
        words, at = list(take.words), 0
        while at < len(take.pcm):
            secs = PIECE_SECS if at else FIRST_PIECE_SECS
            end = at + round(secs * self.sample_rate) * BYTES_PER_SAMPLE
            yield RepeatedAudioFrame(take.pcm[at:end], self.sample_rate, 1, context_id=context_id)
            at = end
            while words and words[0].secs * self.sample_rate * BYTES_PER_SAMPLE < at:
                word = words.pop(0)
                await self.add_word_timestamps([(word.text, word.secs)], context_id, word.spaced)

    async def _record(self, text: str, context_id: str, place: Place) -> None:
        if self._interrupted_at is not None and self.get_event_loop().time() < self._interrupted_at + SETTLED_SECS:
            await super()._synthesize_text(text, context_id)
            return
        self._recordings[context_id] = Recording(
            text, place=place, rate_hz=self.sample_rate, timed=not self._push_text_frames
        )
        try:
            await super()._synthesize_text(text, context_id)
        except BaseException:
            self._recordings.pop(context_id, None)
            raise
        if self.repeats_sentences:
            self._end(context_id, whole=True)

    def _end(self, context_id: str, *, whole: bool) -> None:
        recording = self._recordings.pop(context_id, None)
        take = recording.take() if recording is not None and whole else None
        if take is None or recording is None or self._voice_cache is None:
            return
        task = self.create_task(self._voice_cache.takes.keep(recording.place, take), name="keep-take")
        self._keeping.add(task)
        task.add_done_callback(self._keeping.discard)


class Recording:
    """What comes of a text while it is spoken."""

    def __init__(self, text: str, *, place: Place, rate_hz: int, timed: bool) -> None:
        self._text = text
        self.place = place
        self._rate_hz = rate_hz
        self._timed = timed
        self._pcm = bytearray()
        self._words: list[Word] = []
        self._spoiled = False

    def hear(self, frame: Frame | WordTimestamp | None) -> None:
        """Takes in what came next of the context."""
        if isinstance(frame, WordTimestamp):
            self._words.append(Word(frame.word, frame.timestamp, frame.includes_inter_frame_spaces))
        elif isinstance(frame, TTSAudioRawFrame):
            self._spoiled |= frame.sample_rate != self._rate_hz or frame.num_channels != 1
            if len(self._pcm) <= self._bytes(LONGEST_SECS):
                self._pcm += frame.audio
        elif isinstance(frame, ErrorFrame):
            self._spoiled = True

    def take(self) -> Take | None:
        """All of it, if it is the whole text and nothing else: neither silent, nor too short or too long for it."""
        pcm = bytes(self._pcm) + bytes(len(self._pcm) % BYTES_PER_SAMPLE)
        secs = len(pcm) / (self._rate_hz * BYTES_PER_SAMPLE)
        fits = least_secs(self._text) <= secs <= min(most_secs(self._text), LONGEST_SECS)
        if self._spoiled or not fits or not any(pcm) or (self._timed and not self._has_its_words(secs)):
            return None
        return Take(pcm, tuple(self._words))

    def _has_its_words(self, secs: float) -> bool:
        """Whether each letter of the text is in a word, and each word in the audio."""
        inside = all(word.secs + least_secs(word.text) <= secs for word in self._words)
        return inside and _letters("".join(word.text for word in self._words)) == _letters(self._text)

    def _bytes(self, secs: float) -> int:
        return round(secs * self._rate_hz) * BYTES_PER_SAMPLE


def _letters(text: str) -> str:
    return "".join(character for character in text if character.isalnum())
