import numpy as np
import pytest

from evals.caller.audio import RATE_HZ
from evals.caller.conversation import Conversation, Question, Stage
from evals.caller.errors import CallError
from evals.caller.report import report_call
from evals.caller.scripted_line import Reply, ScriptedLine
from evals.caller.transcript import Transcript

READY = (0.1, {"type": "bot-ready", "data": {}})
GREETING = Reply(voice=[(0.5, 2.0)], messages=[READY])
PEER_LEFT = {"type": "signalling", "message": {"type": "peerLeft"}}


def rtvi(kind, **data):
    return {"type": kind, "data": data}


def question(shown, secs=1.0):
    times = np.arange(round(secs * RATE_HZ)) / RATE_HZ
    return Question(shown, (6_000 * np.sin(2 * np.pi * 150 * times)).astype(np.int16))


async def hold(line, questions, *, barge_in_secs=None):
    transcript = Transcript()
    stages = []
    conversation = Conversation(
        line=line, transcript=transcript, barge_in_secs=barge_in_secs, on_event=lambda event: stages.append(event.stage)
    )
    asked = await conversation.hold(questions)
    report = report_call(
        session_id="s",
        recording=line.recording,
        transcript=transcript,
        questions=[one.shown for one in questions],
        asked=asked,
        wav=None,
    )
    return report, stages


async def test_a_call_of_two_questions_is_measured():
    answers = [Reply(voice=[(0.7, 2.0)]), Reply(voice=[(0.9, 1.5), (1.9, 2.5)])]
    line = ScriptedLine(greeting=GREETING, replies=answers)
    report, stages = await hold(line, [question("one"), question("two")])
    line.assert_finished()
    assert report.greeting is not None
    assert report.greeting.after_ms == pytest.approx(500, abs=2)
    assert [turn.v2v_ms for turn in report.turns] == [pytest.approx(700, abs=2), pytest.approx(900, abs=2)]
    assert report.turns[1].longest_gap_ms == pytest.approx(400, abs=2)
    assert report.exit_code == 0
    assert stages == [Stage.GREETING, *[Stage.ASKING, Stage.WAITING, Stage.ANSWERING] * 2]


async def test_the_caller_waits_for_the_greeting_to_end():
    line = ScriptedLine(greeting=Reply(voice=[(0.5, 2.0), (2.6, 4.0)], messages=[READY]), replies=[Reply()])
    await hold(line, [question("one")])
    assert not line.recording.caller[: 4 * RATE_HZ].any()


async def test_a_bot_that_does_not_greet_is_asked_all_the_same():
    line = ScriptedLine(greeting=Reply(messages=[READY]), replies=[Reply(voice=[(0.7, 2.0)])])
    report, _ = await hold(line, [question("one")])
    assert report.greeting is None
    assert report.turns[0].answered


async def test_a_bot_that_never_gets_ready_ends_the_call():
    line = ScriptedLine(greeting=Reply(), replies=[])
    with pytest.raises(CallError, match="not ready within 10 s"):
        await hold(line, [question("one")])


async def test_a_bot_that_hangs_up_before_it_is_ready_ends_the_call():
    line = ScriptedLine(greeting=Reply(messages=[(0.1, PEER_LEFT)]), replies=[])
    with pytest.raises(CallError, match="before the bot was ready"):
        await hold(line, [question("one")])


async def test_a_question_without_an_answer_fails_the_call_and_the_next_is_asked():
    line = ScriptedLine(greeting=GREETING, replies=[Reply(), Reply(voice=[(0.7, 2.0)])])
    report, _ = await hold(line, [question("one"), question("two")])
    assert [turn.answered for turn in report.turns] == [False, True]
    assert report.turns[0].v2v_ms is None
    assert report.exit_code == 1


async def test_an_answer_is_waited_for_while_the_bot_generates_the_rest():
    answer = Reply(
        voice=[(0.7, 1.5), (4.0, 5.0)], messages=[(0.3, rtvi("bot-llm-started")), (4.5, rtvi("bot-llm-stopped"))]
    )
    line = ScriptedLine(greeting=GREETING, replies=[answer])
    report, _ = await hold(line, [question("one")])
    assert report.turns[0].longest_gap_ms == pytest.approx(2_500, abs=2)


async def test_a_bot_that_never_says_it_stopped_is_not_waited_for_forever():
    answer = Reply(voice=[(0.7, 1.5)], messages=[(0.7, rtvi("bot-started-speaking"))])
    line = ScriptedLine(greeting=GREETING, replies=[answer, Reply(voice=[(0.7, 1.5)])])
    report, _ = await hold(line, [question("one"), question("two")])
    assert report.exit_code == 0


async def test_a_barge_in_is_spoken_over_the_answer_and_its_yielding_measured():
    answer = Reply(
        voice=[(0.5, 9.0)],
        messages=[(0.5, rtvi("bot-started-speaking"))],
        yields_secs=0.35,
        when_spoken_over=[(0.3, rtvi("bot-interrupted")), (0.35, rtvi("bot-stopped-speaking"))],
    )
    line = ScriptedLine(greeting=GREETING, replies=[answer, Reply(voice=[(0.8, 2.0)])])
    report, stages = await hold(line, [question("one"), question("two")], barge_in_secs=1.5)
    line.assert_finished()
    interrupted, following = report.turns
    assert interrupted.interrupted
    assert interrupted.yield_ms == pytest.approx(350, abs=2)
    assert interrupted.v2v_ms == pytest.approx(500, abs=2)
    assert not following.interrupted
    assert following.v2v_ms == pytest.approx(800, abs=2)
    assert Stage.INTERRUPTING in stages


async def test_the_caller_speaks_over_the_answer_after_the_given_time():
    answer = Reply(voice=[(0.5, 9.0)], yields_secs=0.3)
    line = ScriptedLine(greeting=GREETING, replies=[answer, Reply(voice=[(0.8, 2.0)])])
    await hold(line, [question("one"), question("two")], barge_in_secs=1.5)
    voiced_secs = np.flatnonzero(line.recording.caller) / RATE_HZ
    second = voiced_secs[1:][np.diff(voiced_secs) > 0.5][0]
    first_stop = voiced_secs[:-1][np.diff(voiced_secs) > 0.5][0]
    assert second - first_stop == pytest.approx(0.5 + 1.5, abs=0.1)


async def test_an_answer_shorter_than_the_barge_in_is_not_spoken_over():
    line = ScriptedLine(greeting=GREETING, replies=[Reply(voice=[(0.5, 1.0)]), Reply(voice=[(0.8, 2.0)])])
    report, _ = await hold(line, [question("one"), question("two")], barge_in_secs=3.0)
    assert [turn.interrupted for turn in report.turns] == [False, False]
    assert report.turns[0].yield_ms is None


async def test_a_bot_that_hangs_up_leaves_the_other_questions_unasked():
    goodbye = Reply(
        voice=[(0.7, 1.5)],
        messages=[
            (1.0, rtvi("server-message", type="call_ended", reason="limit", text="Time is up.")),
            (2.0, PEER_LEFT),
        ],
    )
    line = ScriptedLine(greeting=GREETING, replies=[goodbye])
    report, _ = await hold(line, [question("one"), question("two")])
    line.assert_finished()
    assert [turn.answered for turn in report.turns] == [True, False]
    assert report.turns[1].asked == "two"
    assert report.ending is not None
    assert report.ending.reason == "limit"
    assert report.exit_code == 1


async def test_a_bot_that_hangs_up_while_it_is_asked_leaves_a_report():
    line = ScriptedLine(greeting=Reply(voice=[(0.5, 2.0)], messages=[READY, (3.5, PEER_LEFT)]), replies=[Reply()])
    report, _ = await hold(line, [question("one")])
    assert report.greeting is not None
    assert not report.turns[0].answered
    assert report.ending is not None
    assert report.ending.reason == "hung_up"


async def test_what_was_heard_and_said_is_reported_with_its_question():
    progress = {"accumulated_text": "At nine.", "remaining_text": ""}
    answer = Reply(
        voice=[(0.7, 1.5)],
        messages=[
            (0.1, rtvi("user-transcription", text="when do you open", final=True)),
            (0.7, rtvi("bot-output", segment_id=4, spoken_progress=progress)),
        ],
    )
    line = ScriptedLine(greeting=GREETING, replies=[answer])
    report, _ = await hold(line, [question("When do you open?")])
    assert (report.turns[0].heard, report.turns[0].said) == ("when do you open", "At nine.")
