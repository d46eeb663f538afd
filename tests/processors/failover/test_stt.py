"""A recogniser fails in the middle of an utterance, and no word of it is lost or told twice."""

import asyncio
from typing import Any

import pytest
from pipecat.frames.frames import (
    Frame,
    InputAudioRawFrame,
    InterimTranscriptionFrame,
    InterruptionFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
)
from pipecat.utils.errors import ErrorCategory

from processors.failover.circuit import REST_SECS
from tests.processors.failover.scripted_stt import (
    COUGH,
    FRAMES_A_WORD,
    Call,
    Faults,
    ScriptedSegmentedSTT,
    ScriptedStream,
    ScriptedSTT,
    text_of,
)
from tests.virtual_time import in_virtual_time

SENTENCE = (1, 2, 3, 4, 5, 6, 7, 8)


def failing(kind: str, at_word: int, **kwargs: Any) -> ScriptedSTT:
    return ScriptedSTT(faults=Faults(kind, at_word), **kwargs)


@in_virtual_time
async def test_without_a_fault_the_first_recogniser_hears_it_alone():
    first, second = ScriptedSTT(), ScriptedSTT()
    async with Call({"first": first, "second": second}) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    assert call.asked == [text_of(SENTENCE)]
    assert second.frames_heard == 0
    assert call.switches == []


@pytest.mark.parametrize("second", [ScriptedSTT, ScriptedSegmentedSTT])
@pytest.mark.parametrize("final_after", [0, 3])
@pytest.mark.parametrize(
    ("kind", "at_word", "reason"),
    [
        ("error", 1, "server"), ("error", 5, "server"), ("error", 0, "server"),
        ("closed", 1, "connectivity"), ("closed", 5, "connectivity"), ("closed", 0, "connectivity"),
        ("deaf", 1, "empty"), ("deaf", 5, "empty"), ("deaf", 0, "empty"),
    ],
)  # fmt: skip
@in_virtual_time
async def test_whatever_fails_the_turn_holds_each_word_once(second, final_after, kind, at_word, reason):
    first = failing(kind, at_word, final_after=final_after)
    async with Call({"first": first, "second": second()}) as call:
        await call.says(*SENTENCE)
        await call.pauses(4)
    assert " ".join(call.asked) == text_of(SENTENCE)
    assert [(s.stage, s.source, s.target, s.reason) for s in call.switches] == [
        ("stt", "first", "second", "chosen" if (kind, at_word) == ("closed", 1) else reason)
    ]


@pytest.mark.parametrize("at_word", [1, 3])
@in_virtual_time
async def test_one_that_told_each_word_and_then_none_is_left_while_the_caller_speaks(at_word):
    second = ScriptedSTT()
    async with Call({"first": failing("deaf", at_word, interims=True), "second": second}) as call:
        await call.says(7, *SENTENCE)
        await call.pauses(1.2)
        await call.says(*SENTENCE)
        assert call.switches
        assert call.switches[-1].reason in ("stalled", "empty")
        await call.pauses(4)
    assert " ".join(call.asked).endswith(text_of(SENTENCE))


@in_virtual_time
async def test_one_that_tells_no_interims_is_not_waited_for_by_the_clock_of_the_one_before():
    third = ScriptedSTT()
    first, second = failing("error", 1, interims=True), ScriptedSegmentedSTT()
    async with Call({"first": first, "second": second, "third": third}) as call:
        await call.says(9, *SENTENCE)
        await call.pauses(4)
    assert call.asked == [text_of((9, *SENTENCE))]
    assert [switch.target for switch in call.switches] == ["second"]


@in_virtual_time
async def test_a_stream_that_owes_words_is_begun_anew_and_tells_the_next_utterance_alone():
    first = ScriptedStream(faults=Faults("deaf", 5))
    async with Call({"first": first, "second": ScriptedSTT()}) as call:
        await call.says(*SENTENCE)
        await call.pauses(10)
        await call.says(9, 10, 11)
        await call.pauses()
    assert call.asked == [text_of(SENTENCE), text_of((9, 10, 11))]
    assert first.told == [text_of((9, 10, 11))]


@in_virtual_time
async def test_a_stream_in_which_a_cough_went_unanswered_is_kept():
    first = ScriptedStream()
    async with Call({"first": first, "second": ScriptedSTT()}) as call:
        await call.says(COUGH, COUGH)
        await call.pauses(10)
    assert first.times_begun == 1


@in_virtual_time
async def test_what_leaves_are_frames_of_their_own():
    pushed: list[int] = []
    first = ScriptedSTT(interims=True)

    @first.event_handler("on_before_push_frame")
    async def _(_service: object, frame: Frame) -> None:
        pushed.append(frame.id)

    async with Call({"first": first, "second": ScriptedSTT()}) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    left = [frame for frame in call.after.frames if isinstance(frame, TranscriptionFrame | InterimTranscriptionFrame)]
    assert len(left) > len(SENTENCE)
    assert not {frame.id for frame in left} & set(pushed)


@in_virtual_time
async def test_words_that_both_heard_otherwise_are_not_told_twice():
    first = failing("error", 6, final_after=4)
    async with Call({"first": first, "second": ScriptedSTT(mishears="police")}) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    assert call.asked == [text_of(SENTENCE)]


@in_virtual_time
async def test_a_transcript_that_comes_late_of_a_failed_one_is_dropped():
    first = failing("late", 0)
    async with Call({"first": first, "second": ScriptedSTT()}) as call:
        await call.says(*SENTENCE)
        await call.pauses(2)
        await first.tell_late()
        await call.pauses(1)
    assert call.asked == [text_of(SENTENCE)]


@in_virtual_time
async def test_two_that_fail_one_after_the_other_leave_it_to_the_third():
    services = {"first": failing("error", 3), "second": failing("error", 2), "third": ScriptedSTT()}
    async with Call(services) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    assert call.asked == [text_of(SENTENCE)]
    assert [s.target for s in call.switches] == ["second", "third"]


@in_virtual_time
async def test_two_that_fall_silent_do_not_end_the_turn_before_the_third_has_told_it():
    services = {"first": failing("deaf", 1), "second": failing("deaf", 2), "third": ScriptedSTT()}
    async with Call(services) as call:
        await call.says(*SENTENCE)
        await call.pauses(8)
    assert call.asked == [text_of(SENTENCE)]
    assert call.turns_taken == 1


@in_virtual_time
async def test_where_none_is_left_the_error_goes_on_upstream():
    async with Call({"first": failing("error", 2), "second": failing("error", 2)}) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    assert len(call.before.errors) == 1


@pytest.mark.parametrize("category", [ErrorCategory.AUTHENTICATION, ErrorCategory.QUOTA])
@in_virtual_time
async def test_one_whose_key_is_refused_is_not_asked_for_the_next_utterance(category):
    first, second = ScriptedSTT(faults=Faults("error", 2, category)), ScriptedSTT()
    async with Call({"first": first, "second": second}) as call:
        await call.says(1, 2)
        await call.pauses()
        await call.says(3, 4)
        await call.pauses()
    assert call.asked == [text_of((1, 2)), text_of((3, 4))]
    assert first.heard == [1, 2]


@in_virtual_time
async def test_the_next_utterance_goes_back_to_one_that_failed_once():
    first, second = failing("error", 2), ScriptedSTT()
    async with Call({"first": first, "second": second}) as call:
        await call.says(1, 2)
        await call.pauses()
        first.faults.kind = ""
        await call.says(3, 4)
        await call.pauses()
    assert call.asked == [text_of((1, 2)), text_of((3, 4))]
    assert (first.told[-1], second.told) == (text_of((3, 4)), [text_of((1, 2))])
    assert [s.reason for s in call.switches] == ["server", "chosen"]


@in_virtual_time
async def test_one_that_failed_thrice_is_tried_again_after_its_rest():
    first, second = failing("error", 2), ScriptedSTT()
    async with Call({"first": first, "second": second}) as call:
        for _ in range(3):
            await call.says(1, 2)
            await call.pauses()
        await call.says(3, 4)
        await call.pauses()
        first.faults.kind = ""
        await asyncio.sleep(REST_SECS)
        await call.says(5, 6)
        await call.pauses()
    assert first.told[-1] == text_of((5, 6))
    assert second.told[-1] == text_of((3, 4))


@in_virtual_time
async def test_a_cough_is_held_against_nobody():
    first = ScriptedSTT()
    async with Call({"first": first, "second": ScriptedSegmentedSTT()}) as call:
        for _ in range(4):
            for _ in range(FRAMES_A_WORD):
                await call.says(COUGH)
            await call.pauses(2)
        await call.says(*SENTENCE)
        await call.pauses(1)
    assert [report for report in call.reports if report["type"] == "provider"] == []
    assert call.asked == [text_of(SENTENCE)]
    assert first.told[-1] == text_of(SENTENCE)


@in_virtual_time
async def test_what_is_heard_again_does_not_go_through_the_rest_of_the_call_again():
    async with Call({"first": failing("error", 4), "second": ScriptedSTT()}) as call:
        await call.says(*SENTENCE)
        await call.pauses()
    audio = [frame.id for frame in call.after.frames if isinstance(frame, InputAudioRawFrame)]
    assert len(audio) == len(set(audio))
    starts = [frame for frame in call.turns.frames if isinstance(frame, VADUserStartedSpeakingFrame)]
    assert len(starts) == 1


@in_virtual_time
async def test_an_interruption_loses_nothing_of_what_interrupted():
    async with Call({"first": failing("error", 4), "second": ScriptedSTT()}) as call:
        await call.says(1, 2)
        await call.worker.queue_frame(InterruptionFrame())
        await call.says(3, 4, 5)
        await call.pauses()
    assert call.asked == [text_of((1, 2, 3, 4, 5))]


@in_virtual_time
async def test_a_segmented_recogniser_that_lost_an_utterance_does_not_put_it_before_the_next():
    class Refusing(ScriptedSegmentedSTT):
        refuses = True

        async def run_stt(self, audio):
            if self.refuses:
                await self.push_error("no", category=ErrorCategory.SERVER)
                return
            async for frame in super().run_stt(audio):
                yield frame

    first = Refusing()
    async with Call({"first": first, "second": ScriptedSTT()}) as call:
        await call.says(1, 2)
        await call.pauses()
        first.refuses = False
        await call.says(3, 4)
        await call.pauses()
    assert call.asked == [text_of((1, 2)), text_of((3, 4))]
    assert first.segments[-1] == text_of((3, 4))


@in_virtual_time
async def test_each_audio_frame_is_heard_once_and_kept_for_no_longer_than_it_may_be_needed():
    first, second = ScriptedSTT(), ScriptedSTT()
    async with Call({"first": first, "second": second}) as call:
        for _ in range(20):
            await call.says(*SENTENCE)
            await call.pauses()
        assert call.stt._utterance.secs <= 1.0 + 0.1
        assert len(call.stt._seen_ids._ids) <= 512
    assert first.frames_heard == 20 * (8 * FRAMES_A_WORD + 5)
    assert second.frames_heard == 0
    assert len([f for f in call.after.frames if isinstance(f, TranscriptionFrame)]) == 20
