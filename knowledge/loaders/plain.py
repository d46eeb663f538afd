"""Plain text: one section, no headings."""

from knowledge.loaders.builder import DocumentBuilder
from knowledge.types import LoadedDocument


def parse_plain(text: str, title: str) -> LoadedDocument:
    """Return the text as it stands, under the given title."""
    builder = DocumentBuilder()
    builder.paragraph(text)
    return builder.build(title)
