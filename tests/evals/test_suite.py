"""The scenarios over the sample handbook."""

from pathlib import Path

import evals
from evals.scenarios.format import find, read
from evals.scenarios.lint import lint

SUITE = Path(evals.__file__).parent / "suite"


def test_nothing_is_wrong_with_the_suite():
    assert [str(each) for file in find([SUITE]) for each in lint(read(file))] == []


def test_the_suite_has_forty_scenarios_that_wait_for_nothing():
    scenarios = [each for file in find([SUITE]) for each in read(file).scenarios]
    assert sum(each.keys.x_pending is None for each in scenarios) >= 40
    assert len({each.name for each in scenarios}) == len(scenarios)
