"""Which conversations a suite holds, and in which way."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from pipecat.evals.script import EvalExpectation, EvalScriptScenario, EvalScriptTurn

from evals.scenarios.errors import Complaint
from evals.scenarios.format import Scenario, ScenarioFile
from evals.scenarios.keys import Providers, Tier

VOICE = {"factory": "evals.scenarios.speech.voice", "service": "flite", "voice": "rms"}
EARS = {"factory": "evals.scenarios.speech.ears"}
# No bot of ours says that.
SETTLING = EvalScriptTurn(user=None, expect=[EvalExpectation("bot_backchannel", within_ms=600, absent=True)])


@dataclass(frozen=True)
class Run:
    """One conversation: a scenario in a tier, for the `number`-th time, from 1."""

    scenario: Scenario
    tier: Tier
    number: int


@dataclass(frozen=True)
class Unheld:
    """A scenario that can't be held, and why; `tier` and `providers` are what it asks for, where that is known."""

    name: str
    file: ScenarioFile
    tier: Tier
    providers: Providers
    complaints: Sequence[Complaint]


@dataclass(frozen=True)
class Plan:
    """All of a suite: what is held, what waits for its feature, and what is wrong."""

    runs: tuple[Run, ...]
    pending: tuple[Run, ...]
    unheld: tuple[Unheld, ...]

    @property
    def providers(self) -> set[Providers]:
        """Who answers in it."""
        return {run.scenario.keys.x_jarvis.providers for run in (*self.runs, *self.pending)}

    def has(self, wanted: str) -> bool:
        """Whether one of its scenarios is called so, those that can't be held among them."""
        held = any(is_called(run.scenario.name, run.tier, wanted) for run in (*self.runs, *self.pending))
        return held or any(is_called(each.name, each.tier, wanted) for each in self.unheld)

    @property
    def is_simulated(self) -> bool:
        """Whether a caller of it is played by a language model."""
        return any(run.scenario.simulation is not None for run in (*self.runs, *self.pending))

    @property
    def tiers(self) -> set[Tier]:
        """How it is held."""
        return {run.tier for run in (*self.runs, *self.pending)}


def plan(
    files: Sequence[tuple[ScenarioFile, Sequence[Complaint]]],
    *,
    tiers: Collection[Tier],
    only: Sequence[str] = (),
    repeat: int = 1,
    pending: bool = False,
) -> Plan:
    """The suite of these files and what is wrong with each, in these tiers; of them `only` what is called so, if any.

    With `pending`, what waits for its feature is held as well.
    """
    runs: list[Run] = []
    waiting: list[Run] = []
    unheld: list[Unheld] = []
    for file, complaints in files:
        known = {each.name: each for each in file.scenarios}
        for name in file.named:
            wrong = [each for each in complaints if each.scenario in (None, name)]
            scenario = known.get(name)
            if wrong or scenario is None:
                lacking = _unheld(name, file, scenario, wrong)
                if not only or any(is_called(name, lacking.tier, each) for each in only):
                    unheld.append(lacking)
                continue
            for tier in scenario.keys.x_jarvis.tiers:
                if tier not in tiers or (only and not any(is_called(name, tier, each) for each in only)):
                    continue
                if scenario.keys.x_pending is not None and not pending:
                    waiting.append(Run(scenario, tier, 1))
                else:
                    runs += [Run(scenario, tier, number) for number in range(1, repeat + 1)]
    return Plan(tuple(runs), tuple(waiting), tuple(unheld))


def is_called(name: str, tier: Tier, wanted: str) -> bool:
    """Whether a scenario in a tier is wanted: by its name, with or without its file's, * for any part, and :TIER."""
    called, _, of = wanted.partition(":")
    return of in ("", tier) and (fnmatchcase(name, called) or fnmatchcase(name, f"*/{called}"))


def as_live(suite: Plan) -> tuple[Plan, int]:
    """The suite with vendors that are asked for real, and how many runs it can't have: those in which one fails."""
    fit = [run for run in suite.runs if not run.scenario.keys.x_faults]
    live = replace(suite, runs=tuple(map(_live, fit)), pending=tuple(map(_live, suite.pending)))
    return live, len(suite.runs) - len(fit)


def _live(run: Run) -> Run:
    keys = run.scenario.keys
    setup = keys.x_jarvis.model_copy(update={"providers": "live"})
    return replace(run, scenario=replace(run.scenario, keys=keys.model_copy(update={"x_jarvis": setup})))


def _unheld(name: str, file: ScenarioFile, scenario: Scenario | None, wrong: Sequence[Complaint]) -> Unheld:
    setup = scenario.keys.x_jarvis if scenario else None
    tier: Tier = setup.tiers[0] if setup else "text"
    return Unheld(name, file, tier, setup.providers if setup else "embedded", wrong or file.complaints)


def as_held(run: Run) -> EvalScriptScenario:
    """The scenario as Pipecat's harness holds it in the run's tier.

    Spoken, a recording stands in for the words that it says, and a `response` is what was heard of the bot. A last turn
    waits: the harness hangs up at once, and what the bot tells of its last answer may come behind it.
    """
    stock = run.scenario.stock
    if run.tier == "text":
        return replace(stock, turns=[*stock.turns, SETTLING])
    turns: list[EvalScriptTurn] = []
    for number, (turn, data) in enumerate(zip(stock.turns, run.scenario.data["turns"], strict=True)):
        recording = run.scenario.recording(number)
        expect = [replace(each, event=event) for each, event in zip(turn.expect, _events(data), strict=True)]
        turns.append(replace(turn, audio=str(recording) if recording else turn.audio, expect=expect))
    return replace(
        stock,
        turns=[*turns, SETTLING],
        user_audio=True,
        user_speech=stock.user_speech or VOICE,
        bot_audio=True,
        transcriber=stock.transcriber or EARS,
    )


def _events(turn: dict[str, Any]) -> Iterator[str]:
    """As they are written: Pipecat has made `response` the model's text where nothing is spoken."""
    yield from (each["event"] for each in turn.get("expect") or ())
