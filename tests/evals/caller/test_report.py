import json
from pathlib import Path

import numpy as np
import pytest

from evals.caller.audio import RATE_HZ, Run
from evals.caller.recording import Recording
from evals.caller.report import CallReport, Greeting, TurnReport, report_call
from evals.caller.transcript import Citation, Transcript


def turn(**changes):
    values = {
        "asked": "When do you open?",
        "heard": "when do you open",
        "said": "At nine.",
        "citations": (Citation(number=1, title="Hours", heading_path=("Week",), quote="9 to 5", source="hours.md"),),
        "v2v_ms": 700.0,
        "interrupted": False,
        "yield_ms": None,
        "longest_gap_ms": 0.0,
        "answered": True,
    }
    return TurnReport(**(values | changes))


def report(*turns, wav=None):
    return CallReport(session_id="s1", greeting=Greeting("Hello.", 500.0), turns=turns, ending=None, wav=wav)


UNANSWERED = turn(said="", v2v_ms=None, answered=False, citations=())


def test_a_call_with_every_question_answered_succeeds():
    assert report(turn()).exit_code == 0


def test_a_call_with_an_unanswered_question_fails():
    assert report(turn(), UNANSWERED).exit_code == 1


def test_the_median_passes_over_unanswered_questions():
    assert report(turn(), turn(v2v_ms=900.0), UNANSWERED).median_v2v_ms == 800.0


def test_without_an_answer_there_is_no_median():
    assert report(UNANSWERED).median_v2v_ms is None


def test_the_report_is_json():
    written = json.loads(json.dumps(report(turn(), wav=Path("out.wav")).to_json()))
    assert written["turns"][0]["citations"][0] == {
        "number": 1,
        "title": "Hours",
        "heading_path": ["Week"],
        "quote": "9 to 5",
        "source": "hours.md",
    }
    assert (written["wav"], written["exit_code"], written["median_v2v_ms"]) == ("out.wav", 0, 700.0)


def test_a_question_is_measured_by_its_voice_not_by_the_silence_around_it():
    recording, transcript = Recording(), Transcript()
    voice = (6_000 * np.sin(2 * np.pi * 200 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
    recording.write_caller(0, np.concatenate([np.zeros(RATE_HZ, np.int16), voice, np.zeros(RATE_HZ, np.int16)]))
    recording.write_bot(4 * RATE_HZ, voice)
    transcript.begin_question()
    measured = report_call(
        session_id="s1",
        recording=recording,
        transcript=transcript,
        questions=["q"],
        asked=[Run(0, 3 * RATE_HZ)],
        wav=None,
    )
    assert measured.turns[0].v2v_ms == pytest.approx(2_000, abs=1)
