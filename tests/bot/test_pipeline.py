"""The parts of a call together: what is asked about the talk never comes to the language model."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from pipecat.frames.frames import (
    Frame,
    LLMContextFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMMessagesAppendFrame,
    LLMTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.tests.utils import SleepFrame
from pipecat.transports.base_transport import BaseTransport, TransportParams

from bot.change import Change
from bot.pipeline import Services, build_pipeline
from bot.settings import BotSettings, Retrieval
from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.tts import EmbeddedTTSService
from bot.turns import TurnModels
from knowledge.types import Passage, SearchResult, Turn, Verdict
from processors.frames import GoodbyeFrame, RepeatedAudioFrame
from processors.guess import Guesses
from tests.patient import run_test
from tests.virtual_time import in_virtual_time

SETTINGS = BotSettings(retrieval=Retrieval(socket=Path("/nowhere")), speech_socket=Path("/nowhere"))
TEXT = "A puncture costs 18 dollars."
SAID = f"{TEXT} That's from the workshop page."
WORD = b"\x00\x20" * 480
APART_SECS = 10.0


@pytest.fixture(scope="module")
def models() -> TurnModels:
    return TurnModels.load()


class Passing(FrameProcessor):
    """Passes on what comes."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        await self.push_frame(frame, direction)


class Loudspeaker(Passing):
    """Has what a transport's output has of settings."""

    def __init__(self) -> None:
        super().__init__()
        self._params = TransportParams()


class Line:
    """A transport without a network."""

    def __init__(self) -> None:
        self._loudspeaker = Loudspeaker()

    def input(self) -> FrameProcessor:
        return Passing()

    def output(self) -> FrameProcessor:
        return self._loudspeaker


class Model(FrameProcessor):
    """A language model with one answer."""

    asked = 0

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        await super().process_frame(frame, direction)
        if not isinstance(frame, LLMContextFrame):
            await self.push_frame(frame, direction)
            return
        self.asked += 1
        for each in (LLMFullResponseStartFrame(), LLMTextFrame(f"{TEXT} [1]"), LLMFullResponseEndFrame()):
            await self.push_frame(each)


class Shelf:
    """A search that always finds the same passage."""

    def __init__(self) -> None:
        self.histories: list[list[Turn]] = []

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        self.histories.append([*history])
        found = Passage(
            document_id=UUID(int=1), source="/docs/workshop.md", title="Workshop", heading_path=(), text=TEXT,
            start=0, end=len(TEXT), score=1.0, similarity=0.6,
        )  # fmt: skip
        return SearchResult(Verdict.FOUND, (found,))


class Mouth:
    """Speaks any text, a word in 20 ms."""

    async def synthesize(self, text: str, **_manner: Any) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        for number, word in enumerate(text.split()):
            yield SpeechWord(word, number * 0.02)
            yield SpeechAudio(WORD)

    async def aclose(self) -> None:
        pass


class Call:
    """A call that is typed into."""

    def __init__(self, models: TurnModels) -> None:
        self.model, self.shelf = Model(), Shelf()
        services = Services(
            stt=cast("Any", Passing()),
            llm=cast("Any", self.model),
            tts=EmbeddedTTSService(client=cast("Any", Mouth())),
        )
        self.call = build_pipeline(
            SETTINGS,
            transport=cast("BaseTransport", Line()),
            services=services,
            search=self.shelf,
            models=models,
            guesses=Guesses(settled=lambda _: None),
            chosen=Change,
            choose=lambda _change: (),
        )

    async def hears(self, *texts: str) -> list[Any]:
        """The frames that reach the end where the caller types these, one after the other."""
        typed: list[Frame] = []
        for text in texts:
            message: Any = {"role": "user", "content": text}
            typed += [LLMMessagesAppendFrame([message], run_llm=True), SleepFrame(sleep=APART_SECS)]
        down, _ = await run_test(self.call.pipeline, frames_to_send=typed)
        return [*down]

    @property
    def answers(self) -> list[str]:
        messages: list[Any] = self.call.context.get_messages()
        return [each["content"] for each in messages if each["role"] == "assistant"]


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("Could you say that again?", SAID),
        ("Shorter, please.", TEXT),
        ("Where did you get that?", "That's from the workshop page."),
        ("How do you spell that?", "18: 1, 8."),
        ("One moment.", "Of course. Take your time."),
        ("Slower, please.", "All right, I'll speak more slowly."),
    ],
)
@in_virtual_time
async def test_a_request_about_the_talk_is_answered_without_the_language_model(
    models: TurnModels, request_: str, said: str
):
    call = Call(models)
    await call.hears("What does a puncture cost?", request_)
    assert (call.answers, call.model.asked) == ([SAID, said], 1)


@in_virtual_time
async def test_an_answer_is_heard_again_from_its_recording(models: TurnModels):
    heard = [frame for frame in await Call(models).hears("What does it cost?", "Once more.") if frame]
    assert sum(isinstance(frame, RepeatedAudioFrame) for frame in heard) == len(SAID.split()) + 1


@in_virtual_time
async def test_its_source_is_shown_again(models: TurnModels):
    heard = await Call(models).hears("What does it cost?", "Where did you get that?")
    shown = [frame.data["title"] for frame in heard if isinstance(frame, RTVIServerMessageFrame)]
    assert shown == ["Workshop", "Workshop"]


@in_virtual_time
async def test_a_goodbye_is_said_before_its_end_comes(models: TurnModels):
    call = Call(models)
    heard = await call.hears("Goodbye.")
    assert (call.answers, [type(frame) for frame in heard].count(GoodbyeFrame)) == (
        ["Goodbye, and thank you for calling."],
        1,
    )


@in_virtual_time
async def test_a_later_question_does_not_lean_on_it(models: TurnModels):
    call = Call(models)
    await call.hears("What does it cost?", "Slower, please.", "And for two?")
    assert call.shelf.histories[-1] == [Turn("user", "What does it cost?"), Turn("assistant", SAID)]


@in_virtual_time
async def test_the_next_answer_takes_the_place_of_what_was_spelled(models: TurnModels):
    call = Call(models)
    await call.hears("What does it cost?", "How do you spell that?", "And for two?", "Once more.")
    assert call.answers[-1] == SAID
