from knowledge.loaders.plain import parse_plain
from knowledge.types import LoadedDocument, Section


def test_plain_text_is_one_section() -> None:
    assert parse_plain("One.\n\nTwo.", "Notes") == LoadedDocument("Notes", "One.\n\nTwo.", (Section((), 0, 10),))
