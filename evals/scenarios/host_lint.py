"""What is wrong with a scenario for what happens to its host."""

from collections.abc import Iterator

from evals.scenarios.errors import Complaint
from evals.scenarios.format import Scenario


def of_a_host(scenario: Scenario) -> Iterator[Complaint]:
    """All that can't happen to the host of this call, or that nobody would notice."""
    wanted = scenario.keys.x_host
    if wanted is None:
        return
    if scenario.simulation is not None:
        yield _complaint(scenario, "nobody knows a simulated caller's turns before: write `turns:`")
        return
    turns = scenario.stock.turns
    for key, number in (("turn", wanted.turn), ("until", wanted.until)):
        if number is not None and number >= len(turns):
            yield _complaint(scenario, f"there is no turn {number}, counted from 0", key)
    if wanted.event == "bot_killed" and {*scenario.keys.x_jarvis.tiers} - {"webrtc"}:
        # The eval channel ends with its bot.
        later = range(wanted.turn, len(turns))
        if awaited := [n for n in later if any(not each.absent for each in turns[n].expect)]:
            text = f"whoever loses the eval channel does not come back, so turn {awaited[0]} gets no answer: "
            yield _complaint(scenario, f"{text}write `tiers: [webrtc]`, or `absent: true`", "event")


def _complaint(scenario: Scenario, text: str, *path: str) -> Complaint:
    return Complaint(scenario.place("x_host", *path), text, scenario.name)
