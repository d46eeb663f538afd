"""What is wrong with a scenario whose caller is simulated."""

from collections.abc import Iterator

from evals.scenarios.claims import words_spoken
from evals.scenarios.errors import Complaint
from evals.scenarios.format import Scenario

# What Pipecat's own tool makes of a simulation, and Jarvis' does not.
UNHELD = {"metrics": "use checks of the answer, such as x_says", "runs": "use `jarvis eval run --repeat`"}


def complaints(scenario: Scenario) -> list[Complaint]:
    """All that is wrong, in no order."""
    return [Complaint(scenario.place(*path), text, scenario.name) for text, path in _wrong(scenario)]


def _wrong(scenario: Scenario) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    keys, caller = scenario.keys, scenario.keys.x_caller
    assert caller is not None
    for key, instead in UNHELD.items():
        if key in scenario.data:
            yield f"{key} is not held here: {instead}", (key,)
    if keys.x_jarvis.tiers != ["text"]:
        yield "a simulated caller writes: use `tiers: [text]`", ("x_jarvis",)
    if keys.x_faults:
        yield "nobody knows the turns of a simulated caller before: x_faults can't name one", ("x_faults",)
    if keys.x_measure is not None:
        yield "x_measure is of a spoken call", ("x_measure",)
    if not scenario.outcome.checks and not keys.x_state:
        yield "nothing says what the call must come to: add x_says, x_source or x_state", ("x_caller",)
    if scenario.outcome.x_supported and scenario.outcome.x_source == []:
        yield "answers without a source have nothing that supports them", ("x_supported",)
    for place, words in enumerate(scenario.outcome.x_says):
        if not words_spoken(words):
            yield "it has no word, so it is always said", ("x_says", place)
    if keys.x_jarvis.persona is not None:
        yield "a simulated caller calls whom the settings say: leave the persona out", ("x_jarvis", "persona")
    is_doubled = keys.x_jarvis.providers == "doubles"
    if is_doubled and not caller.script:
        yield "a language model's double plays the caller by `script`", ("x_caller",)
    if caller.script and not is_doubled:
        yield "script is for a language model's double: set `providers: doubles`", ("x_caller", "script")
    for number, fact in enumerate(caller.hidden_facts):
        for place, words in enumerate(fact.told_by):
            if not words_spoken(words):
                yield "it has no word, so it is always told", ("x_caller", "hidden_facts", number, "told_by", place)
