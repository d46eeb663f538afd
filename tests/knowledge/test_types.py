import json
from datetime import date
from uuid import UUID

import pytest

from knowledge.types import LegScore, Passage, page_of

PASSAGE = Passage(
    UUID(int=7), "/docs/a.md", "Refunds", ("Shoes", "Deadline"), "Thirty days.", 10, 22, score=0.5, similarity=-0.25
)
FULL = Passage(
    UUID(int=7),
    "https://example.com/ä",
    "Refunds",
    (),
    "Thirty days.",
    10,
    22,
    score=0.5,
    similarity=None,
    page=3,
    effective_date=date(2030, 1, 2),
    legs={"words": LegScore(7.5, 1.0)},
)


@pytest.mark.parametrize("passage", [PASSAGE, FULL], ids=["without", "with all that may be there"])
def test_a_passage_survives_the_wire(passage: Passage) -> None:
    assert Passage.from_dict(json.loads(json.dumps(passage.to_dict()))) == passage


@pytest.mark.parametrize(("offset", "page"), [(0, 1), (9, 1), (10, 2), (25, 3), (900, 3)])
def test_a_character_stands_on_the_page_that_begins_last_before_it(offset: int, page: int) -> None:
    assert page_of(offset, (0, 10, 20)) == page


def test_a_format_without_pages_has_no_page() -> None:
    assert page_of(7, ()) is None
