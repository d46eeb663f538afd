"""What is wrong with a scenario for the line that it is held over."""

from collections.abc import Iterator
from typing import Any

from evals.scenarios.errors import Complaint
from evals.scenarios.format import Scenario

# What the bot tells a harness on its eval channel, and no caller.
UNTOLD = frozenset({"vad_user_started_speaking", "vad_user_stopped_speaking", "llm_marker", "image"})


def of_a_line(scenario: Scenario) -> Iterator[Complaint]:
    """All that can't be had in the scenario's tiers."""
    tiers = {*scenario.keys.x_jarvis.tiers}
    if scenario.keys.x_audio is not None:
        if "text" in tiers:
            yield _complaint(scenario, "x_audio is of a spoken call: write `tiers: [audio]`", "x_audio")
        yield from _degraded(scenario)
    if "webrtc" in tiers:
        yield from _over_webrtc(scenario)


def _degraded(scenario: Scenario) -> Iterator[Complaint]:
    if not any(turn.user is not None for turn in scenario.stock.turns):
        yield _complaint(scenario, "nothing is said, so there is nothing for x_audio to change", "x_audio")


def _over_webrtc(scenario: Scenario) -> Iterator[Complaint]:
    data = scenario.data
    if data.get("context"):
        yield _complaint(scenario, "a caller over webrtc can't put words into the context", "context")
    for number, turn in enumerate(data["turns"]):
        for key in ("image", "dtmf"):
            if turn.get(key) is not None:
                yield _complaint(scenario, f"{key} can't be sent over webrtc", "turns", number, key)
        if scenario.turns[number].x_retrieval is not None and scenario.keys.x_jarvis.tiers == ["webrtc"]:
            text = "a caller over webrtc is not told what was looked up: add `audio` to `tiers`"
            yield _complaint(scenario, text, "turns", number, "x_retrieval")
        for place, expectation in enumerate(turn.get("expect") or ()):
            yield from _untold(scenario, number, place, expectation)


def _untold(scenario: Scenario, number: int, place: int, expectation: dict[str, Any]) -> Iterator[Complaint]:
    at = ("turns", number, "expect", place)
    event = expectation.get("event")
    if event in UNTOLD:
        yield _complaint(scenario, f"a caller over webrtc is not told of {event}", *at, "event")
    if keys := {"calls", "name", "args"} & expectation.keys():
        yield _complaint(scenario, "a caller over webrtc is not told which function is called", *at, min(keys))


def _complaint(scenario: Scenario, text: str, *path: str | int) -> Complaint:
    return Complaint(scenario.place(*path), text, scenario.name)
