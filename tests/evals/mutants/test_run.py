"""Mutants, held with a suite that is played."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from evals.mutants.defects import MUTANTS, Mutant
from evals.mutants.errors import MutantError
from evals.mutants.run import WHOLE, Verdict, hold_mutants, jarvis_with, planned
from server.commands.eval_scenarios import SUITE
from tests.evals.scenarios.given import written

TEXT = """\
name: tried
x_jarvis: {version: 1, knowledge: documents}
scenarios:
  - name: one
    turns: &asked [{user: Hello., expect: [{event: response}]}]
  - name: two
    turns: *asked
  - name: later
    x_pending: no feature yet
    turns: *asked
  - name: wrong
    turns: [{user: Hello., expect: [{event: respnse}]}]
"""
MUTE = Mutant("mute", "it says nothing", "bot.said:Said._tell", str, ("x_says",), ("tried/one", "tried/two"))


class PlayedSuite:
    """Holds nothing: a bot's scenarios come to what is given, by its folder's name, and else pass."""

    def __init__(self, **outcomes: Mapping[str, tuple[str, list[str]]]) -> None:
        self.outcomes = outcomes
        self.held: list[tuple[str, list[str]]] = []

    async def hold(self, suite: Any, results: Any, *, on_record: Any, **_: Any) -> None:
        bot = results.folder.name
        names = [run.scenario.name for run in suite.runs]
        self.held.append((bot, names))
        for name in names:
            status, checks = self.outcomes.get(bot, {}).get(name, ("passed", []))
            failures = [{"check": each, "reason": "", "file": "tried.yaml", "line": 1} for each in checks]
            record = {
                "scenario_name": name, "x_tier": "text", "x_status": status, "x_failures": failures, "x_run": 1,
                "x_file": "tried.yaml", "x_providers": "embedded", "duration_ms": 1,
            }  # fmt: skip
            results.add(record)
            on_record(record)


async def verdict(folder: Path, suite: PlayedSuite) -> Verdict:
    file = written(folder, TEXT)
    told: list[Verdict] = []
    await hold_mutants(
        [MUTE], folder / "out", suite=file, on_record=lambda *_: None, on_verdict=told.append, hold=suite.hold
    )
    (found,) = told
    return found


async def test_a_scenario_that_fails_for_the_defect_catches_it(tmp_path: Path):
    found = await verdict(tmp_path, PlayedSuite(mute={"tried/one": ("failed", ["response", "x_says"])}))
    assert found.caught
    assert [(each.scenario, each.by) for each in found.seen] == [("tried/one", "x_says"), ("tried/two", None)]


@pytest.mark.parametrize(
    ("status", "checks"),
    [("passed", []), ("error", ["x_says"]), ("failed", ["response"])],
    ids=["it passes", "no call came about", "it fails at something else"],
)
async def test_a_scenario_that_does_not_show_the_defect_catches_nothing(tmp_path: Path, status: str, checks: list[str]):
    found = await verdict(tmp_path, PlayedSuite(mute={"tried/one": (status, checks)}))
    assert not found.caught
    assert (found.seen[0].broken, found.seen[0].failed) == (status, tuple(checks))


async def test_a_scenario_that_fails_without_the_defect_is_not_held_with_it(tmp_path: Path):
    suite = PlayedSuite(whole={"tried/one": ("failed", ["x_says"])})
    found = await verdict(tmp_path, suite)
    assert suite.held == [(WHOLE, ["tried/one", "tried/two"]), ("mute", ["tried/two"])]
    assert (found.seen[0].whole, found.seen[0].broken, found.caught) == ("failed", None, False)


async def test_where_no_scenario_passes_nothing_is_held_with_the_defect(tmp_path: Path):
    suite = PlayedSuite(whole={"tried/one": ("failed", []), "tried/two": ("error", [])})
    assert not (await verdict(tmp_path, suite)).caught
    assert [bot for bot, _ in suite.held] == [WHOLE]


async def test_each_bot_has_results_of_its_own(tmp_path: Path):
    await verdict(tmp_path, PlayedSuite())
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == ["mute", "whole"]
    assert (tmp_path / "out" / "mute" / "results.jsonl").read_text().count('"scenario_name": "tried/one"') == 1


async def test_a_verdict_says_by_what_the_defect_was_caught(tmp_path: Path):
    told = (await verdict(tmp_path, PlayedSuite(mute={"tried/one": ("failed", ["x_says"])}))).to_json()
    assert (told["name"], told["caught"]) == ("mute", True)
    assert told["scenarios"][0] == {
        "scenario": "tried/one", "tier": "text", "whole": "passed", "broken": "failed", "failed": ("x_says",),
        "by": "x_says",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["tried/none", "tried/later", "tried/wrong"])
def test_a_scenario_that_can_not_be_held_is_told(tmp_path: Path, name: str):
    with pytest.raises(MutantError, match=name):
        planned(written(tmp_path, TEXT), [name])


def test_all_scenarios_of_the_mutants_are_in_the_suite():
    names = {name for mutant in MUTANTS.values() for name in mutant.scenarios}
    assert {run.scenario.name for run in planned(SUITE, sorted(names)).runs} == names


def test_its_jarvis_is_started_with_the_defect(tmp_path: Path):
    jarvis = jarvis_with(MUTE, tmp_path, JARVIS_STT="embedded")
    assert jarvis.program == ("evals.mutants.program", "mute")
    assert jarvis.environment["JARVIS_STT"] == "embedded"
