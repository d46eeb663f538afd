import json
from uuid import UUID

from knowledge.types import Passage


def test_a_passage_survives_the_wire() -> None:
    passage = Passage(
        UUID(int=7), "/docs/a.md", "Refunds", ("Shoes", "Deadline"), "Thirty days.", 10, 22, score=0.5, similarity=-0.25
    )
    assert Passage.from_dict(json.loads(json.dumps(passage.to_dict()))) == passage
