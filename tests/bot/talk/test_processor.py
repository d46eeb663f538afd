"""A request about the talk is answered by the bot itself; all else goes on to the language model."""

from collections.abc import Sequence
from typing import Any

import pytest
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    EagerEndOfTurnCancelFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    TTSAudioRawFrame,
    TTSSpeakFrame,
    TTSUpdateSettingsFrame,
    UserStartedSpeakingFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.tests.utils import SleepFrame

from bot.change import Change, ChosenVoice
from bot.talk.processor import TalkProcessor
from bot.wording.table import wording
from processors.frames import GoodbyeFrame, PassagesFrame, RepeatFrame
from processors.last_answer import Answers
from processors.tape import Tape
from tests.patient import run_test

ENGLISH = wording("en")

ANSWER = "It is on Mill Lane."
CITATION = {"type": "citation", "title": "Workshop", "heading_path": [], "effective_date": None, "quote": ANSWER}


class Call:
    """A call in which one answer was given, recorded or not, and what a caller chose in it."""

    def __init__(self, *, answered: bool = True, recorded: bool = False, speed: float | None = None):
        self.answers, self.tape = Answers(), Tape()
        if answered:
            self.answers.begin(1)
            self.answers.cite(CITATION)
            self.answers.say(ANSWER)
        if recorded:
            self.tape.begin(1)
            self.tape.hear(TTSAudioRawFrame(bytes(480), 24000, 1), now_ns=0)
            self.tape.end()
        self.chosen = Change(tts=ChosenVoice(speed=speed))
        self.requests: list[str] = []

    def choose(self, change: Change) -> Sequence[Frame]:
        self.chosen = self.chosen.then(change)
        return [TTSUpdateSettingsFrame(settings={"speed": change.tts.speed})]

    async def out(self, *frames: Frame) -> list[Any]:
        """What comes out for these, one after the other."""
        talk = TalkProcessor(
            answers=self.answers, tape=self.tape, chosen=lambda: self.chosen, choose=self.choose, words=ENGLISH
        )

        @talk.event_handler("on_request")
        async def on_request(_processor: object, request: str) -> None:
            self.requests.append(request)

        apart = [each for frame in frames for each in (frame, SleepFrame(sleep=0.01))]
        down, _ = await run_test(talk, frames_to_send=apart)
        return [*down]

    async def says(self, *frames: Frame) -> list[str]:
        return [frame.text for frame in await self.out(*frames) if isinstance(frame, TTSSpeakFrame)]


def turn(text: str, *, role: str = "user", speculation: bool = False) -> LLMContextFrame:
    messages: list[Any] = [{"role": "assistant", "content": ANSWER}, {"role": role, "content": text}]
    return LLMContextFrame(context=LLMContext(messages=messages), speculation=speculation)


def kinds(frames: Sequence[Frame]) -> list[type[Frame]]:
    return [type(frame) for frame in frames]


@pytest.mark.parametrize("text", ["When do you open?", "Can you repeat the opening hours?", "Thanks.", ""])
async def test_what_is_no_request_goes_to_the_language_model(text: str):
    assert kinds(await Call().out(turn(text))) == [LLMContextFrame]


async def test_an_instruction_is_nobodys_request():
    assert kinds(await Call().out(turn("Repeat that.", role="developer"))) == [LLMContextFrame]


async def test_before_any_answer_a_request_for_it_goes_to_the_language_model():
    assert kinds(await Call(answered=False).out(turn("Where did you get that?"))) == [LLMContextFrame]


async def test_nothing_is_looked_up_for_a_request():
    (passages, _) = await Call().out(turn("One moment."))
    assert passages == PassagesFrame() or passages.passages == ()


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("One moment, please.", ENGLISH.take_your_time),
        ("Could you say that again?", ANSWER),
        ("Shorter, please.", ANSWER),
        ("Where did you get that?", "That's from the workshop page."),
        ("How do you spell that?", "Mill Lane: M, I, L, L. L, A, N, E."),
    ],
)
async def test_a_request_is_answered_in_one_go(request_: str, said: str):
    assert await Call().says(turn(request_)) == [said]


async def test_a_recorded_answer_is_heard_again():
    assert kinds(await Call(recorded=True).out(turn("Say that again."))) == [PassagesFrame, RepeatFrame]


async def test_what_was_spelled_is_spelled_once_more():
    spelled = "Mill Lane: M, I, L, L. L, A, N, E."
    assert await Call(recorded=True).says(turn("Spell that."), turn("Once more, please.")) == [spelled, spelled]


async def test_the_page_is_shown_the_sources_again():
    came = await Call().out(turn("What was the source?"))
    assert [frame.data for frame in came if isinstance(frame, RTVIServerMessageFrame)] == [CITATION]


async def test_the_voice_is_slower_before_it_says_so():
    call = Call()
    came = await call.out(turn("Slower, please."))
    assert kinds(came) == [PassagesFrame, TTSUpdateSettingsFrame, TTSSpeakFrame]
    assert call.chosen.tts.speed == 0.85


async def test_a_recording_at_another_speed_is_not_heard_again():
    assert await Call(recorded=True).says(turn("Slower, please."), turn("Once more.")) == [
        "All right, I'll speak more slowly.", ANSWER,
    ]  # fmt: skip


async def test_an_operators_change_of_the_voice_does_away_with_the_recording():
    change = TTSUpdateSettingsFrame(settings={"voice": "f5"})
    assert await Call(recorded=True).says(change, turn("Once more.")) == [ANSWER]


async def test_at_the_slowest_nothing_changes():
    call = Call(speed=0.7)
    assert kinds(await call.out(turn("Slower."))) == [PassagesFrame, TTSSpeakFrame]
    assert await call.says(turn("Slower.")) == [ENGLISH.slowest]


async def test_an_answer_that_was_cut_off_for_it_is_said_again_more_slowly():
    cut = [BotStartedSpeakingFrame(), InterruptionFrame()]
    assert await Call().says(*cut, turn("Not so fast!")) == [f"All right, I'll speak more slowly. {ANSWER}"]


async def test_an_end_of_the_goodbye_follows_it():
    came = await Call().out(turn("Goodbye."))
    assert kinds(came) == [PassagesFrame, TTSSpeakFrame, GoodbyeFrame]
    assert came[1].text == ENGLISH.goodbye


async def test_requests_are_told():
    call = Call()
    await call.out(turn("Slower."), turn("When do you open?"), turn("Bye."))
    assert call.requests == ["slower", "goodbye"]


async def test_a_guessed_request_waits_for_the_turns_end():
    came = await Call().out(UserStartedSpeakingFrame(), turn("Wait.", speculation=True), UserStoppedSpeakingFrame())
    assert kinds(came) == [UserStartedSpeakingFrame, UserStoppedSpeakingFrame, PassagesFrame, TTSSpeakFrame]


@pytest.mark.parametrize("withdrawal", [EagerEndOfTurnCancelFrame, InterruptionFrame])
async def test_a_guess_that_is_withdrawn_is_not_answered(withdrawal: type[Frame]):
    guess = turn("Wait.", speculation=True)
    assert await Call().says(UserStartedSpeakingFrame(), guess, withdrawal(), UserStoppedSpeakingFrame()) == []


async def test_a_guess_that_comes_after_the_turns_end_is_answered_at_once():
    assert await Call().says(UserStoppedSpeakingFrame(), turn("Wait.", speculation=True)) == [ENGLISH.take_your_time]
