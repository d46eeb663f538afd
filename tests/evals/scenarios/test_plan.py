"""Which conversations a suite holds, and in which way."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evals.scenarios.keys import TIERS, Tier
from evals.scenarios.lint import lint
from evals.scenarios.plan import SETTLING, Plan, Run, as_held, as_live, plan
from tests.evals.scenarios.given import read_text, scenario

TEXT = """\
name: tried
x_jarvis: {version: 1, knowledge: documents, tiers: [text, audio]}
scenarios:
  - name: one
    turns: [{user: Hello., expect: [{event: response}]}]
  - name: later
    x_pending: no feature yet
    turns: [{user: Hello., expect: [{event: response}]}]
  - name: wrong
    turns: [{user: Hello., expect: [{event: respnse}]}]
"""


def planned(folder: Path, *, tiers: Sequence[Tier] = TIERS, **options: Any) -> Plan:
    file = read_text(folder, TEXT)
    return plan([(file, lint(file))], tiers=tiers, **options)


def names(runs: tuple[Run, ...]) -> list[tuple[str, str, int]]:
    return [(run.scenario.name, run.tier, run.number) for run in runs]


def test_each_scenario_is_held_in_each_of_its_tiers_so_many_times(tmp_path: Path):
    found = planned(tmp_path, repeat=2)
    assert names(found.runs) == [("tried/one", tier, number) for tier in ("text", "audio") for number in (1, 2)]


def test_what_waits_for_its_feature_is_held_where_that_is_asked_for(tmp_path: Path):
    assert names(planned(tmp_path, tiers=["text"]).pending) == [("tried/later", "text", 1)]
    held = planned(tmp_path, tiers=["text"], pending=True)
    assert (names(held.runs)[1:], held.pending) == ([("tried/later", "text", 1)], ())


def test_what_is_wrong_is_not_held_and_the_others_are(tmp_path: Path):
    (unheld,) = planned(tmp_path).unheld
    assert (unheld.name, unheld.tier) == ("tried/wrong", "text")
    assert "respnse" in unheld.complaints[0].text


def test_a_name_chooses_with_or_without_its_file(tmp_path: Path):
    for only in ("one", "tried/one", "on*"):
        assert len(planned(tmp_path, only=[only]).runs) == 2
    assert planned(tmp_path, only=["two"]) == Plan((), (), ())


def test_a_name_may_choose_one_tier_of_it(tmp_path: Path):
    suite = planned(tmp_path, only=["one:audio", "later"])
    assert names(suite.runs) == [("tried/one", "audio", 1)]
    assert [suite.has(each) for each in ("one", "one:audio", "one:text", "later")] == [True, True, False, True]


def test_a_written_conversation_is_held_as_it_is_and_waits_at_its_end(tmp_path: Path):
    held = scenario(tmp_path)
    assert as_held(Run(held, "text", 1)).turns == [*held.stock.turns, SETTLING]


def test_a_spoken_conversation_hears_the_bot_and_plays_recordings(tmp_path: Path):
    held = scenario(tmp_path, "x_recording: a.flac", jarvis=", tiers: [audio]")
    spoken = as_held(Run(held, "audio", 1))
    turn, _ = spoken.turns
    assert (turn.audio, turn.expect[0].event) == (str(tmp_path / "a.flac"), "response")
    assert (spoken.user_audio, spoken.bot_audio) == (True, True)
    assert held.stock.turns[0].expect[0].event == "llm_response"


def test_a_live_suite_asks_vendors_and_leaves_out_those_that_must_fail(tmp_path: Path):
    fault = "x_faults: [{turn: 0, stage: llm, fault: stall}]"
    runs = [Run(scenario(tmp_path, keys=keys, jarvis=", providers: doubles"), "text", 1) for keys in ("", fault)]
    live, left_out = as_live(Plan(tuple(runs), (), ()))
    assert ([each.scenario.keys.x_jarvis.providers for each in live.runs], left_out) == (["live"], 1)
    assert runs[0].scenario.keys.x_jarvis.providers == "doubles"
