"""The sentences of a passage, fit to be read aloud."""

import re
from dataclasses import dataclass

from pipecat.utils.string import match_endofsentence

_LIST_MARK = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_LABEL = re.compile(r"^[A-Z][^:.!?]{0,40}: \S")
_RULE = re.compile(r"^[\s|:*_-]+$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_EMPHASIS = re.compile(r"(\*\*|__|\*|`|~~)(?=\S)(.+?)(?<=\S)\1")

# A line shorter than this was not wrapped: a capital on the next begins a new block.
WRAPPED_CHARS = 60


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it will be spoken, and the passage's number it stands in."""

    text: str
    number: int
    position: int


def sentences(text: str, *, number: int) -> list[Sentence]:
    """The passage's sentences in order, without Markdown; headings and table rules are left out."""
    found: list[str] = []
    for block in _blocks(text):
        rest = block
        while rest:
            end = match_endofsentence(rest) or len(rest)
            if sentence := rest[:end].strip():
                found.append(sentence)
            rest = rest[end:].lstrip()
    return [Sentence(text=s, number=number, position=i) for i, s in enumerate(found)]


def _blocks(text: str) -> list[str]:
    """Paragraphs, list items and table rows ("Column: cell, Column: cell" or "| cell | cell |"), each on one line."""
    blocks: list[str] = []
    open_paragraph = False
    before = ""
    for line in text.splitlines():
        if not line.strip() or _HEADING.match(line) or _RULE.match(line):
            open_paragraph = False
            continue
        item = bool(_LIST_MARK.match(line))
        row = line.strip().startswith("|")
        words = _plain(_row(line) if row else _LIST_MARK.sub("", line).strip())
        listed = bool(_LABEL.match(line)) or (len(before) < WRAPPED_CHARS and words[:1].isupper())
        if item or row or listed or not open_paragraph:
            blocks.append(words)
        else:
            blocks[-1] = f"{blocks[-1]} {words}"
        open_paragraph, before = not row, line
    return [block if block[-1:] in ".!?:" else f"{block}." for block in blocks if block]


def _row(line: str) -> str:
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def _plain(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    while (plain := _EMPHASIS.sub(r"\2", text)) != text:
        text = plain
    return text
