"""The sentences of a passage, fit to be read aloud."""

import re
from dataclasses import dataclass

from pipecat.utils.string import match_endofsentence

_LIST_MARK = re.compile(r"^\s*(?:[-*+•]|\d{1,3}[.)])\s+")
_HEADING = re.compile(r"^\s{0,3}#{1,6}\s")
_LABEL = re.compile(r"^[A-Z][^:.!?]{0,40}: \S")
_RULE = re.compile(r"^[\s|:*_-]+$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_CODE_SIGN = re.compile(r"[{}<>=\\;]|\w_\w|\w\(|\"\s?[:,]")
_EMPHASIS = re.compile(r"(\*\*|__|\*|(?<!`)`(?!`)|~~)(?=\S)(.+?)(?<=\S)\1(?!`)")

# A line shorter than this was not wrapped: a capital on the next begins a new block.
WRAPPED_CHARS = 60
# Signs of a program that a line of one has at least, by its length.
CODE_SIGNS = 0.05


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence as it will be spoken, the passage's number it stands in, and its place among that one's sentences.

    `lead_in` is the place of the sentence that introduces the list it is an item of: "Please bring:".
    """

    text: str
    number: int
    position: int
    lead_in: int | None = None


@dataclass(slots=True)
class _Block:
    """A paragraph, a list item or a table row on one line; `follows` says that no empty line is before it."""

    text: str
    is_item: bool
    follows: bool


def sentences(text: str, *, number: int) -> list[Sentence]:
    """The passage's sentences in order, without Markdown; headings, table rules and programs are left out."""
    found: list[Sentence] = []
    lead_in: int | None = None
    for block in _blocks(text):
        introduced = found and found[-1].text.endswith(":") and found[-1].lead_in is None
        if introduced:
            lead_in = found[-1].position
        elif not (block.is_item or block.follows):
            lead_in = None
        rest = block.text
        while rest:
            end = match_endofsentence(rest) or len(rest)
            if sentence := rest[:end].strip():
                found.append(Sentence(sentence, number, len(found), lead_in))
            rest = rest[end:].lstrip()
    return found


def _is_code(line: str) -> bool:
    """Whether a line is of a program rather than of a text, and says nothing when read aloud."""
    return "```" in line or len(_CODE_SIGN.findall(line)) >= CODE_SIGNS * len(line.strip())


def _blocks(text: str) -> list[_Block]:
    """Paragraphs, list items and table rows ("Column: cell, Column: cell" or "| cell | cell |")."""
    blocks: list[_Block] = []
    open_paragraph = follows = in_list = False
    before = ""
    for line in text.splitlines():
        if not line.strip() or _HEADING.match(line) or _RULE.match(line) or _is_code(line):
            open_paragraph = follows = in_list = False
            continue
        item = bool(_LIST_MARK.match(line))
        row = line.strip().startswith("|")
        words = _plain(_row(line) if row else _LIST_MARK.sub("", line).strip())
        introduced = before.rstrip().endswith(":")
        in_list = in_list or introduced
        whole = len(before) < WRAPPED_CHARS and (words[:1].isupper() or in_list)
        if item or row or introduced or whole or _LABEL.match(line) or not open_paragraph:
            blocks.append(_Block(words, item, follows))
        else:
            blocks[-1].text = f"{blocks[-1].text} {words}"
        open_paragraph, follows, before = not row, True, line
    for block in blocks:
        block.text += "" if block.text[-1:] in ".!?:" else "."
    return [block for block in blocks if block.text != "."]


def _row(line: str) -> str:
    return ", ".join(cell.strip() for cell in line.strip().strip("|").split("|") if cell.strip())


def _plain(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    while (plain := _EMPHASIS.sub(r"\2", text)) != text:
        text = plain
    return text
