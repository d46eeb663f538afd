"""The frames that Jarvis adds to Pipecat's."""

from dataclasses import dataclass, field

from pipecat.frames.frames import ControlFrame, DataFrame, TTSAudioRawFrame

from knowledge.types import Passage


@dataclass
class PassagesFrame(ControlFrame):
    """This turn's passages; marker `[n]` names the n-th.

    Travels just ahead of the `LLMContextFrame` that holds the same passages as text, so that whatever stands behind
    the LLM knows what the answer may cite. `question` is what was looked up, None where nothing was.
    """

    passages: tuple[Passage, ...] = field(default=())
    question: str | None = None


@dataclass
class UnansweredFrame(ControlFrame):
    """The answer that follows says that the passages don't answer, whatever it cites besides."""


@dataclass
class RepeatedAudioFrame(TTSAudioRawFrame):
    """Speech that was made before: it says nothing of how the voice's vendor does now."""


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
