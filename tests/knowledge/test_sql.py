import re
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

import knowledge
from knowledge.sql import queries

CODE = "\n".join(path.read_text() for path in Path(knowledge.__path__[0]).rglob("*.py"))
QUERIES = files("knowledge.sql").joinpath("queries.sql").read_text()


@pytest.mark.parametrize("name", queries())
def test_every_query_is_used(name: str) -> None:
    assert f'"{name}"' in CODE


def test_no_two_queries_have_one_name() -> None:
    names = Counter(re.findall(r"^-- ([a-z_]+) --$", QUERIES, re.MULTILINE))
    assert [name for name, times in names.items() if times > 1] == []
