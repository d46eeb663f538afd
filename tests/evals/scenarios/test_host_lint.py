"""What is wrong with what happens to a host is told by its line."""

from pathlib import Path

import pytest

from evals.scenarios.lint import lint
from tests.evals.scenarios.given import read_text

ASKED = "      - {user: Hello., expect: [{event: response}]}\n"
GOOD = [
    "{turn: 0, event: database_down, until: 1, another: {status: 201}}",
    "{turn: 1, event: redis_down}",
    "{turn: 1, event: full, another: {status: 503, says: All lines are busy}}",
    "{turn: 1, event: drain}",
]


def told(folder: Path, host: str, *, tiers: str = "text", turns: str = ASKED * 2) -> list[str]:
    head = f"name: tried\nx_jarvis: {{version: 1, knowledge: documents, tiers: [{tiers}]}}\nscenarios:\n"
    text = f"{head}  - name: one\n    x_host: {host}\n    turns:\n{turns}"
    return [f"{each.place.line}: {each.text}" for each in lint(read_text(folder, text))]


@pytest.mark.parametrize("host", GOOD)
def test_what_can_happen_is_not_complained_of(tmp_path: Path, host: str):
    assert told(tmp_path, host) == []


@pytest.mark.parametrize(
    ("host", "complaint"),
    [
        ("{turn: 2, event: drain}", "5: there is no turn 2, counted from 0"),
        ("{turn: 0, event: redis_down, until: 2}", "5: there is no turn 2, counted from 0"),
        ("{turn: 1, event: redis_down, until: 1}", "5: x_host: `until` is a turn behind `turn`"),
        ("{turn: 0, event: drain, until: 1}", "5: x_host: `until` is of a database"),
        ("{turn: 1, event: full}", "5: x_host: nobody in the call notices"),
        ("{turn: 1, event: full, another: {status: 201}}", "5: x_host: nobody in the call notices"),
        ("{turn: 1, event: drain, another: {status: 201, says: x}}", "5: x_host.another: `says` is of a refusal"),
        ("{turn: 1, event: fire}", "5: x_host.event: input should be"),
        ("{turn: 1, evnt: full}", "5: x_host.evnt: there is no such key"),
        ("{turn: 1, event: bot_killed}", "5: whoever loses the eval channel does not come back, so turn 1 gets no"),
    ],
)
def test_what_cant_happen_is_told_by_its_line(tmp_path: Path, host: str, complaint: str):
    assert any(each.startswith(complaint) for each in told(tmp_path, host))


def test_a_bot_may_be_killed_where_nothing_is_awaited_of_it_or_the_caller_comes_back(tmp_path: Path):
    killed = "{turn: 1, event: bot_killed}"
    silence = "      - {expect: [{event: response, absent: true, within_ms: 900}]}\n"
    assert told(tmp_path, killed, turns=ASKED + silence) == []
    assert told(tmp_path, killed, tiers="webrtc") == []


def test_a_simulated_callers_turns_are_not_known_before(tmp_path: Path):
    text = """\
name: tried
x_jarvis: {version: 1, knowledge: documents, providers: doubles}
persona: Ruth
goal: a price
success: a price
x_caller: {asks: [price]}
x_says: [18 dollars]
x_host: {turn: 0, event: drain}
"""
    found = [f"{each.place.line}: {each.text}" for each in lint(read_text(tmp_path, text))]
    assert any(each.startswith("8: nobody knows a simulated caller's turns before") for each in found)
