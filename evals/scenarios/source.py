"""A scenario file as it is written: its values, and the line of each."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from pipecat.utils.yaml import include_loader

from evals.scenarios.errors import Complaint, Place

# Where a value stands in the file: keys and list places from the top.
Path_ = tuple[str | int, ...]
_INT = "tag:yaml.org,2002:int"
_MERGE = "tag:yaml.org,2002:merge"
_NESTED = 100


class _Loader(yaml.SafeLoader):
    """Reads numbers as Pipecat's scenario loader does: plain decimals alone, so that `012` stays as it is."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _INT]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_INT, re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))


@dataclass
class Source:
    """What a file holds; `places` has the line of each key and item, `data` is None where it can't be read."""

    file: Path
    data: Any = None
    places: dict[Path_, Place] = field(default_factory=dict)
    complaints: list[Complaint] = field(default_factory=list)

    def place(self, *path: str | int) -> Place:
        """Where that stands; what it stands in where it is not written itself."""
        for length in range(len(path), -1, -1):
            if found := self.places.get(path[:length]):
                return found
        return Place(self.file, 1)


def read_source(file: Path) -> Source:
    """The file's values and lines; what keeps it from being read, and keys that are written twice, as complaints."""
    source = Source(file)
    loader = include_loader(file.parent, base=_Loader)
    try:
        text = file.read_text(encoding="utf-8")
        node = yaml.compose(text, loader)
        # The loader reads nothing but what a SafeLoader does.
        source.data = yaml.load(text, loader)  # noqa: S506
        if node is not None:
            source.places[()] = Place(file, node.start_mark.line + 1)
            _walk(source, node, (), file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        source.data = None
        source.complaints.append(_unreadable(file, error))
    return source


def _walk(source: Source, node: yaml.Node, path: Path_, file: Path) -> None:
    if len(path) > _NESTED:
        raise RecursionError
    if isinstance(node, yaml.ScalarNode) and node.tag == "!include":
        included = source.file.parent / str(node.value)
        inner = yaml.compose(included.read_text(encoding="utf-8"), include_loader(source.file.parent, base=_Loader))
        if inner is not None:
            _walk(source, inner, path, included)
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            source.places.setdefault((*path, number), Place(file, item.start_mark.line + 1))
            _walk(source, item, (*path, number), file)
    elif isinstance(node, yaml.MappingNode):
        _walk_mapping(source, node, path, file)


def _walk_mapping(source: Source, node: yaml.MappingNode, path: Path_, file: Path) -> None:
    seen: dict[str, int] = {}
    merged: list[yaml.Node] = []
    for key, value in node.value:
        if key.tag == _MERGE:
            merged += value.value if isinstance(value, yaml.SequenceNode) else [value]
            continue
        name, line = str(key.value), key.start_mark.line + 1
        if name in seen:
            text = f"{name!r} stands twice here, first in line {seen[name]}; only the last one counts"
            source.complaints.append(Complaint(Place(file, line), text))
        seen[name] = line
        source.places.setdefault((*path, name), Place(file, line))
        _walk(source, value, (*path, name), file)
    # What is written beside a merge goes before what it brings.
    for each in merged:
        _walk(source, each, path, file)


def _unreadable(file: Path, error: Exception) -> Complaint:
    match error:
        case yaml.MarkedYAMLError(problem_mark=mark) if mark is not None:
            return Complaint(Place(file, mark.line + 1), f"this is no YAML: {error.problem or error.context}")
        case yaml.YAMLError():
            return Complaint(Place(file, 1), "this is no YAML")
        case UnicodeDecodeError():
            line = error.object[: error.start].count(b"\n") + 1
            return Complaint(Place(file, line), "this is no UTF-8")
        case FileNotFoundError(filename=missing) if missing and Path(missing) != file:
            return Complaint(Place(file, 1), f"it includes {missing}, which is missing")
        case OSError():
            return Complaint(Place(file, 1), f"it can't be read: {error.strerror}")
        case _:
            return Complaint(Place(file, 1), "it is nested too deep")


def keys_of(data: Any) -> Iterator[tuple[str, Any]]:
    """The keys and values of what may be a mapping."""
    if isinstance(data, dict):
        yield from ((str(key), value) for key, value in data.items())
