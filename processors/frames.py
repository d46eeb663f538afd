"""The frames that Jarvis adds to Pipecat's."""

from dataclasses import dataclass, field

from pipecat.frames.frames import ControlFrame, DataFrame, LLMContextFrame, TTSAudioRawFrame, TTSSpeakFrame

from knowledge.types import Passage
from processors.guess import Guess


@dataclass
class AskedFrame(ControlFrame):
    """A context comes behind it; it is answered for good, or as a `guess` at what the caller will have said."""

    guess: Guess | None = None
    interruptible: bool = field(default=False, init=False)


@dataclass
class GuessedContextFrame(LLMContextFrame):
    """The context of a guess."""

    guess: Guess = field(kw_only=True)


@dataclass
class PassagesFrame(ControlFrame):
    """This turn's passages; marker `[n]` names the n-th.

    Travels just ahead of the `LLMContextFrame` that holds the same passages as text, so that whatever stands behind
    the LLM knows what the answer may cite. `question` is what was looked up, None where nothing was; `caller` is all
    that the caller has said.
    """

    passages: tuple[Passage, ...] = field(default=())
    question: str | None = None
    caller: str = ""


@dataclass
class UnansweredFrame(ControlFrame):
    """The answer that follows says that the passages don't answer, whatever it cites besides."""


@dataclass
class CallingFrame(ControlFrame):
    """A language model writes what it calls a tool with: a sign of life that says nothing yet."""


@dataclass
class RepeatedAudioFrame(TTSAudioRawFrame):
    """Speech that was made before: it says nothing of how the voice's vendor does now."""


@dataclass
class FillerFrame(TTSSpeakFrame):
    """A word or two that are said because the answer is slow: no answer, whoever measures or keeps those."""


@dataclass
class RepeatFrame(DataFrame):
    """The last answer is to be heard again, from its recording; `text` is what it says."""

    text: str


@dataclass
class GoodbyeFrame(ControlFrame):
    """Follows a goodbye, and comes to the end of the pipeline where that was heard to its end."""


@dataclass
class VolumeFrame(ControlFrame):
    """From here on the bot is `volume` times as loud as its voice by itself."""

    # A caller who interrupts does not undo it.
    interruptible: bool = field(default=False, init=False)

    volume: float
