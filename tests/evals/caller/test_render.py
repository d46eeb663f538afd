import io
from pathlib import Path

from rich.console import Console

from evals.caller.conversation import CallEvent, Stage
from evals.caller.render import progress, render
from evals.caller.report import CallReport, Greeting, TurnReport
from evals.caller.transcript import Citation, Ending

ANSWERED = TurnReport(
    asked="When do you open?",
    heard="when do you open",
    said="At nine. [not markup]",
    citations=(Citation(number=1, title="Hours", heading_path=("Week",), quote="9 to 5", source="hours.md"),),
    v2v_ms=712.4,
    interrupted=True,
    yield_ms=340.0,
    longest_gap_ms=0.0,
    answered=True,
)
UNANSWERED = TurnReport(
    asked="And by bus?",
    heard="",
    said="",
    citations=(),
    v2v_ms=None,
    interrupted=False,
    yield_ms=None,
    longest_gap_ms=0.0,
    answered=False,
)


def printed(*turns, **changes):
    report = CallReport(
        **({"session_id": "s1", "greeting": Greeting("Hello.", 512.0), "turns": turns, "ending": None} | changes)
    )
    output = io.StringIO()
    Console(file=output, width=120).print(render(report))
    return output.getvalue()


def test_an_answer_is_printed_with_its_source_and_timing():
    text = printed(ANSWERED)
    for part in (
        "Hello.",
        "512 ms after media connected",
        "when do you open",
        "At nine. [not markup]",
        "[1] Hours > Week  hours.md",
        "“9 to 5”",
        "answered 712 ms after the question",
        "fell silent 340 ms after being spoken over",
        "1 of 1 answered, median voice to voice 712 ms",
    ):
        assert part in text


def test_a_question_without_an_answer_is_said_to_have_none():
    text = printed(ANSWERED, UNANSWERED)
    assert "no answer" in text
    assert "1 of 2 answered" in text


def test_notices_errors_the_end_and_the_recording_are_printed():
    text = printed(
        ANSWERED,
        notices=("slow today",),
        errors=("no voice",),
        ending=Ending("limit", "Time is up."),
        wav=Path("call.wav"),
    )
    for part in ("slow today", "no voice", "Time is up. (limit)", "call.wav"):
        assert part in text


def test_progress_leaves_nothing_where_there_is_no_terminal():
    output = io.StringIO()
    with progress(Console(file=output)) as on_event:
        on_event(CallEvent(Stage.ASKING, "When do you open?"))
    assert output.getvalue().strip() == ""
