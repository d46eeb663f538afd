"""What a voice was given is given on from where it came to."""

from pipecat.frames.frames import LLMFullResponseEndFrame, LLMFullResponseStartFrame, LLMTextFrame, TTSSpeakFrame

from processors.failover.script import Script


def texts(script: Script) -> list[str]:
    return [f.text for f, _ in script.rest() if isinstance(f, LLMTextFrame | TTSSpeakFrame)]


def test_an_answer_goes_on_behind_the_last_word():
    script, start = Script(), LLMFullResponseStartFrame()
    for frame in (start, LLMTextFrame("Keep it "), LLMTextFrame("for thirty days."), LLMFullResponseEndFrame()):
        script.give(frame)
    script.came_out(start)
    unit = script.unit_of("Keep it for thirty days.")
    assert unit is not None
    script.said(unit, "Keep it for")
    assert texts(script) == ["thirty days."]


def test_a_start_that_was_let_through_is_marked_and_has_another_id():
    script, start = Script(), LLMFullResponseStartFrame()
    script.give(start)
    script.came_out(start)
    [(frame, out)] = script.rest()
    assert (out, frame.id == start.id) == (True, False)


def test_a_text_by_itself_is_found_by_its_words():
    script = Script()
    for frame in (LLMFullResponseStartFrame(), LLMTextFrame("Yes."), TTSSpeakFrame("One moment.")):
        script.give(frame)
    unit = script.unit_of("One moment.")
    assert unit is not None
    assert unit.speech


def test_an_interruption_leaves_what_may_not_be_interrupted():
    script, speech = Script(), TTSSpeakFrame("This call is recorded.")
    speech.interruptible = False
    for frame in (LLMFullResponseStartFrame(), LLMTextFrame("Yes."), speech):
        script.give(frame)
    script.interrupt()
    assert texts(script) == ["This call is recorded."]
