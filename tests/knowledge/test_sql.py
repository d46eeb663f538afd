from pathlib import Path

import pytest

import knowledge
from knowledge.sql import queries

CODE = "\n".join(path.read_text() for path in Path(knowledge.__path__[0]).rglob("*.py"))


@pytest.mark.parametrize("name", queries())
def test_every_query_is_used(name: str) -> None:
    assert f'"{name}"' in CODE
