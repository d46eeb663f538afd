"""The file of an operator's tools: YAML, read with the line of each mistake."""

import re
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.tools.settings import HttpTool

Place = tuple[str | int, ...]
_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_DEPTH = 12


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    tools: tuple[HttpTool, ...]


def parsed(text: str, *, variables: Mapping[str, str]) -> tuple[HttpTool, ...]:
    """The tools of the file; `${NAME}` in a URL or a header is the value of that variable.

    Raises `ValueError` that names each line that is wrong, and why; no value of a variable is in it.
    """
    lines: dict[Place, int] = {(): 1}
    wrong: list[tuple[int, str]] = []
    data = _read(text, lines, wrong)
    if not wrong:
        _fill(data, variables, lines, wrong)
    tools: tuple[HttpTool, ...] = ()
    if not wrong:
        try:
            tools = _File.model_validate(data).tools
        except ValidationError as error:
            wrong += _complaints(error, lines)
    names = [tool.name for tool in tools]
    wrong += [
        (_line(lines, ("tools", n, "name")), f"a tool {name} was there before")
        for n, name in enumerate(names)
        if name in names[:n]
    ]
    if wrong:
        raise ValueError("; ".join(f"line {line}: {what}" for line, what in sorted(wrong)))
    return tools


def _read(text: str, lines: dict[Place, int], wrong: list[tuple[int, str]]) -> Any:
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            wrong.append((1, "it holds no tools; begin with `tools:`"))
            return None
        _walk(node, (), lines, wrong)
        return None if wrong else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        wrong.append((line, f"this is no YAML ({error.problem or error.context})"))
    except yaml.YAMLError:
        wrong.append((1, "this is no YAML"))
    finally:
        loader.dispose()
    return None


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], wrong: list[tuple[int, str]]) -> None:
    if len(place) > _DEPTH:
        wrong.append((node.start_mark.line + 1, "this is nested too deep"))
        return
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[*place, number] = item.start_mark.line + 1
            _walk(item, (*place, number), lines, wrong)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                wrong.append((line, f"{name} stands twice"))
            seen.add(name)
            lines[*place, name] = line
            _walk(value, (*place, name), lines, wrong)


def _fill(data: Any, variables: Mapping[str, str], lines: Mapping[Place, int], wrong: list[tuple[int, str]]) -> None:
    """Puts variables' values into URLs and headers."""
    tools = data.get("tools") if isinstance(data, dict) else None
    for number, tool in enumerate(tools if isinstance(tools, list) else []):
        if not isinstance(tool, dict):
            continue
        headers = tool.get("headers")
        for holder, place in ((tool, ("tools", number)), (headers, ("tools", number, "headers"))):
            if not isinstance(holder, dict):
                continue
            for name in ("url",) if holder is tool else list(holder):
                value = holder.get(name)
                if isinstance(value, str):
                    line = _line(lines, (*place, str(name)))
                    missing = [each for each in _VARIABLE.findall(value) if not variables.get(each)]
                    wrong += [(line, f"the variable {each or 'without a name'} is not set") for each in missing]
                    holder[name] = _VARIABLE.sub(lambda match: variables.get(match[1], ""), value)


def _complaints(error: ValidationError, lines: Mapping[Place, int]) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        place, kind = each["loc"], each["type"]
        name = next((str(part) for part in reversed(place) if isinstance(part, str)), "the file")
        message = {
            "extra_forbidden": f"{name} is not known here",
            "missing": f"{name} is missing",
        }.get(kind, f"{name}: {each['msg'].removeprefix('Value error, ')}")
        found.append((_line(lines, place), message))
    return found


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """Where that stands; what it stands in where it is not written itself."""
    return next(lines[place[:length]] for length in range(len(place), -1, -1) if place[:length] in lines)
