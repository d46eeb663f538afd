"""SQL as files: statements by their name, and the migrations that make the tables they need.

A package of SQL holds `queries.sql` and a folder `migrations` of numbered files. This one is the knowledge's; another
one may keep its tables in the same database in the same way.
"""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- ([a-z_]+) --$", re.MULTILINE)

KNOWLEDGE = __name__


@cache
def queries(package: str = KNOWLEDGE) -> dict[str, LiteralString]:
    """The statements of the package's queries.sql, each under the name in the line above it."""
    parts = _NAME.split(files(package).joinpath("queries.sql").read_text(encoding="utf-8"))
    # These files are part of the code, so what they hold is as literal as what the code holds.
    return {name: cast(LiteralString, text.strip()) for name, text in zip(parts[1::2], parts[2::2], strict=True)}


@cache
def migrations(package: str = KNOWLEDGE) -> dict[str, LiteralString]:
    """The package's migrations in the order in which they are applied, each under its file's name."""
    found = [each for each in files(package).joinpath("migrations").iterdir() if each.name.endswith(".sql")]
    return {
        each.name.removesuffix(".sql"): cast(LiteralString, each.read_text(encoding="utf-8"))
        for each in sorted(found, key=lambda file: file.name)
    }
