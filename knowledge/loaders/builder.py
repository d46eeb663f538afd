"""Plain text, written block by block, with the places where its headings and pages begin."""

from collections.abc import Iterable, Sequence
from datetime import date
from itertools import zip_longest

from knowledge.loaders.encoding import storable
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument, Section

MAX_CHARS = 5_000_000
# A longer one is no heading but a paragraph that is marked up as one.
MAX_HEADING_CHARS = 300
_SENTENCE_ENDS = (".", "!", "?")


class DocumentBuilder:
    """Writes one document; every method takes plain words without markup and raises Refusal at the text limit.

    A level-one heading that is the title is not repeated in the heading paths; without a title, the first level-one
    heading is it.
    """

    def __init__(self, *, title: str | None = None) -> None:
        self._title = storable(title)[:MAX_HEADING_CHARS] if title else None
        self._parts: list[str] = []
        self._length = 0
        self._after_line = False
        # Heading path, start of the heading's line, start of what follows it.
        self._headings: list[tuple[tuple[str, ...], int, int]] = [((), 0, 0)]
        self._open: list[tuple[int, str]] = []
        self._page_starts: list[int] = []
        self._new_pages = 0

    def heading(self, level: int, words: str) -> None:
        """Open a section; `level` counts from 1, the highest."""
        words = storable(words).strip()
        if len(words) > MAX_HEADING_CHARS:
            self.paragraph(words)
        elif words:
            self._open_section(level, words)

    def paragraph(self, words: str) -> None:
        """Write a block that stands apart from the others."""
        self._block(words, tight=False)

    def line(self, words: str) -> None:
        """Write an item of a list or a row of a table, right below the one before it."""
        self._block(words, tight=True)

    def row(self, columns: Sequence[str], cells: Sequence[str]) -> None:
        """Write a row of a table as a line, each cell after its column's name; empty cells are left out."""
        named = (
            f"{column}: {cell}" if column else cell
            for column, cell in zip_longest(columns, cells, fillvalue="")
            if cell
        )
        self.line(enumerated(named))

    def extend(self, words: str) -> None:
        """Write on in the last block, without a gap."""
        self._append(storable(words))

    def page(self) -> None:
        """Let a page begin with the word that is written next."""
        self._new_pages += 1

    def build(self, title: str, *, effective_date: date | None = None) -> LoadedDocument:
        """Return the document, under the given title where it has none of its own."""
        page_starts = (*self._page_starts, *[self._length] * self._new_pages)
        return LoadedDocument(
            title=self._title or title,
            text="".join(self._parts),
            sections=tuple(self._sections()),
            page_starts=page_starts,
            effective_date=effective_date,
        )

    def _open_section(self, level: int, words: str) -> None:
        if level == 1 and self._title in (None, words):
            self._title = words
            self._open = []
        else:
            self._open = [(other, name) for other, name in self._open if other < level] + [(level, words)]
        start = self._block(words, tight=False)
        self._headings.append((tuple(name for _, name in self._open), start, self._length))

    def _block(self, words: str, *, tight: bool) -> int:
        """Write a block and return where it starts; only lines stand without an empty line between them."""
        words = storable(words)
        if words:
            gap = "\n" if tight and self._after_line else "\n\n"
            self._after_line = tight
            if self._length:
                self._parts.append(gap)
                self._length += len(gap)
        start = self._length
        self._append(words)
        return start

    def _append(self, words: str) -> None:
        if words:
            self._page_starts += [self._length] * self._new_pages
            self._new_pages = 0
        self._parts.append(words)
        self._length += len(words)
        if self._length > MAX_CHARS:
            raise Refusal(f"it holds more than {MAX_CHARS:,} characters of text; split it into several files.")

    def _sections(self) -> list[Section]:
        """Return the spans that hold words; a heading with nothing under it, not even a heading, is its own text."""
        text = "".join(self._parts)
        ends = [start for _, start, _ in self._headings[1:]] + [len(text)]
        paths = [path for path, _, _ in self._headings[1:]] + [()]
        found = []
        for (path, heading_start, start), end, next_path in zip(self._headings, ends, paths, strict=True):
            if text[start:end].strip():
                found.append(Section(path, start, end))
            elif path and next_path[: len(path)] != path:
                found.append(Section(path, heading_start, end))
        return found


def enumerated(parts: Iterable[str]) -> str:
    """Return the parts in one line, with commas between them but after a part that is a sentence."""
    line = ""
    for part in parts:
        line += f"{' ' if line.endswith(_SENTENCE_ENDS) else ', '}{part}" if line else part
    return line
