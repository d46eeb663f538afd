"""A scenario whose caller is simulated, written for a test."""

from pathlib import Path

from evals.scenarios.format import Scenario, ScenarioFile
from tests.evals.scenarios.given import read_text

CALLER = r"""  - name: played
    persona: A man in a hurry.
    goal: Find out what a puncture costs.
    success: the bot named the price
    max_turns: 3
    x_caller:
      asks: ['\bpunctur']
      script: [{says: "What does a puncture cost?", phrase: 18 dollars}]
"""
SAYS = "    x_says: [18 dollars]\n"
DOUBLES = ", providers: doubles"


def played_file(folder: Path, keys: str = SAYS, *, jarvis: str = DOUBLES) -> ScenarioFile:
    """What is read of it; `keys` begin at the margin of a scenario's."""
    head = f"name: tried\nx_jarvis: {{version: 1, knowledge: documents{jarvis}}}\nscenarios:\n"
    return read_text(folder, f"{head}{CALLER}{keys}")


def played(folder: Path, keys: str = SAYS) -> Scenario:
    """The scenario itself."""
    found = played_file(folder, keys)
    assert found.complaints == ()
    return found.scenarios[0]
