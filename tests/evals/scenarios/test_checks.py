"""What a scenario's keys make of a call."""

from pathlib import Path

import pytest

from evals.scenarios.checks import failures
from evals.scenarios.keys import Tier
from evals.scenarios.observed import Cited, Observed, ObservedTurn, Passage
from evals.scenarios.tones import tone_of
from tests.evals.scenarios.given import scenario

TEXT = "Repairing a flat tire costs 18 dollars including the new tube."
WORKSHOP = Passage("Workshop", "workshop.md", TEXT)
CITED = Cited("Workshop", TEXT, TEXT)
GOOD = ObservedTurn(
    user="What does a puncture cost?",
    heard="What does a puncture cost?",
    said=f"{TEXT} That's from the workshop page.",
    passages=(WORKSHOP,),
    cited=(CITED,),
    v2v_ms=800.0,
    longest_gap_ms=200.0,
)
REFUSAL = ObservedTurn(user="Do you sell kites?", heard="do you sell kites", said="I couldn't find that.", passages=())


def told(
    folder: Path, turn: str, seen: ObservedTurn, *, keys: str = "", tier: Tier = "text", gaps: tuple[str, ...] = ()
) -> list[str]:
    """The reasons that a call of this one turn did not pass."""
    jarvis = f", tiers: [{tier}]" if tier != "text" else ""
    held = scenario(folder, turn, keys=keys, jarvis=jarvis)
    observed = Observed(turns=(seen,), gaps=gaps)
    return [f"{each.check}: {each.reason}" for each in failures(held, observed, tier=tier, ran=1)]


@pytest.mark.parametrize(
    "turn",
    [
        "x_retrieval: {must: [Workshop], must_not: [Delivery]}",
        "x_says: ['eighteen dollars']",
        "x_never_says: ['https?:', '19']",
        "x_source: [Workshop]",
        "x_supported: true",
        "x_refuses: false",
    ],
)
def test_a_good_answer_passes(tmp_path: Path, turn: str):
    assert told(tmp_path, turn, GOOD) == []


@pytest.mark.parametrize(
    ("turn", "seen", "reason"),
    [
        ("x_retrieval: {must: [Workshop]}", ObservedTurn(), "x_retrieval: nothing was looked up"),
        (
            "x_retrieval: {must: [Workshop]}",
            REFUSAL,
            "x_retrieval: no passage of 'Workshop' was found, only of nothing",
        ),
        ("x_retrieval: {must_not: [Workshop]}", GOOD, "x_retrieval: a passage of 'Workshop' was found"),
        ("x_retrieval: {nothing: true}", GOOD, "x_retrieval: passages of 'Workshop' were found"),
        ("x_says: [80 dollars]", GOOD, "x_says: '80 dollars' is not in what was said: "),
        ("x_never_says: [DOLLARS]", GOOD, "x_never_says: 'dollars' was said: "),
        ("x_source: [Workshop]", REFUSAL, "x_source: 'Workshop' was not cited, but nothing"),
        ("x_source: []", GOOD, "x_source: 'Workshop' was cited"),
        ("x_supported: true", REFUSAL, "x_supported: nothing was cited for: "),
        ("x_refuses: false", REFUSAL, "x_refuses: it was not answered: "),
        ("x_refuses: true", REFUSAL, "x_refuses: the question is not kept as a gap"),
    ],
)
def test_a_bad_answer_fails_by_its_key(tmp_path: Path, turn: str, seen: ObservedTurn, reason: str):
    (found,) = told(tmp_path, turn, seen)
    assert found.startswith(reason)


def test_a_source_that_is_cited_and_not_named_fails(tmp_path: Path):
    silent = ObservedTurn(said=TEXT, cited=(CITED,))
    (found,) = told(tmp_path, "x_source: [Workshop]", silent)
    assert found.startswith("x_source: 'Workshop' was cited, and not named aloud: ")


def test_a_number_that_stands_in_no_cited_passage_fails(tmp_path: Path):
    wrong = ObservedTurn(said="Repairing a flat tire costs 80 dollars.", cited=(CITED,))
    (found,) = told(tmp_path, "x_supported: true", wrong)
    assert found.startswith("x_supported: 80 dollars stands in no passage that was cited: ")


def test_a_refusal_passes_where_its_question_is_kept_in_any_form(tmp_path: Path):
    assert told(tmp_path, "x_refuses: true", REFUSAL, gaps=("Do you sell kites",)) == []


def test_what_was_heard_counts_in_a_spoken_call_alone(tmp_path: Path):
    misheard = ObservedTurn(heard="what does a punch cost", said="x")
    turn = "x_hears: What does a puncture cost?"
    assert told(tmp_path, turn, misheard) == []
    (found,) = told(tmp_path, turn, misheard, tier="audio")
    assert found == "x_hears: 'what does a punch cost' was heard instead of 'What does a puncture cost?'"


@pytest.mark.parametrize(
    ("tone_hz", "reasons"),
    [
        (tone_of("marin", TEXT), []),
        (tone_of("cedar", TEXT), ["x_voice: it was not 'marin' who spoke"]),
        (None, ["x_voice: it was not 'marin' who spoke"]),
    ],
)
def test_a_voice_is_known_by_its_tone(tmp_path: Path, tone_hz: float | None, reasons: list[str]):
    spoken = ObservedTurn(said=TEXT, tone_hz=tone_hz)
    assert told(tmp_path, "x_voice: marin", spoken, tier="audio") == reasons
    assert told(tmp_path, "x_voice: marin", spoken) == []


def test_what_a_caller_is_not_told_does_not_count_over_webrtc(tmp_path: Path):
    assert told(tmp_path, "x_retrieval: {must: [Workshop]}", ObservedTurn(), tier="webrtc") == []


def test_a_failure_has_the_line_of_its_key(tmp_path: Path):
    held = scenario(tmp_path, "x_says: [nothing of it]")
    (failure,) = failures(held, Observed(turns=(GOOD,)), tier="text", ran=1)
    assert (failure.turn, failure.place) == (0, held.place("turns", 0, "x_says"))
    assert failure.place.line == 9


def test_a_turn_that_was_not_held_is_not_judged(tmp_path: Path):
    held = scenario(tmp_path, "x_says: [nothing of it]")
    assert failures(held, Observed(), tier="text", ran=0) == []


def test_a_query_of_another_value_fails_and_so_does_one_that_could_not_be_asked(tmp_path: Path):
    keys = "x_state: [{sql: select 1, equals: 1}, {sql: select 2, equals: 3}, {sql: select x, equals: 1}]"
    observed = Observed(turns=(GOOD,), rows={0: 1, 1: 2}, unasked={2: "no column"})
    found = failures(scenario(tmp_path, keys=keys), observed, tier="text", ran=1)
    assert [each.reason for each in found] == ["it came to 2 instead of 3", "it could not be asked: no column"]


@pytest.mark.parametrize(
    ("sinks", "reasons"),
    [
        ({"log": "started", "metrics": "calls 1"}, []),
        ({"log": "a\nb 4111-1111", "metrics": "calls 1"}, ["'4111[ -]?1111' stands in the log, line 2"]),
        ({"log": "started", "metrics": ""}, ["there was no metrics to look at"]),
    ],
    ids=["nowhere", "in the log", "nothing to look at"],
)
def test_private_words_stand_in_no_sink(tmp_path: Path, sinks: dict[str, str], reasons: list[str]):
    held = scenario(tmp_path, keys="x_privacy: {patterns: ['4111[ -]?1111']}")
    found = failures(held, Observed(turns=(GOOD,), log=sinks["log"], metrics=sinks["metrics"]), tier="text", ran=1)
    assert [each.reason for each in found] == reasons


@pytest.mark.parametrize(
    ("trace", "reasons"),
    [
        ("stt\n", []),
        ("stt\nMy card is 4111 1111.", ["'4111[ -]?1111' stands in the trace, line 2"]),
        ("", ["there was no trace to look at"]),
    ],
)
def test_private_words_stand_in_no_trace(tmp_path: Path, trace: str, reasons: list[str]):
    held = scenario(tmp_path, keys="x_privacy: {patterns: ['4111[ -]?1111'], sinks: [trace]}")
    found = failures(held, Observed(turns=(GOOD,), trace=trace), tier="text", ran=1)
    assert [each.reason for each in found] == reasons


@pytest.mark.parametrize(
    ("limit", "seen", "reason"),
    [
        ("v2v_ms: 900", GOOD, None),
        ("v2v_ms: 700", GOOD, "v2v_ms was 800, and may be 700"),
        ("v2v_ms: 700", ObservedTurn(), "v2v_ms was not measured"),
        ("dead_air_ms: 100", GOOD, "dead_air_ms was 200, and may be 100"),
        ("yield_ms: 500", GOOD, "nobody was interrupted, so yield_ms was not measured"),
        ("yield_ms: 500", ObservedTurn(yield_ms=600.0), "yield_ms was 600, and may be 500"),
        ("missed_turns: 0", GOOD, "missed_turns was not measured"),
    ],
)
def test_a_spoken_call_keeps_its_limits(tmp_path: Path, limit: str, seen: ObservedTurn, reason: str | None):
    found = told(tmp_path, "", seen, keys=f"x_measure: {{{limit}}}", tier="audio")
    assert found == ([] if reason is None else [f"x_measure: {reason}"])


def test_more_interruptions_than_may_be_fail(tmp_path: Path):
    held = scenario(tmp_path, keys="x_measure: {false_interrupts: 1}", jarvis=", tiers: [audio]")
    observed = Observed(turns=(GOOD,), false_interrupts=2)
    (failure,) = failures(held, observed, tier="audio", ran=1)
    assert failure.reason == "false_interrupts came to 2, and may be 1"


@pytest.mark.parametrize(("most", "reasons"), [(900, []), (700, ["it was silent for 800 ms, and may be for 700 ms"])])
def test_a_fault_may_be_heard_for_so_long(tmp_path: Path, most: int, reasons: list[str]):
    keys = f"x_faults: [{{turn: 0, stage: tts, fault: stall, gap_ms_max: {most}}}]"
    held = scenario(tmp_path, keys=keys, jarvis=", tiers: [audio], providers: doubles")
    found = failures(held, Observed(turns=(GOOD,)), tier="audio", ran=1)
    assert [each.reason for each in found] == reasons
