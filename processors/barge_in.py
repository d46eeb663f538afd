"""Whether somebody who is heard while the bot speaks wants the word: a decision by energy, duration and words."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from knowledge.terms import words
from processors.loudness import Loudness

# What seemed to begin and was no voice after so long was a noise.
NOISE_SECS = 0.25
# So long after a noise only a voice holds the bot's; twice as long after each further one.
AFTER_NOISE_SECS, LONGEST_AFTER_NOISE_SECS = 2.0, 32.0
# The bot's own voice comes back so soon after it begins, and ceases so soon after it is held.
ECHO_BEGINS_SECS, ECHO_ENDS_SECS = 0.5, 0.45
ECHOES_TO_BELIEVE = 3

_AGREEING = frozenset(
    (
        "ah aha alright cool er fine good great ha haha hah he heh hm hmm huh indeed interesting lovely m mhm mm mmhm "
        "mmm nice oh ok okay perfect right sure uh uhhuh uhm um wow yeah yep yes yup"
    ).split()
)
_AGREEING_PHRASES = frozenset(
    (
        "i see|i know|got it|all right|of course|that's right|that s right|very good|very nice|makes sense|uh huh|"
        "mm hm|mm hmm|m hm|thank you|thanks|no problem|oh really|really"
    ).split("|")
)
_STOPPING = frozenset(
    "stop|wait|no|halt|quiet|enough|hold on|hang on|be quiet|shut up|hold it|one moment|excuse me|sorry|hey".split("|")
)
_LONGEST_PHRASE = 3


class Words(enum.Enum):
    """What words ask for while the bot speaks."""

    NOTHING = "nothing"
    AGREEING = "agreeing"
    STOPPING = "stopping"
    SAYING = "saying"


def meaning(text: str) -> Words:
    """What is said: nothing, that somebody listens, that the bot be silent, or anything else."""
    heard = words(text)
    if not heard:
        return Words.NOTHING
    if any(_starts_with(heard, _STOPPING, size) for size in range(1, _LONGEST_PHRASE + 1)):
        return Words.STOPPING
    while heard:
        size = next((n for n in range(_LONGEST_PHRASE, 0, -1) if _agrees(heard, n)), 0)
        if not size:
            return Words.SAYING
        heard = heard[size:]
    return Words.AGREEING


def _agrees(heard: Sequence[str], size: int) -> bool:
    return heard[0] in _AGREEING if size == 1 else _starts_with(heard, _AGREEING_PHRASES, size)


def _starts_with(heard: Sequence[str], phrases: frozenset[str], size: int) -> bool:
    return len(heard) >= size and " ".join(heard[:size]) in phrases


@dataclass(frozen=True, slots=True)
class Patience:
    """How long it takes to be sure; seconds."""

    voice_secs: float = 0.7
    """Voice this long wants the word, where nothing is known of its words."""
    agreeing_secs: float = 2.0
    """Voice this long wants the word though its words only agree so far."""
    words_secs: float = 0.6
    """So long after the voice ceased its words are waited for."""


Verdict = Literal["hold", "resume", "stop", "drop"]


class BargeIn:
    """Follows one caller's voice and says what becomes of the bot's.

    `hold`: the bot's voice falls silent and keeps what it has not said. `resume`: it goes on. `stop`: the caller has
    the word. `drop`: the words that came belong to no turn. All times are seconds by one clock.
    """

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self.words_secs = patience.words_secs
        """So long after the voice ceased its words are waited for; a recogniser tells of itself."""
        self._loudness = Loudness()
        self._bot_since: float | None = None
        self._held_since: float | None = None
        self._voice_since: float | None = None
        self._voice_until: float | None = None
        self._voiced_secs = 0.0
        self._agreeing = False
        self._noises = 0
        self._no_stirring_until = 0.0
        self._like_echoes = 0

    @property
    def stretch(self) -> tuple[float, float | None]:
        """When the caller's voice was last heard: from, and until if it ceased."""
        return self._voice_since or 0.0, self._voice_until

    def bot_started(self, at: float) -> None:
        """The bot begins to be heard."""
        self._bot_since = at

    def bot_stopped(self) -> Verdict | None:
        """The bot is not heard any more; what was held meanwhile must not stay so."""
        held = self._held_since is not None
        self._bot_since = self._held_since = None
        return "resume" if held else None

    def turn_started(self) -> None:
        """The caller has the word, and the bot falls silent."""
        self._bot_since = self._held_since = None

    def sound(self, level_dbfs: float, *, secs: float, at: float) -> Verdict | None:
        """So many seconds of the caller's sound, as loud as that."""
        self._loudness.hear(level_dbfs, secs=secs)
        if self._speaking:
            self._voiced_secs += secs if self._loudness.is_voice else 0.0
        if self._bot_since is None:
            return None
        if self._held_since is None:
            return self._perhaps_hold(at)
        if self._speaking:
            limit = self._patience.agreeing_secs if self._agreeing else self._patience.voice_secs
            return self._stop() if self._voiced_secs >= limit else None
        if self._voice_until is None or self._voice_until < self._held_since:
            return self._noise(at) if at - self._held_since >= NOISE_SECS else None
        return self._resume(at) if at - self._voice_until >= self.words_secs else None

    def voice_started(self, at: float) -> Verdict | None:
        """Voice is heard since then."""
        held = self._held_since is not None
        if not (held and self._voice_until is not None and self._voice_until >= (self._held_since or 0.0)):
            self._voice_since, self._voiced_secs, self._agreeing = at, 0.0, False
            self._loudness.begin()
        self._voice_until = None
        if self._bot_since is None:
            return "stop"
        if held:
            self._noises = 0
            return None
        return self._perhaps_hold(at)

    def voice_stopped(self, at: float) -> None:
        """Voice was heard until then."""
        self._voice_until = at
        if self._bot_since is None:
            self._loudness.was_caller()

    def words(self, text: str, *, final: bool, echo: bool, at: float) -> Verdict | None:
        """Words were made out of the voice that is heard, or was."""
        if self._bot_since is None:
            return "stop" if text.strip() else None
        said = meaning(text)
        # A bot that happens to say "no" must not make the caller's "no" its own.
        if echo and not (said is Words.STOPPING and len(words(text)) == 1):
            self._loudness.was_echo()
            return self._nothing(final, at)
        match said:
            case Words.STOPPING:
                return self._stop()
            case Words.SAYING if self._voice_since is None or self._loudness.is_near:
                return self._stop()
            case Words.AGREEING:
                self._agreeing = True
            case _:
                pass
        return self._nothing(final, at)

    @property
    def _speaking(self) -> bool:
        return self._voice_since is not None and self._voice_until is None

    def _perhaps_hold(self, at: float) -> Verdict | None:
        stirring = self._loudness.stirring and at >= self._no_stirring_until
        if stirring or (self._speaking and self._loudness.is_caller):
            # What was heard before was not the caller.
            self._held_since, self._voiced_secs, self._agreeing = at, 0.0, False
            return "hold"
        return None

    def _nothing(self, final: bool, at: float) -> Verdict | None:
        """What becomes of words that ask for nothing; those that are final end a hold once the voice has ceased."""
        if not final:
            return None
        return self._resume(at) if self._held_since is not None and not self._speaking else "drop"

    def _noise(self, at: float) -> Verdict:
        self._no_stirring_until = at + min(LONGEST_AFTER_NOISE_SECS, AFTER_NOISE_SECS * 2**self._noises)
        self._noises += 1
        self._held_since = None
        return "resume"

    def _resume(self, at: float) -> Verdict:
        self._note_echo()
        self._held_since, self._bot_since = None, at
        return "resume"

    def _stop(self) -> Verdict:
        self._like_echoes = 0
        self.turn_started()
        return "stop"

    def _note_echo(self) -> None:
        """Takes a voice for the bot's own where it came and went with it, time and again."""
        if self._held_since is None or self._bot_since is None or self._voice_until is None:
            return
        begun, ended = self._held_since - self._bot_since, self._voice_until - self._held_since
        alike = begun <= ECHO_BEGINS_SECS and ended <= ECHO_ENDS_SECS
        self._like_echoes = self._like_echoes + 1 if alike else 0
        if self._like_echoes >= ECHOES_TO_BELIEVE:
            self._loudness.was_echo()
