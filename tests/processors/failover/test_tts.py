"""A voice fails in the middle of an answer, and the next one says the rest: no word is lost, said twice or made up."""

import asyncio

import pytest
from pipecat.frames.frames import TTSAudioRawFrame, TTSTextFrame
from pipecat.utils.errors import ErrorCategory

from processors.failover.circuit import REST_SECS
from tests.processors.failover.scripted_tts import Call, Faults, ScriptedTTS
from tests.virtual_time import in_virtual_time

ANSWER = "You may keep the drill for thirty days. Bring it back on a Friday before noon. We are open until six."
ONCE = ["LLMFullResponseStart", "TTSStarted", "TTSStopped", "LLMFullResponseEnd"]
REASONS = {
    "error": {"server"}, "closed": {"connectivity"}, "stalled": {"stalled", "late"},
    "short": {"stalled", "empty", "late"},
    "rate": {"garbled"}, "garbled": {"garbled"},
}  # fmt: skip


def failing(kind: str, at_word: int, **kwargs: bool) -> ScriptedTTS:
    return ScriptedTTS(faults=Faults(kind, at_word), **kwargs)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("timed", [False, True])
@in_virtual_time
async def test_without_a_fault_the_first_voice_says_all_of_it_alone(timed, streaming):
    first, second = ScriptedTTS(timed=timed, streaming=streaming), ScriptedTTS()
    async with Call({"first": first, "second": second}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(20)
    assert call.heard == ANSWER
    assert call.said == [ANSWER]
    assert (second.asked, call.switches) == ([], [])
    assert (call.marks, call.floor) == (ONCE, ["BotStarted", "BotStopped"])


@pytest.mark.parametrize("second_timed", [False, True])
@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("at_word", [0, 3, 11])
@pytest.mark.parametrize("kind", [*REASONS])
@in_virtual_time
async def test_whatever_fails_each_word_is_heard_and_kept_once(kind, at_word, streaming, second_timed):
    first, second = failing(kind, at_word, streaming=streaming), ScriptedTTS(timed=second_timed)
    async with Call({"first": first, "second": second}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    assert call.heard == ANSWER
    assert call.said == [ANSWER]
    assert [(s.stage, s.source, s.target) for s in call.switches] == [("tts", "first", "second")]
    assert call.switches[0].reason in REASONS[kind]
    assert call.marks == ONCE


@pytest.mark.parametrize("at_word", [0, 3, 11])
@pytest.mark.parametrize("kind", ["error", "stalled", "closed"])
@in_virtual_time
async def test_where_no_word_times_are_known_the_sentence_is_said_again_and_kept_once(kind, at_word):
    async with Call({"first": failing(kind, at_word, timed=False), "second": ScriptedTTS()}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    sentence = "" if at_word == 0 else "You may keep " if at_word == 3 else "Bring it back "
    assert call.heard == ANSWER[: ANSWER.index("Bring") if at_word == 11 else 0] + sentence + (
        ANSWER if at_word < 11 else ANSWER[ANSWER.index("Bring") :]
    )
    assert call.said == [ANSWER]


@pytest.mark.parametrize("at_word", [0, 2])
@pytest.mark.parametrize("kind", ["error", "stalled", "short", "closed"])
@pytest.mark.parametrize("append", [False, True])
@in_virtual_time
async def test_a_text_by_itself_is_said_to_its_end_and_kept_if_it_was_to_be(kind, at_word, append):
    greeting = "Hello, this is Jarvis."
    async with Call({"first": failing(kind, at_word), "second": ScriptedTTS()}) as call:
        await call.speaks(greeting, append_to_context=append)
        await asyncio.sleep(10)
    assert call.heard == greeting
    assert call.said == ([greeting] if append else [])
    assert call.marks == ["TTSStarted", "TTSStopped"]


@pytest.mark.parametrize("kind", ["error", "stalled", "short"])
@in_virtual_time
async def test_the_last_words_before_the_end_of_the_call_are_said_by_the_next_voice(kind):
    async with Call({"first": failing(kind, 2), "second": ScriptedTTS()}) as call:
        await call.speaks("Thank you for calling us today.")
    assert call.heard == "Thank you for calling us today."


@pytest.mark.parametrize("kind", ["", "error", "stalled"])
@pytest.mark.parametrize("at_word", [0, 3])
@in_virtual_time
async def test_what_an_interruption_cut_off_is_neither_said_later_nor_kept(kind, at_word):
    first, second = failing(kind, at_word), ScriptedTTS()
    async with Call({"first": first, "second": second}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(1.0)
        await call.is_interrupted()
        await asyncio.sleep(20)
        cut = call.heard
        first.faults.kind = ""
        await call.answers("Two days are left.")
        await asyncio.sleep(10)
    assert call.heard == f"{cut} Two days are left.".strip()
    assert call.said[-1] == "Two days are left."
    assert ANSWER.startswith("".join(call.said[:-1]))
    assert len("".join(call.said[:-1])) <= len(cut)


@in_virtual_time
async def test_audio_and_words_that_come_late_of_a_failed_voice_are_dropped():
    first = failing("closed", 3, streaming=True)
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(5)
        await first.push_frame(TTSAudioRawFrame(b"\x01\x00" * 4800, 24000, 1, context_id="late"))
        await first.push_frame(TTSTextFrame("never", text_type="word"))
        await asyncio.sleep(20)
    assert (call.heard, call.said) == (ANSWER, [ANSWER])


@pytest.mark.parametrize("kind", ["error", "stalled", "short", "closed"])
@pytest.mark.parametrize("at_word", [0, 3, 11])
@pytest.mark.parametrize("streaming", [False, True])
@in_virtual_time
async def test_a_page_shows_each_word_once(kind, at_word, streaming):
    async with Call({"first": failing(kind, at_word, streaming=streaming), "second": ScriptedTTS()}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    assert call.shown == ANSWER


@in_virtual_time
async def test_two_that_fail_one_after_the_other_leave_it_to_the_third():
    services = {"first": failing("error", 4), "second": failing("stalled", 3), "third": ScriptedTTS()}
    async with Call(services) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    assert (call.heard, call.said) == (ANSWER, [ANSWER])
    assert [s.target for s in call.switches] == ["second", "third"]


@pytest.mark.parametrize("kind", ["error", "stalled", "short"])
@in_virtual_time
async def test_where_none_is_left_the_error_goes_on_and_what_was_not_said_is_not_kept(kind):
    async with Call({"first": failing(kind, 4), "second": failing(kind, 3)}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    assert call.before.errors
    assert {*"".join(call.said).split()} <= {*call.heard.split()}


@in_virtual_time
async def test_the_next_answer_goes_back_to_a_voice_that_failed_once():
    first, second = failing("error", 3), ScriptedTTS()
    async with Call({"first": first, "second": second}) as call:
        await call.answers("We are open until six.")
        await asyncio.sleep(10)
        first.faults.kind = ""
        await call.answers("Bring it back.")
        await asyncio.sleep(10)
    assert first.asked[-1] == "Bring it back."
    assert [s.reason for s in call.switches] == ["server", "chosen"]


@in_virtual_time
async def test_a_connection_that_breaks_in_silence_is_one_failure_however_often_it_is_told():
    first = ScriptedTTS()
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        await call.answers("We are open.")
        await asyncio.sleep(5)
        for _ in range(5):
            await first.push_error("no connection", category=ErrorCategory.CONNECTIVITY)
        await call.answers("Until six.")
        await asyncio.sleep(5)
    assert first.asked == ["We are open.", "Until six."]


@in_virtual_time
async def test_a_voice_whose_key_is_refused_is_asked_again_only_after_its_rest():
    first = ScriptedTTS(faults=Faults("error", 0, ErrorCategory.AUTHENTICATION))
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        for text in ("We are open.", "Bring it back."):
            await call.answers(text)
            await asyncio.sleep(5)
        assert first.asked == ["We are open."]
        first.faults.kind = ""
        await asyncio.sleep(REST_SECS * 20)
        await call.answers("Until six.")
        await asyncio.sleep(5)
    assert first.asked == ["We are open.", "Until six."]
    assert call.said == ["We are open.", "Bring it back.", "Until six."]


@in_virtual_time
async def test_an_llm_that_is_slow_is_not_taken_for_a_voice_that_is():
    async with Call({"first": ScriptedTTS(), "second": ScriptedTTS()}) as call:
        await call.answers(ANSWER, pause_secs=0.4)
        await asyncio.sleep(20)
    assert (call.said, call.switches) == ([ANSWER], [])


@in_virtual_time
async def test_the_rest_follows_without_a_gap_in_which_the_bot_seems_to_have_ended():
    async with Call({"first": failing("stalled", 11), "second": ScriptedTTS()}) as call:
        await call.answers(ANSWER)
        await asyncio.sleep(30)
    assert call.floor == ["BotStarted", "BotStopped"]


PRICES = "A large locker costs $1,299.50 a year. We open at 9:30 am on March 3rd."


def reads_aloud(service: ScriptedTTS) -> ScriptedTTS:
    async def read(text: str, _text_type: str) -> str:
        for written, said in (("$1,299.50", "thirteen hundred dollars"), ("9:30 am", "nine thirty"), ("3rd", "third")):
            text = text.replace(written, said)
        return text

    service.add_text_transformer(read)
    return service


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("timed", [False, True])
@in_virtual_time
async def test_the_context_keeps_what_is_written_of_what_is_said(timed, streaming):
    first = reads_aloud(ScriptedTTS(timed=timed, streaming=streaming))
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        await call.answers(PRICES)
        await asyncio.sleep(20)
    assert "costs thirteen hundred dollars a year. We open at nine thirty on March third." in call.heard
    assert (call.said, call.switches) == ([PRICES], [])
    assert call.shown == (PRICES if timed else "")


@pytest.mark.parametrize(
    ("at_word", "heard"),
    [
        (5, "A large locker costs thirteen thirteen hundred dollars a year."),
        (7, "A large locker costs thirteen hundred dollars a year."),
        (8, "A large locker costs thirteen hundred dollars a year."),
    ],
)
@pytest.mark.parametrize("kind", ["error", "stalled", "short"])
@in_virtual_time
async def test_the_next_voice_goes_on_behind_what_was_said_in_other_words(kind, at_word, heard):
    services = {"first": reads_aloud(failing(kind, at_word)), "second": reads_aloud(ScriptedTTS())}
    async with Call(services) as call:
        await call.answers(PRICES)
        await asyncio.sleep(30)
    # What is heard twice in a row is counted once.
    assert call.heard == f"{heard} We open at nine thirty on March third.".replace("thirteen thirteen", "thirteen")
    assert call.said == [PRICES]
