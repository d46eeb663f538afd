"""What the language models' doubles make of a dialogue."""

from typing import Any
from uuid import uuid4

from knowledge.types import Passage
from processors.failover.seam import GO_ON
from processors.passages import passages_message
from tests.vendors.script import NOT_FOUND, NOT_SEARCHED, NOT_UNDERSTOOD, NOTHING_SAID, PLAYS_A_CALLER, Script

QUESTION = {"role": "user", "content": "When do you close?"}
SCRIPT = Script({"When do you close?": "until six"})


def passages(*texts: str) -> dict[str, Any]:
    """What was found."""
    made = [
        Passage(uuid4(), "hours.md", "Hours", (), text, start=0, end=len(text), score=1.0, similarity=None)
        for text in texts
    ]
    return passages_message(made, tag="passages-1")


def test_it_answers_with_the_sentence_that_holds_the_phrase():
    found = passages("We repair bicycles.", "We ring a bell. We are open until six. Come in.")
    assert SCRIPT.answer([QUESTION, found]) == "We are open until six. [2]"


def test_it_writes_other_words_with_the_marker_of_the_passage():
    script = Script(SCRIPT.phrases, writes={"When do you close?": "At ten."})
    assert script.answer([QUESTION, passages("We are open until six.")]) == "At ten. [1]"


def test_it_finds_no_answer_in_other_passages():
    assert SCRIPT.answer([QUESTION, passages("We repair bicycles.")]) == NOT_FOUND


def test_it_says_where_nothing_could_be_searched():
    assert SCRIPT.answer([QUESTION, passages_message(None, tag="passages-1")]) == NOT_SEARCHED


def test_it_understands_no_other_question():
    assert SCRIPT.answer([{"role": "user", "content": "When do"}, passages("Until six.")]) == NOT_UNDERSTOOD


def test_it_goes_on_where_another_was_cut_off():
    said = {"role": "assistant", "content": "We are open"}
    messages = [QUESTION, passages("We are open until six."), said, {"role": "developer", "content": GO_ON}]
    assert SCRIPT.answer(messages) == " until six. [1]"


def test_it_reads_the_parts_of_a_message_that_hold_question_and_passages():
    content = [{"type": "text", "text": each["content"]} for each in (QUESTION, passages("Open until six."))]
    assert SCRIPT.answer([{"role": "user", "content": content}]) == "Open until six. [1]"


def test_it_says_what_it_was_told_of_its_answer_and_not_of_the_one_before():
    dialogue = [
        {"role": "assistant", "content": "Hello."}, QUESTION, {"role": "assistant", "content": "We are open"},
        {"role": "user", "content": "what did you say"}, {"role": "assistant", "content": "Another bot's words."},
    ]  # fmt: skip
    script = Script(recalls=["What did you say?"])
    assert script.answer(dialogue) == "We are open"
    assert script.answer(dialogue[3:4]) == NOTHING_SAID


def test_a_fixed_answer_is_the_one_to_everything():
    assert Script(fixed="At six.").answer([QUESTION]) == "At six."


def test_where_a_caller_is_played_it_says_line_by_line():
    script = Script(caller=["What does it cost?"])
    played = [{"role": "system", "content": f"{PLAYS_A_CALLER} with a voice assistant."}]
    greeted = {"role": "user", "content": "Hello."}
    assert script.line([*played, greeted]) == "What does it cost?"
    assert script.line([*played, greeted, {"role": "user", "content": "18 dollars."}]) == ""
    assert script.line([QUESTION]) is None


CALLS = Script({"Quote me.": "until six"}, calls={"Where is it?": {"order_status": {"order": "7"}}})
ASKED = {"role": "user", "content": "where is it"}
RESULT = {"role": "tool", "content": "ready on Friday"}


def test_it_calls_the_tool_of_a_question_and_only_of_that():
    other = {"role": "user", "content": "When?"}
    assert [CALLS.call(each) for each in ([ASKED], [ASKED, RESULT], [ASKED, other], [])] == [
        ("order_status", {"order": "7"}), None, None, None,
    ]  # fmt: skip


def test_what_came_of_a_tool_is_its_answer():
    called = {"role": "assistant", "tool_calls": []}
    assert CALLS.answer([ASKED, called, RESULT]) == "ready on Friday"


def test_a_phrase_goes_before_what_came_of_a_tool():
    question = {"role": "user", "content": "Quote me."}
    assert CALLS.answer([passages("We are open until six."), question, RESULT]) == "We are open until six. [1]"
