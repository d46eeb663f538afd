"""Markdown: its words without its markup, cut at its headings."""

import re
from collections.abc import Sequence
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.types import LoadedDocument, Section

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_TITLE = re.compile(r"^title:[ \t]*(.+?)[ \t]*$", re.MULTILINE)
_UNSPOKEN_HTML = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)


def parse_markdown(text: str, title: str) -> LoadedDocument:
    """Return the words of a Markdown text with a section a heading.

    The title is the front matter's, else the first heading of level one, else the given one. A level-one heading that
    is the title is not repeated in the heading paths. A table becomes a line a row, each cell after its column's name.
    """
    front_matter = _FRONT_MATTER.match(text)
    named = front_matter and _FRONT_MATTER_TITLE.search(front_matter[1])
    reader = _Reader(named[1].strip("\"'") if named else None)
    reader.read(MarkdownIt("commonmark").enable("table").parse(text[front_matter.end() if front_matter else 0 :]))
    return LoadedDocument(reader.title or title, reader.text, tuple(reader.sections()))


class _Reader:
    """Walks the tokens once, writing plain text and remembering where each heading stands in it."""

    def __init__(self, title: str | None) -> None:
        self.title = title
        self._parts: list[str] = []
        self._length = 0
        self._in_list_or_table = False
        # Heading path, start of the heading's line, start of what follows it.
        self._headings: list[tuple[tuple[str, ...], int, int]] = [((), 0, 0)]
        self._open: list[tuple[int, str]] = []

    @property
    def text(self) -> str:
        """The words read so far."""
        return "".join(self._parts)

    def read(self, tokens: Sequence[Token]) -> None:
        columns: list[str] = []
        row: list[str] = []
        for position, token in enumerate(tokens):
            kind = token.type
            if kind == "inline":
                opener = tokens[position - 1]
                words = _words(token.children or [])
                if opener.type == "heading_open":
                    self._heading(int(opener.tag[1:]), words)
                elif opener.type in ("th_open", "td_open"):
                    row.append(words)
                else:
                    self._block(words, tight=opener.hidden)
            elif kind in ("fence", "code_block"):
                self._block(token.content.rstrip())
            elif kind == "html_block":
                self._block(_without_tags(token.content).strip())
            elif kind == "thead_close":
                columns, row = row, []
            elif kind == "tr_close" and columns:
                self._block(_table_row(columns, row), tight=True)
                row = []
            elif kind == "table_close":
                columns = []

    def sections(self) -> list[Section]:
        """Return the spans that hold words; a heading with nothing under it, not even a heading, is its own text."""
        text = self.text
        ends = [start for _, start, _ in self._headings[1:]] + [len(text)]
        paths = [path for path, _, _ in self._headings[1:]] + [()]
        found = []
        for (path, heading_start, start), end, next_path in zip(self._headings, ends, paths, strict=True):
            if text[start:end].strip():
                found.append(Section(path, start, end))
            elif path and next_path[: len(path)] != path:
                found.append(Section(path, heading_start, end))
        return found

    def _heading(self, level: int, words: str) -> None:
        if not words:
            return
        if level == 1 and self.title in (None, words):
            self.title = words
            self._open = []
        else:
            self._open = [(other, name) for other, name in self._open if other < level] + [(level, words)]
        start = self._block(words)
        self._headings.append((tuple(name for _, name in self._open), start, self._length))

    def _block(self, words: str, *, tight: bool = False) -> int:
        """Append a block and return where it starts; items of a tight list and rows of a table stand line by line."""
        if words:
            gap = "\n" if tight and self._in_list_or_table else "\n\n"
            self._append(gap if self._length else "")
            self._in_list_or_table = tight
        start = self._length
        self._append(words)
        return start

    def _append(self, words: str) -> None:
        self._parts.append(words)
        self._length += len(words)


def _words(children: Sequence[Token]) -> str:
    """Return what an inline token says: links and images by their words, without tags."""
    parts = []
    for child in children:
        if child.type in ("text", "code_inline"):
            parts.append(child.content)
        elif child.type == "image":
            parts.append(_words(child.children or []))
        elif child.type in ("softbreak", "hardbreak") or (child.type == "html_inline" and "<br" in child.content):
            parts.append(" ")
    return " ".join("".join(parts).split())


def _without_tags(html: str) -> str:
    return unescape(_UNSPOKEN_HTML.sub("", html))


def _table_row(columns: Sequence[str], cells: Sequence[str]) -> str:
    named = [f"{column}: {cell}" if column else cell for column, cell in zip(columns, cells, strict=False) if cell]
    return ", ".join(named)
