"""What a scenario's keys make of a call: pure functions of what was observed."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from evals.scenarios.claims import is_said, refuses, unsupported, words_spoken
from evals.scenarios.errors import Place
from evals.scenarios.format import Scenario
from evals.scenarios.keys import Limits, Tier, TurnKeys
from evals.scenarios.observed import Observed, ObservedTurn
from evals.scenarios.tones import speaks_as
from processors.naming import spoken_name

_SHOWN_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Failure:
    """What did not hold: `check` is the key or Pipecat's event, `turn` counts from 0, None is the whole call."""

    turn: int | None
    check: str
    reason: str
    place: Place


def failures(scenario: Scenario, observed: Observed, *, tier: Tier, ran: int) -> list[Failure]:
    """All that did not hold, turn by turn, then of the whole call; only the first `ran` turns were held."""
    return [
        *(each for number in range(ran) for each in _of_turn(scenario, observed, number, tier=tier)),
        *_of_call(scenario, observed, tier=tier, ran=ran),
    ]


def _of_turn(scenario: Scenario, observed: Observed, number: int, *, tier: Tier) -> Iterator[Failure]:
    keys = scenario.turns[number]
    turn = observed.turns[number] if number < len(observed.turns) else ObservedTurn()
    for key, reason in of_answer(keys, turn, observed.gaps, tier=tier):
        yield Failure(number, key, reason, scenario.place("turns", number, key))
    yield from never_said(scenario, number, turn)


def never_said(scenario: Scenario, number: int, turn: ObservedTurn) -> Iterator[Failure]:
    """What a turn has of that which no answer of the scenario may have."""
    for pattern in scenario.keys.x_never_says:
        if found := re.search(pattern, turn.said, re.IGNORECASE):
            reason = f"{found[0]!r} was said: {_shown(turn.said)}"
            yield Failure(number, "x_never_says", reason, scenario.place("x_never_says"))


def of_answer(keys: TurnKeys, turn: ObservedTurn, gaps: Sequence[str], *, tier: Tier) -> Iterator[tuple[str, str]]:
    """What does not hold of an answer: each key, and the reason."""
    if keys.x_hears is not None and tier != "text" and words_spoken(keys.x_hears) != words_spoken(turn.heard):
        yield "x_hears", f"{turn.heard!r} was heard instead of {keys.x_hears!r}"
    if tier != "webrtc":
        # A caller is not told what was looked up.
        yield from (("x_retrieval", reason) for reason in _retrieval(keys, turn))
    for wanted in keys.x_says:
        if not is_said(wanted, turn.said):
            yield "x_says", f"{wanted!r} is not in what was said: {_shown(turn.said)}"
    for pattern in keys.x_never_says:
        if found := re.search(pattern, turn.said, re.IGNORECASE):
            yield "x_never_says", f"{found[0]!r} was said: {_shown(turn.said)}"
    yield from (("x_source", reason) for reason in _source(keys, turn))
    if keys.x_voice is not None and tier != "text" and not _speaks_as(keys.x_voice, turn.tone_hz):
        yield "x_voice", f"it was not {keys.x_voice!r} who spoke"
    if keys.x_supported:
        yield from (("x_supported", reason) for reason in _support(turn))
    if keys.x_refuses is not None:
        yield from (("x_refuses", reason) for reason in _refusal(turn, gaps, wanted=keys.x_refuses))


def _retrieval(keys: TurnKeys, turn: ObservedTurn) -> Iterator[str]:
    wanted = keys.x_retrieval
    if wanted is None:
        return
    if wanted.nothing:
        if turn.passages:
            yield f"passages of {_titles(each.title for each in turn.passages)} were found"
        return
    if turn.passages is None:
        yield "nothing was looked up"
        return
    there = {each.title for each in turn.passages}
    for title in wanted.must:
        if title not in there:
            yield f"no passage of {title!r} was found, only of {_titles(there)}"
    for title in wanted.must_not:
        if title in there:
            yield f"a passage of {title!r} was found"


def _source(keys: TurnKeys, turn: ObservedTurn) -> Iterator[str]:
    if keys.x_source is None:
        return
    cited = {each.title for each in turn.cited}
    if not keys.x_source and cited:
        yield f"{_titles(cited)} was cited"
    for title in keys.x_source:
        if title not in cited:
            yield f"{title!r} was not cited, but {_titles(cited)}"
        elif not is_said(spoken_name(title), turn.said):
            yield f"{title!r} was cited, and not named aloud: {_shown(turn.said)}"


def _speaks_as(voice: str, tone_hz: float | None) -> bool:
    return tone_hz is not None and speaks_as(voice, tone_hz)


def _support(turn: ObservedTurn) -> Iterator[str]:
    if not turn.cited:
        yield f"nothing was cited for: {_shown(turn.said)}"
        return
    for sentence, lacking in unsupported(turn.said, [f"{each.title}. {each.passage}" for each in turn.cited]):
        yield f"{', '.join(lacking)} stands in no passage that was cited: {_shown(sentence)}"


def _refusal(turn: ObservedTurn, gaps: Sequence[str], *, wanted: bool) -> Iterator[str]:
    refused = refuses(turn.said)
    if wanted and not refused:
        yield f"it was answered: {_shown(turn.said)}"
    if not wanted and refused:
        yield f"it was not answered: {_shown(turn.said)}"
    asked = words_spoken(turn.heard or turn.user or "")
    if wanted and not any(words_spoken(each) == asked for each in gaps):
        yield "the question is not kept as a gap"


def _of_call(scenario: Scenario, observed: Observed, *, tier: Tier, ran: int) -> Iterator[Failure]:
    keys = scenario.keys
    for number, row in enumerate(keys.x_state):
        if number not in observed.rows:
            reason = f"it could not be asked: {observed.unasked.get(number, 'there was no call')}"
            yield Failure(None, "x_state", reason, scenario.place("x_state", number))
        elif (value := observed.rows[number]) != row.equals:
            reason = f"it came to {value!r} instead of {row.equals!r}"
            yield Failure(None, "x_state", reason, scenario.place("x_state", number))
    if keys.x_privacy is not None:
        held = {name: getattr(observed, name) for name in keys.x_privacy.sinks}
        for number, pattern in enumerate(keys.x_privacy.patterns):
            place = scenario.place("x_privacy", "patterns", number)
            for sink in keys.x_privacy.sinks:
                # What was found is private, so it is not told.
                if not held[sink]:
                    yield Failure(None, "x_privacy", f"there was no {sink} to look at", place)
                elif found := re.search(pattern, held[sink], re.IGNORECASE):
                    line = held[sink].count("\n", 0, found.start()) + 1
                    yield Failure(None, "x_privacy", f"{pattern!r} stands in the {sink}, line {line}", place)
    if keys.x_measure is not None and tier != "text":
        yield from _limits(scenario, keys.x_measure, observed, ran)
    for number, fault in enumerate(keys.x_faults):
        turn = observed.turns[fault.turn] if fault.turn < min(ran, len(observed.turns)) else None
        if turn is None or fault.gap_ms_max is None or tier == "text":
            continue
        silence = max((each for each in (turn.v2v_ms, turn.longest_gap_ms) if each is not None), default=None)
        if silence is None or silence > fault.gap_ms_max:
            heard = "no answer was measured" if silence is None else f"it was silent for {silence:,.0f} ms"
            reason = f"{heard}, and may be for {fault.gap_ms_max:,} ms"
            yield Failure(fault.turn, "x_faults", reason, scenario.place("x_faults", number))


def _limits(scenario: Scenario, limits: Limits, observed: Observed, ran: int) -> Iterator[Failure]:
    asked = [number for number in range(min(ran, len(observed.turns))) if scenario.stock.turns[number].user]
    by_turn = (("v2v_ms", limits.v2v_ms, "v2v_ms"), ("dead_air_ms", limits.dead_air_ms, "longest_gap_ms"))
    for key, most, field in by_turn:
        place = scenario.place("x_measure", key)
        for number in asked if most is not None else ():
            value = getattr(observed.turns[number], field)
            if value is None:
                yield Failure(number, "x_measure", f"{key} was not measured", place)
            elif most is not None and value > most:
                yield Failure(number, "x_measure", f"{key} was {value:,.0f}, and may be {most:,}", place)
    if limits.yield_ms is not None:
        place = scenario.place("x_measure", "yield_ms")
        yields = [(n, turn.yield_ms) for n, turn in enumerate(observed.turns[:ran]) if turn.yield_ms is not None]
        if not yields:
            yield Failure(None, "x_measure", "nobody was interrupted, so yield_ms was not measured", place)
        for number, value in yields:
            if value > limits.yield_ms:
                yield Failure(number, "x_measure", f"yield_ms was {value:,.0f}, and may be {limits.yield_ms:,}", place)
    for key in ("false_interrupts", "missed_turns"):
        most, count = getattr(limits, key), getattr(observed, key)
        if most is not None and (count is None or count > most):
            reason = f"{key} was not measured" if count is None else f"{key} came to {count}, and may be {most}"
            yield Failure(None, "x_measure", reason, scenario.place("x_measure", key))


def _titles(titles) -> str:
    return ", ".join(repr(each) for each in sorted({*titles})) or "nothing"


def _shown(said: str) -> str:
    text = said if len(said) <= _SHOWN_CHARACTERS else f"{said[:_SHOWN_CHARACTERS]}…"
    return repr(text) if text else "nothing"
