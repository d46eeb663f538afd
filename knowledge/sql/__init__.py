"""The SQL of the knowledge package, loaded by name."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)


def _read(file_name: str) -> LiteralString:
    # These files are part of the code, so what they hold is as literal as what the code holds.
    return cast(LiteralString, files(__name__).joinpath(file_name).read_text(encoding="utf-8"))


@cache
def schema() -> LiteralString:
    """Return the statements that create whatever of the schema is missing."""
    return _read("schema.sql")


@cache
def queries() -> dict[str, LiteralString]:
    """Return the statements of queries.sql, each under the name in the line above it."""
    parts = _NAME.split(_read("queries.sql"))
    return {name: cast(LiteralString, text.strip()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}
