"""Plain text: one section, no headings."""

from knowledge.types import LoadedDocument, Section


def parse_plain(text: str, title: str) -> LoadedDocument:
    """Return the text as it stands, under the given title."""
    sections = (Section((), 0, len(text)),) if text.strip() else ()
    return LoadedDocument(title, text, sections)
