"""The last answer is recorded as it leaves the voice, and heard again."""

from typing import Any

import pytest
from pipecat.frames.frames import (
    AggregatedTextFrame,
    Frame,
    InterruptionFrame,
    LLMAssistantPushAggregationFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSTextFrame,
)
from pipecat.pipeline.pipeline import Pipeline
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import LLMContextAggregatorPair
from pipecat.tests.utils import SleepFrame
from pipecat.utils.text.base_text_aggregator import TextType

from bot.speech.client import SpeechAudio, SpeechWord
from bot.speech.fake import FakeSpeech
from bot.speech.tts import EmbeddedTTSService
from processors.frames import RepeatedAudioFrame, RepeatFrame
from processors.tape import LONGEST_SECS, Tape, TapeProcessor
from tests.patient import run_test

RATE_HZ = 24000
SECOND = bytes(2 * RATE_HZ)


def sound(secs: int = 1) -> TTSAudioRawFrame:
    return TTSAudioRawFrame(SECOND * secs, RATE_HZ, 1)


def word(text: str, *, at_ns: int, segment_id: int | None = None) -> TTSTextFrame:
    made = TTSTextFrame(text, TextType.WORD, segment_id=segment_id)
    made.pts = at_ns
    return made


def recorded(*frames: Frame, number: int = 1, now_ns: int = 1000) -> Tape:
    tape = Tape()
    tape.begin(number)
    for frame in frames:
        tape.hear(frame, now_ns=now_ns)
    tape.end()
    return tape


def test_a_whole_answer_is_there_by_its_number():
    tape = recorded(sound(), number=5)
    assert (tape.has(5), tape.has(6)) == (True, False)


@pytest.mark.parametrize(
    "tape", [Tape(), recorded(), recorded(sound(round(LONGEST_SECS) + 1))], ids=["none", "silent", "too long"]
)
def test_an_answer_that_is_not_whole_is_not_there(tape: Tape):
    assert not tape.has(1)


def test_one_that_goes_on_is_not_there_yet():
    tape = Tape()
    tape.begin(1)
    tape.hear(sound(), now_ns=0)
    assert not tape.has(1)


def test_words_come_again_as_long_after_the_first_sound():
    tape = recorded(sound(), word("at", at_ns=1000), word("nine", at_ns=1500))
    assert [(each.text, each.pts) for each in tape.again(now_ns=9000) if isinstance(each, TTSTextFrame)] == [
        ("at", 9000),
        ("nine", 9500),
    ]


def test_words_keep_to_the_sentence_that_was_announced():
    announced = AggregatedTextFrame("At nine.", TextType.SENTENCE)
    tape = recorded(announced, sound(), word("at", at_ns=1000, segment_id=announced.id))
    again: list[Any] = tape.again(now_ns=0)
    assert again[2].segment_id == again[0].id != announced.id


def test_each_time_it_is_other_frames():
    tape = recorded(sound(), word("at", at_ns=1000))
    ids = [frame.id for _ in range(2) for frame in tape.again(now_ns=0)]
    assert len(set(ids)) == 4


async def test_through_a_voice_an_answer_and_its_repeat_are_both_in_the_context():
    heard = [each for text in ("At", "nine.") for each in (SpeechWord(text, 0.0), SpeechAudio(SECOND))]
    context = LLMContext()
    line = Pipeline(
        [
            EmbeddedTTSService(client=FakeSpeech(spoken=[heard])),
            TapeProcessor(tape=Tape()),
            LLMContextAggregatorPair(context).assistant(),
        ]
    )
    answer = [LLMFullResponseStartFrame(), LLMTextFrame("At nine."), LLMFullResponseEndFrame(), SleepFrame(sleep=0.1)]
    await run_test(line, frames_to_send=[*answer, RepeatFrame("At nine."), SleepFrame(sleep=0.1)])
    assert context.get_messages() == [{"role": "assistant", "content": "At nine."}] * 2


async def out(*frames: Frame) -> list[Frame]:
    apart = [each for frame in frames for each in (frame, SleepFrame(sleep=0.01))]
    down, _ = await run_test(TapeProcessor(tape=Tape()), frames_to_send=apart)
    return [*down]


async def test_a_repeated_answer_is_speech_for_what_stands_behind():
    text = TTSTextFrame("At nine.", TextType.SENTENCE)
    came = await out(LLMFullResponseStartFrame(), sound(), text, LLMFullResponseEndFrame(), RepeatFrame("At nine."))
    assert [type(frame) for frame in came[4:]] == [
        TTSStartedFrame, RepeatedAudioFrame, TTSTextFrame, LLMAssistantPushAggregationFrame, TTSStoppedFrame,
    ]  # fmt: skip


async def test_the_end_comes_behind_the_last_word():
    words = word("at", at_ns=1), word("nine", at_ns=2**60)
    came = await out(LLMFullResponseStartFrame(), sound(), *words, LLMFullResponseEndFrame(), RepeatFrame("At nine."))
    last = max(frame.pts or 0 for frame in came[5:] if isinstance(frame, TTSTextFrame))
    assert [frame.pts for frame in came if isinstance(frame, LLMAssistantPushAggregationFrame)] == [last + 1]


async def test_it_can_be_repeated_once_more():
    answer = (LLMFullResponseStartFrame(), sound(), LLMFullResponseEndFrame())
    came = await out(*answer, RepeatFrame("At nine."), RepeatFrame("At nine."))
    assert [type(frame) for frame in came].count(RepeatedAudioFrame) == 2


async def test_what_is_said_beside_answers_is_not_recorded():
    came = await out(LLMFullResponseStartFrame(), sound(), LLMFullResponseEndFrame(), sound(2), RepeatFrame("At nine."))
    assert [len(frame.audio) for frame in came if isinstance(frame, RepeatedAudioFrame)] == [len(SECOND)]


async def test_an_answer_that_is_cut_off_leaves_nothing_to_repeat():
    tape = Tape()
    frames = [LLMFullResponseStartFrame(), sound(), InterruptionFrame(), LLMFullResponseEndFrame()]
    apart = [each for frame in frames for each in (frame, SleepFrame(sleep=0.01))]
    await run_test(TapeProcessor(tape=tape), frames_to_send=apart)
    assert not tape.has(frames[0].id)


async def test_a_caller_who_interrupts_a_whole_answer_can_still_have_it_repeated():
    tape = Tape()
    frames = [LLMFullResponseStartFrame(), sound(), LLMFullResponseEndFrame(), InterruptionFrame()]
    apart = [each for frame in frames for each in (frame, SleepFrame(sleep=0.01))]
    await run_test(TapeProcessor(tape=tape), frames_to_send=apart)
    assert tape.has(frames[0].id)
