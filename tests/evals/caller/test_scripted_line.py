import numpy as np
import pytest

from evals.caller.scripted_line import Reply, ScriptedLine

SPEECH = np.ones(4_800, np.int16)


def test_speech_without_a_reply_in_the_script_fails():
    line = ScriptedLine(greeting=Reply(), replies=[])
    with pytest.raises(AssertionError, match="no reply left"):
        line.say(SPEECH)


def test_speaking_while_speaking_fails():
    line = ScriptedLine(greeting=Reply(), replies=[Reply()])
    line.say(SPEECH)
    with pytest.raises(AssertionError, match="still speaking"):
        line.say(SPEECH)


def test_a_reply_that_nobody_asked_for_is_left_over():
    line = ScriptedLine(greeting=Reply(), replies=[Reply()])
    with pytest.raises(AssertionError, match="1 replies"):
        line.assert_finished()


async def test_waiting_moves_the_clock():
    line = ScriptedLine(greeting=Reply(), replies=[])
    await line.next_message(0.25)
    assert line.now_secs == 0.25


async def test_a_message_comes_at_its_time():
    line = ScriptedLine(greeting=Reply(messages=[(0.1, {"type": "bot-ready"})]), replies=[])
    assert await line.next_message(0.25) == {"type": "bot-ready"}
    assert line.now_secs == 0.1
