"""What the answers to a simulated caller must come to altogether: pure functions of what was observed."""

from collections.abc import Sequence

from evals.scenarios.checks import Failure, failures, never_said, of_answer
from evals.scenarios.format import Scenario
from evals.scenarios.observed import Observed, ObservedTurn


def outcome(scenario: Scenario, observed: Observed) -> list[Failure]:
    """All that did not hold: of the answers together, of each of them where a thing may never be said, of the call.

    The greeting is no answer.
    """
    answers = [(number, turn) for number, turn in enumerate(observed.turns) if turn.user is not None]
    keys = scenario.outcome
    together = keys.model_copy(update={"x_refuses": None})
    found = [
        Failure(None, key, reason, scenario.place(key))
        for key, reason in of_answer(together, _together([turn for _, turn in answers]), observed.gaps, tier="text")
    ]
    if keys.x_refuses is not None:
        asked = keys.model_copy(update=dict.fromkeys(("x_retrieval", "x_source", "x_supported")))
        asked = asked.model_copy(update={"x_says": []})
        reasons = [(n, [*of_answer(asked, turn, observed.gaps, tier="text")]) for n, turn in answers]
        # Refused must one of the questions be, and answered all of them.
        if not keys.x_refuses or all(each for _, each in reasons):
            place = scenario.place("x_refuses")
            found += [Failure(number, key, reason, place) for number, each in reasons for key, reason in each]
    for number, turn in enumerate(observed.turns):
        found += never_said(scenario, number, turn)
    return found + failures(scenario, observed, tier="text", ran=0)


def _together(turns: Sequence[ObservedTurn]) -> ObservedTurn:
    looked_up = [turn.passages for turn in turns if turn.passages is not None]
    return ObservedTurn(
        said=" ".join(turn.said for turn in turns),
        passages=tuple(each for passages in looked_up for each in passages) if looked_up else None,
        cited=tuple(each for turn in turns for each in turn.cited),
    )
