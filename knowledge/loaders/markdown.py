"""Markdown: its words without its markup, cut at its headings."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from html import unescape

from markdown_it import MarkdownIt
from markdown_it.token import Token

from knowledge.loaders.builder import DocumentBuilder
from knowledge.loaders.dates import parse_date
from knowledge.types import LoadedDocument

_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n(?:---|\.\.\.)(?:\n|\Z)", re.DOTALL)
_FRONT_MATTER_FIELD = re.compile(r"^([A-Za-z][\w-]*):[ \t]*(.+?)[ \t]*$", re.MULTILINE)
# The first that is there counts.
_DATE_FIELDS = ("effective_date", "effective", "valid_from", "updated", "last_updated", "last_modified", "date")
_UNSPOKEN_HTML = re.compile(r"<!--.*?-->|<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL | re.IGNORECASE)


def parse_markdown(text: str, title: str) -> LoadedDocument:
    """Return the words of a Markdown text with a section a heading.

    The title is the front matter's, else the first heading of level one, else the given one. A level-one heading that
    is the title is not repeated in the heading paths. A table becomes a line a row, each cell after its column's name.
    The effective date is the front matter's.
    """
    front_matter = _FRONT_MATTER.match(text)
    fields = _fields(front_matter[1]) if front_matter else {}
    builder = DocumentBuilder(title=fields.get("title"))
    tokens = MarkdownIt("commonmark").enable("table").parse(text[front_matter.end() if front_matter else 0 :])
    _write(tokens, builder)
    return builder.build(title, effective_date=_effective_date(fields))


def _fields(front_matter: str) -> dict[str, str]:
    """Return the front matter's one-line fields, named in lower case with `_` between words."""
    found = _FRONT_MATTER_FIELD.findall(front_matter)
    return {name.lower().replace("-", "_"): value.strip("\"'") for name, value in reversed(found)}


def _effective_date(fields: Mapping[str, str]) -> date | None:
    days = (parse_date(fields[name]) for name in _DATE_FIELDS if name in fields)
    return next((day for day in days if day), None)


def _write(tokens: Sequence[Token], builder: DocumentBuilder) -> None:
    columns: list[str] = []
    row: list[str] = []
    for position, token in enumerate(tokens):
        kind = token.type
        if kind == "inline":
            opener = tokens[position - 1]
            words = _words(token.children or [])
            if opener.type == "heading_open":
                builder.heading(int(opener.tag[1:]), words)
            elif opener.type in ("th_open", "td_open"):
                row.append(words)
            elif opener.hidden:
                builder.line(words)
            else:
                builder.paragraph(words)
        elif kind in ("fence", "code_block"):
            builder.paragraph(token.content.rstrip())
        elif kind == "html_block":
            builder.paragraph(_without_tags(token.content).strip())
        elif kind == "thead_close":
            columns, row = row, []
        elif kind == "tr_close" and columns:
            builder.row(columns, row)
            row = []
        elif kind == "table_close":
            columns = []


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
