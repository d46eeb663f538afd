"""What each side said and when."""

from typing import Any
from uuid import UUID

from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    LLMMessagesAppendFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.observers.base_observer import FramePushed
from pipecat.processors.filters.identity_filter import IdentityFilter
from pipecat.processors.frame_processor import FrameDirection

from bot.said import Said
from knowledge.types import Passage
from processors.citations import Citation
from processors.frames import AskedFrame

PASSAGE = Passage(UUID(int=1), "returns.md", "Returns", ("Returns", "Time"), "Within 30 days.", 10, 25, 0.9, 0.9)
SOURCE = {
    "document_id": str(UUID(int=1)),
    "title": "Returns",
    "heading_path": ["Returns", "Time"],
    "quote": "Within 30 days.",
    "start": 10,
    "end": 25,
    "page": None,
}


class Call:
    """A conversation by the clock, and what is reported of it."""

    def __init__(self) -> None:
        self.now = 0.0
        self.reports: list[dict[str, Any]] = []
        self.said = Said(report=self.reports.append, clock=lambda: self.now)
        self._processor = IdentityFilter()

    async def at(self, now: float, *frames: Frame) -> None:
        self.now = now
        for frame in frames:
            pushed = FramePushed(self._processor, self._processor, frame, FrameDirection.DOWNSTREAM, int(now * 1e9))
            await self.said.on_push_frame(pushed)

    async def caller(self, text: str, *, starts: float, stops: float) -> None:
        """The caller speaks; VAD and turn end come a while after the sound."""
        await self.at(starts + 0.1, VADUserStartedSpeakingFrame(start_secs=0.1, timestamp=starts + 0.1))
        await self.at(stops + 0.2, VADUserStoppedSpeakingFrame(stop_secs=0.2, timestamp=stops + 0.2))
        await self.at(stops + 0.5)
        self.said.caller_said(text)

    async def bot(self, text: str, *, starts: float, stops: float, interrupted: bool = False) -> None:
        """The bot thinks for half a second, then speaks."""
        await self.at(starts - 0.5)
        self.said.bot_begins()
        await self.at(starts, BotStartedSpeakingFrame())
        if not interrupted:
            await self.at(stops, BotStoppedSpeakingFrame())
        await self.at(stops)
        self.said.bot_said(text, interrupted=interrupted)

    @property
    def times(self) -> list[tuple[float, float]]:
        return [(each["started_at"], each["ended_at"]) for each in self.reports]


async def test_both_sides_are_reported_in_order_with_the_times_of_their_sound():
    call = Call()
    await call.caller("How long can I return it?", starts=10, stops=12)
    await call.bot("Within 30 days.", starts=13, stops=15)
    assert [(each["number"], each["role"], each["text"]) for each in call.reports] == [
        (1, "user", "How long can I return it?"),
        (2, "assistant", "Within 30 days."),
    ]
    assert call.times == [(10, 12), (13, 15)]


async def test_a_turn_with_a_pause_is_one_from_its_first_sound_to_its_last():
    call = Call()
    await call.at(10.1, VADUserStartedSpeakingFrame(start_secs=0.1, timestamp=10.1))
    await call.at(11.2, VADUserStoppedSpeakingFrame(stop_secs=0.2, timestamp=11.2))
    await call.caller("Well, how long?", starts=11.5, stops=12)
    assert call.times == [(10, 12)]


async def test_a_turn_that_was_cut_off_says_so_and_ends_then():
    call = Call()
    await call.bot("Within", starts=13, stops=13.6, interrupted=True)
    (report,) = call.reports
    assert (report["interrupted"], report["started_at"], report["ended_at"]) == (True, 13, 13.6)


async def test_sources_are_those_of_the_answer_that_names_them():
    call = Call()
    call.said.cited(Citation(1, PASSAGE, "Within 30 days.", 10, 25))
    await call.bot("Within 30 days.", starts=13, stops=15)
    await call.bot("Anything else?", starts=16, stops=17)
    assert [each["sources"] for each in call.reports] == [[SOURCE], []]


async def test_sources_that_are_named_before_the_callers_turn_is_told_are_the_answers():
    call = Call()
    await call.at(11, AskedFrame())
    call.said.cited(Citation(1, PASSAGE, "Within 30 days.", 10, 25))
    await call.caller("How long?", starts=10, stops=11)
    await call.bot("Within 30 days.", starts=12, stops=13)
    assert [each["sources"] for each in call.reports] == [[], [SOURCE]]


async def test_the_sources_of_an_answer_that_nobody_heard_are_not_the_next_ones():
    call = Call()
    call.said.cited(Citation(1, PASSAGE, "Within 30 days.", 10, 25))
    await call.caller("No, wait.", starts=10, stops=11)
    await call.at(11.6, AskedFrame())
    await call.bot("Yes?", starts=12, stops=13)
    assert [each["sources"] for each in call.reports] == [[], []]


async def test_a_turn_without_words_is_not_reported_and_leaves_the_next_its_times():
    call = Call()
    await call.caller("", starts=5, stops=6)
    await call.caller("Hello?", starts=10, stops=11)
    assert [(each["number"], each["text"]) for each in call.reports] == [(1, "Hello?")]
    assert call.times == [(10, 11)]


async def test_what_is_spoken_outside_of_turns_does_not_lengthen_the_next_one():
    call = Call()
    await call.at(1, BotStartedSpeakingFrame())
    await call.at(2, BotStoppedSpeakingFrame())
    await call.bot("Within 30 days.", starts=13, stops=15)
    assert call.times == [(13, 15)]


async def test_a_turn_that_follows_other_speech_without_a_pause_begins_with_itself():
    call = Call()
    await call.at(1, BotStartedSpeakingFrame())
    await call.at(2)
    call.said.bot_begins()
    await call.at(4, BotStoppedSpeakingFrame())
    call.said.bot_said("Please go on.", interrupted=False)
    assert call.times == [(2, 4)]


async def test_what_is_typed_is_said_at_that_moment():
    call = Call()
    await call.at(7, LLMMessagesAppendFrame(messages=[{"role": "user", "content": "Do you rent tandems?"}]))
    assert [(each["role"], each["text"]) for each in call.reports] == [("user", "Do you rent tandems?")]
    assert call.times == [(7, 7)]


async def test_sentences_that_were_not_said_are_counted_with_the_answer_that_lacks_them():
    call = Call()
    call.said.left_out()
    call.said.left_out()
    await call.bot("I couldn't confirm that.", starts=1.0, stops=2.0)
    await call.bot("Goodbye.", starts=3.0, stops=4.0)
    assert [each["unsupported"] for each in call.reports] == [2, 0]


async def test_sentences_of_an_answer_that_was_cut_off_before_its_first_word_are_not_the_next_ones():
    call = Call()
    call.said.left_out()
    await call.at(1.0, AskedFrame())
    await call.bot("Within 30 days.", starts=2.0, stops=3.0)
    assert [each["unsupported"] for each in call.reports] == [0]
