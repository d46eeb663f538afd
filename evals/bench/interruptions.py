"""`jarvis bench interruptions`: whom a bot stops for while it speaks, and how soon it is silent.

No call is made: what is heard goes through the VAD and the start of turns that calls use, in the pace of the sound.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from pipecat.audio.vad.vad_analyzer import VADState
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)

from bot.interruptions import BargeInStartStrategy
from bot.settings import Turns
from bot.turns import TurnModels, user_params
from evals.bench.figures import Figure, Finding, Note
from evals.bench.overheard import HEARD_HZ, Overheard, caller_before, line, overheard
from evals.caller.speaker import FliteSpeaker
from processors.echo import JustSaid
from processors.guess import Guesses
from processors.held_voice import HoldVoiceFrame, ResumeVoiceFrame

FRAME_SECS = 0.02
FRAME = round(HEARD_HZ * FRAME_SECS)
ALONE_SECS, AFTER_SECS = 1.5, 2.5
# A vendor's final words come so long after the VAD hears that the voice ceased.
WORDS_SECS = 0.15
# What an echo needs from the bot's voice back to its ear.
ECHO_SECS = 0.2
WORDS_A_SEC = 2.8


@dataclass
class Tried:
    """What a bot did about one sound, in seconds of the sound; `silent_secs` is how long it was held without need."""

    what: Overheard
    held_at: float | None = None
    stopped_at: float | None = None
    holds: int = 0
    silent_secs: float = 0.0

    @property
    def yield_ms(self) -> float | None:
        """From the first voiced sample to the decision to be silent."""
        first = self.held_at if self.held_at is not None else self.stopped_at
        return None if first is None else max(0.0, (first - self.what.begins_secs) * 1000)


@dataclass
class Ear:
    """A line at a bot that speaks, one sound after another; `told` is whether the recogniser makes out words."""

    models: TurnModels
    told: bool
    _now: float = 0.0
    _held: list[float] = field(default_factory=list)

    async def hear(self, what: Overheard) -> Tried:
        """Lets the bot hear the caller's question, and then this, while it speaks."""
        just_said, tried = JustSaid(), Tried(what)
        user_params(Turns(), models=self.models, guesses=Guesses(settled=lambda _: None), just_said=just_said)
        vad = self.models.detector(sample_rate=HEARD_HZ)
        strategy = BargeInStartStrategy(just_said=just_said, clock=lambda: self._now)
        before, pause = caller_before(), np.zeros(round(ALONE_SECS * HEARD_HZ), np.int16)
        begins = (before.size + pause.size) / HEARD_HZ
        after = np.zeros(round(AFTER_SECS * HEARD_HZ), np.int16)
        sound = what.samples if what.kind != "echo" else np.zeros_like(what.samples)
        heard = line([before, pause, sound, after], what.behind, seed=what.number)
        held_since: float | None = None

        async def push(_strategy: object, frame: Frame, _direction: Any) -> None:
            nonlocal held_since
            if isinstance(frame, HoldVoiceFrame):
                held_since = self._now
                tried.holds += 1
                if self._now >= begins and tried.held_at is None:
                    tried.held_at = self._now - begins
            elif isinstance(frame, ResumeVoiceFrame) and held_since is not None:
                tried.silent_secs += self._now - held_since
                held_since = None

        async def started(_strategy: object, _params: object) -> None:
            nonlocal held_since
            if speaks and tried.stopped_at is None:
                tried.stopped_at = self._now - begins
            await strategy.handle_user_turn_started()

        strategy.add_event_handler("on_push_frame", push)
        strategy.add_event_handler("on_user_turn_started", started)
        speaks, voice, words_at, said_secs = False, VADState.QUIET, None, 0.0
        coming: list[tuple[float, np.ndarray]] = []
        for start in range(0, heard.size - FRAME, FRAME):
            if tried.stopped_at is not None:
                break
            self._now = (start + FRAME) / HEARD_HZ
            piece = heard[start : start + FRAME]
            if not speaks and self._now >= begins - ALONE_SECS / 2:
                speaks = True
                await strategy.process_frame(BotStartedSpeakingFrame())
            if what.kind == "echo" and speaks:
                if held_since is None and tried.stopped_at is None:
                    at = round(said_secs * HEARD_HZ)
                    coming.append((self._now + ECHO_SECS, what.samples[at : at + FRAME]))
                    _say(just_said, said_secs, at=self._now, text=what.words)
                    said_secs += FRAME_SECS
                while coming and coming[0][0] <= self._now:
                    echo = coming.pop(0)[1]
                    piece = np.clip(piece[: echo.size].astype(np.int32) + echo, -32_768, 32_767).astype(np.int16)
            audio = np.pad(piece, (0, FRAME - piece.size)).tobytes()
            # As in the aggregator: the VAD's news of a sound come before the sound.
            state = vad._run_analyzer(audio)
            if state in (VADState.QUIET, VADState.SPEAKING) and state is not voice:
                voice = state
                if voice is VADState.SPEAKING:
                    await strategy.process_frame(VADUserStartedSpeakingFrame(start_secs=vad.params.start_secs))
                else:
                    words_at = self._now + WORDS_SECS
                    await strategy.process_frame(VADUserStoppedSpeakingFrame(stop_secs=vad.params.stop_secs))
            await strategy.process_frame(InputAudioRawFrame(audio, HEARD_HZ, 1))
            if words_at is not None and self._now >= words_at:
                words_at = None
                text = _words(what, said_secs) if self.told and speaks else ""
                await strategy.process_frame(TranscriptionFrame(text, "", "", finalized=True))
        return tried


def _words(what: Overheard, said_secs: float) -> str:
    """What a recogniser makes of it: of an echo, the last words that came before the bot was held."""
    if what.kind != "echo":
        return what.words
    until = round(said_secs * WORDS_A_SEC)
    return " ".join(what.words.split()[max(0, until - 3) : until])


def _say(just_said: JustSaid, said_secs: float, *, at: float, text: str) -> None:
    """Notes the words that the bot begins to say in these 20 ms."""
    words = text.split()
    place = int(said_secs * WORDS_A_SEC)
    begins = said_secs == 0 or int((said_secs - FRAME_SECS) * WORDS_A_SEC) != place
    if place < len(words) and begins:
        just_said.note(words[place], at=at)


async def interruptions(*, progress: Callable[[str], None]) -> AsyncIterator[Finding]:
    """Tries everything, once with a recogniser that understands and once with one that understands nothing."""
    progress("making what is heard")
    sounds = await overheard(FliteSpeaker())
    models = TurnModels.load()
    for told in (True, False):
        of = "words understood" if told else "no words understood"
        tried: list[Tried] = []
        for number, each in enumerate(sounds, 1):
            progress(f"{of}: {number} of {len(sounds)}")
            tried.append(await Ear(models, told).hear(each))
        for finding in _found(tried, of):
            yield finding


def _found(tried: list[Tried], of: str) -> list[Finding]:
    wanting = [each for each in tried if each.what.wants_the_word]
    harmless = [each for each in tried if not each.what.wants_the_word]
    false = [each for each in harmless if each.stopped_at is not None]
    missed = [each for each in wanting if each.stopped_at is None]
    yields = tuple(each.yield_ms for each in wanting if each.yield_ms is not None)
    return [
        Figure("false stops", "%", (100 * len(false) / len(harmless),), of),
        Figure("missed barge-ins", "%", (100 * len(missed) / len(wanting),), of),
        Figure("voice to silence, at the bot", "ms", yields, of),
        Figure("held without need", "s", tuple(each.silent_secs for each in harmless), of),
        Note(f"{of}: stopped for {_kinds(false)} of {len(harmless)}; missed {_kinds(missed)} of {len(wanting)}"),
    ]


def _kinds(tried: list[Tried]) -> str:
    kinds = [each.what.kind for each in tried]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds)) or "none"
