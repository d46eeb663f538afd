"""Scenario files, read as Pipecat reads them and for the keys that it passes over."""

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import yaml
from loguru import logger
from pipecat.evals.scenario import EvalScenarioFile, EvalScriptScenario
from pipecat.evals.simulation import EvalSimulationScenario
from pydantic import BaseModel, ValidationError

from evals.scenarios.errors import Complaint, Place
from evals.scenarios.keys import HANDBOOK, ScenarioKeys, TurnKeys, only
from evals.scenarios.source import Path_, Source, read_source

Keys = TypeVar("Keys", bound=BaseModel)
_AT = re.compile(r"\b(scenario|turn|expectation) #(\d+)")
_IN_LIST = {"scenario": "scenarios", "turn": "turns", "expectation": "expect"}
_SIMULATED = "a simulated caller (`persona:`) needs `x_caller:`, which says what it must ask for"
_NOT_SIMULATED = "x_caller is of a simulated caller: write `persona:`, `goal:` and `success:` instead of `turns:`"
# What is of the whole call where nobody knows its turns before; the others are of a script.
OUTCOME = ("x_retrieval", "x_says", "x_source", "x_supported", "x_refuses")


@dataclass(frozen=True)
class Scenario:
    """One conversation: what Pipecat holds, and what Jarvis adds; `turns` has the keys of each of its turns.

    A simulated caller's has no turns, but Pipecat's `simulation`, and `outcome`, the keys of an answer that hold of all
    that the bot said. `data` is the scenario's mapping with the file's defaults in it, `at` where the scenario stands
    in the file.
    """

    name: str
    file: Path
    stock: EvalScriptScenario
    keys: ScenarioKeys
    turns: tuple[TurnKeys, ...]
    data: Mapping[str, Any] = field(repr=False)
    source: Source = field(repr=False)
    at: Path_ = ()
    simulation: EvalSimulationScenario | None = None
    outcome: TurnKeys = field(default_factory=TurnKeys)

    @property
    def knowledge(self) -> Path:
        """The folder of its documents."""
        named = self.keys.x_jarvis.knowledge
        return HANDBOOK if named is None else (self.file.parent / named).resolve()

    @property
    def persona(self) -> Path | None:
        """The file of who answers; None where it is whom the settings say."""
        named = self.keys.x_jarvis.persona
        return None if named is None else (self.file.parent / named).resolve()

    def place(self, *path: str | int) -> Place:
        """Where one of its keys stands: its own, or the file's for all of them."""
        return _place(self.source, self.at, path)

    def recording(self, turn: int) -> Path | None:
        """What a spoken call plays in that turn; None where the words are to be spoken."""
        named = self.turns[turn].x_recording
        return None if named is None else (self.file.parent / named).resolve()


@dataclass(frozen=True)
class ScenarioFile:
    """A file as it was read; `named` are the names of all of its scenarios, `scenarios` those that could be read."""

    file: Path
    source: Source = field(repr=False)
    named: tuple[str, ...]
    scenarios: tuple[Scenario, ...]
    complaints: tuple[Complaint, ...]


def find(paths: list[Path]) -> list[Path]:
    """The files, and those of the folders below these; parts that others include have no name and are left out."""
    found: list[Path] = []
    for path in paths:
        below = sorted(each for suffix in ("*.yaml", "*.yml") for each in path.rglob(suffix)) if path.is_dir() else []
        found += [each for each in below if _is_named(each)] if path.is_dir() else [path]
    return list(dict.fromkeys(found))


def read(file: Path) -> ScenarioFile:
    """The file's scenarios; whatever keeps one from being read is a complaint."""
    source = read_source(file)
    complaints = list(source.complaints)
    if source.data is None and complaints:
        return ScenarioFile(file, source, (file.stem,), (), tuple(complaints))
    entries = list(_entries(source))
    stock, troubles = _loaded(file, source)
    complaints += troubles
    scenarios: list[Scenario] = []
    for (name, at, data), parsed in zip(entries, stock, strict=False):
        keys, wrong = _keys(ScenarioKeys, data, source, at, (), name)
        complaints += wrong
        if not isinstance(parsed, EvalScriptScenario):
            outcome, wrong = _keys(TurnKeys, {key: data[key] for key in OUTCOME if key in data}, source, at, (), name)
            complaints += wrong
            if "x_caller" not in data:
                complaints.append(Complaint(_place(source, at, ("persona",)), _SIMULATED, name))
            elif keys.x_caller is not None:
                script = EvalScriptScenario(name=parsed.name, turns=[])
                scenarios.append(Scenario(name, file, script, keys, (), data, source, at, parsed, outcome))
            continue
        if keys.x_caller is not None:
            complaints.append(Complaint(_place(source, at, ("x_caller",)), _NOT_SIMULATED, name))
        turns: list[TurnKeys] = []
        for number, turn in enumerate(data["turns"]):
            own, wrong = _keys(TurnKeys, turn, source, at, ("turns", number), name)
            complaints += wrong
            turns.append(own)
        scenarios.append(Scenario(name, file, parsed, keys, tuple(turns), data, source, at))
    names = tuple(name for name, _, _ in entries) or (file.stem,)
    return ScenarioFile(file, source, names, tuple(scenarios), tuple(complaints))


def _entries(source: Source) -> Iterator[tuple[str, Path_, dict[str, Any]]]:
    """Each scenario by its full name, its place in the file, and its mapping with the file's defaults."""
    if not isinstance(source.data, dict):
        return
    name, listed = source.data.get("name"), source.data.get("scenarios")
    if not isinstance(listed, list):
        yield str(name), (), source.data
        return
    defaults = {key: value for key, value in source.data.items() if key != "scenarios"}
    for number, entry in enumerate(listed):
        if isinstance(entry, dict):
            yield f"{name}/{entry.get('name')}", ("scenarios", number), {**defaults, **entry}


def _loaded(file: Path, source: Source) -> tuple[list[Any], list[Complaint]]:
    """What Pipecat makes of the file, and what it says against it; what it only warns of is wrong, too."""
    warned: list[str] = []
    with _warnings(warned):
        try:
            scenarios = EvalScenarioFile.load(file).scenarios
        except (ValueError, TypeError, AttributeError, OSError) as error:
            return [], [_complaint(str(error) or type(error).__name__, file, source, _culprit(source))]
    return scenarios, [_complaint(text, file, source, ()) for text in warned]


def _culprit(source: Source) -> Path_:
    """The place of the first scenario that Pipecat can't read by itself: its errors don't name it."""
    data = source.data
    if not isinstance(data, dict) or not isinstance(data.get("scenarios"), list):
        return ()
    with tempfile.TemporaryDirectory(prefix="jarvis-scenario-") as folder, _warnings([]):
        alone = Path(folder) / "alone.yaml"
        for number, entry in enumerate(data["scenarios"]):
            alone.write_text(yaml.safe_dump({**data, "scenarios": [entry]}), encoding="utf-8")
            try:
                EvalScenarioFile.load(alone)
            except (ValueError, TypeError, AttributeError, OSError):
                return ("scenarios", number)
    return ()


@contextmanager
def _warnings(into: list[str]) -> Iterator[None]:
    """Takes Pipecat's warnings, by log and by Python's own."""
    sink = logger.add(lambda message: into.append(message.record["message"]), level="WARNING", filter="pipecat.evals")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DeprecationWarning)
        try:
            yield
        finally:
            logger.remove(sink)
    into += [str(each.message) for each in caught if issubclass(each.category, DeprecationWarning)]


def _complaint(text: str, file: Path, source: Source, at: Path_) -> Complaint:
    path: list[str | int] = []
    for what, number in _AT.findall(text):
        path += [_IN_LIST[what], int(number)] if what != "scenario" or not at else []
    said = text.replace(f"{file}: ", "").replace(f"Found in {file}.", "").strip()
    return Complaint(_place(source, at, tuple(path)), said)


def _keys(
    model: type[Keys], data: Any, source: Source, at: Path_, below: Path_, scenario: str
) -> tuple[Keys, list[Complaint]]:
    """The keys, those that are wrong left out, so that the others can be looked at as well."""
    named = only(model, data)
    try:
        return model.model_validate(named), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        wrong = {each["loc"][0] for each in found if each["loc"]}
        good = {key: value for key, value in named.items() if key not in wrong}
        return model.model_validate(good), [
            Complaint(_place(source, at, (*below, *each["loc"])), _told(each), scenario) for each in found
        ]


def _told(error: Any) -> str:
    keys = ".".join(str(part) for part in error["loc"])
    text = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        text = "there is no such key"
    elif error["type"] == "missing":
        text = "it is missing"
    return f"{keys}: {text[:1].lower()}{text[1:]}"


def _place(source: Source, at: Path_, path: Path_) -> Place:
    """What a scenario does not have itself, it has of the file."""
    own = bool(at) and (not path or (*at, path[0]) in source.places or path[:1] not in source.places)
    return source.place(*(at if own else ()), *path)


def _is_named(file: Path) -> bool:
    source = read_source(file)
    return not isinstance(source.data, dict) or "name" in source.data
