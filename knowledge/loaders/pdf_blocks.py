"""Lines of a PDF, joined to the headings, paragraphs and lines that they were set from."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from knowledge.loaders.pdf_lines import Line

_BULLET = re.compile(r"^[•‣◦▪▫●○■□➢➤✓✔\uf0b7\uf0a7\uf0d8\u2043\u2219·–—*-]\s+")
_NUMBERED = re.compile(r"^(?:\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_SENTENCE_END = re.compile(r"[.!?:;][\"'”’)\]]*$")
_CUT_WORD = re.compile(r"([^\W\d_]+)[-\u2010\xad\x02]$")
_FIRST_WORD = re.compile(r"^[^\W\d_]+")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
# How many usual line distances begin a new paragraph.
_PARAGRAPH_PITCH = 1.35
_SAME_SIZE = 1.0
# The average width of a character, in type sizes, that only gaps bring about.
_SPREAD = 0.8


@dataclass
class Block:
    """A heading of a level above 0, else a paragraph or, where `tight`, a line; its words by the page they stand on."""

    level: int
    tight: bool
    pieces: list[tuple[int, str]] = field(default_factory=list)


def blocks(lines: Sequence[Line], levels: Mapping[int, int]) -> list[Block]:
    """Return the blocks in reading order; `levels` are those of the headings, by the number of their line."""
    pitch = _usual_pitch(lines)
    rights = _column_rights(lines)
    vocabulary = {word.casefold() for line in lines for word in _WORD.findall(line.text)}
    found: list[Block] = []
    for number, line in enumerate(lines):
        level = levels.get(number, 0)
        before = lines[number - 1] if number else None
        follows = before is not None and levels.get(number - 1, 0) == level
        bullet = None if level else _BULLET.match(line.text)
        if before and follows and not bullet and _continues(before, line, bool(level), pitch, rights):
            _join(found[-1], line, vocabulary)
        else:
            text = line.text[bullet.end() :] if bullet else line.text
            below = not level and follows and before is not None and _is_below(before, line, pitch)
            if below and (len(found) < 2 or not found[-2].tight):
                found[-1].tight = True
            tight = below or bool(bullet) or bool(_NUMBERED.match(line.text))
            found.append(Block(level, tight, [(line.page, text)]))
    return found


def _continues(before: Line, line: Line, heading: bool, pitch: float, rights: Mapping[tuple[int, int], float]) -> bool:
    """Tell whether a line goes on with the words of the one before it."""
    if abs(line.size - before.size) > _SAME_SIZE:
        return False
    step = line.top - before.top
    if heading:
        return line.page == before.page and -before.size / 2 < step < line.size * _PARAGRAPH_PITCH * 1.2
    if _NUMBERED.match(line.text) or _is_spread(before) or _is_spread(line):
        return False
    open_ended = not _SENTENCE_END.search(before.text)
    if line.page != before.page or step < -before.size / 2:
        return open_ended and (line.text[:1].islower() or bool(_CUT_WORD.search(before.text)))
    if step < before.size / 2:
        return True
    if _CUT_WORD.search(before.text) and line.text[:1].islower():
        return step <= pitch * _PARAGRAPH_PITCH
    return step <= pitch * _PARAGRAPH_PITCH and not _is_deliberate(before, line, rights)


def _is_spread(line: Line) -> bool:
    """Tell a line with gaps between its words, as a row of a table has."""
    return line.right - line.left > _SPREAD * line.size * len(line.text)


def _is_deliberate(before: Line, line: Line, rights: Mapping[tuple[int, int], float]) -> bool:
    """Tell whether a line was broken although its next word had room, as rows, addresses and last lines are."""
    words = line.text.split(" ", 1)[0]
    width = (line.right - line.left) * (len(words) + 1) / max(len(line.text), 1)
    edge = max(rights.get(_column(each), 0.0) for each in (before, line))
    return before.right + width + before.size / 2 < edge


def _is_below(before: Line, line: Line, pitch: float) -> bool:
    """Tell whether a block stands right below an unfinished one, as rows and addresses do."""
    near = line.page == before.page and 0 < line.top - before.top <= pitch * _PARAGRAPH_PITCH
    return near and not _SENTENCE_END.search(before.text)


def _join(block: Block, line: Line, vocabulary: set[str]) -> None:
    page, words = block.pieces[-1]
    cut, rest = _CUT_WORD.search(words), _FIRST_WORD.match(line.text)
    if cut and rest and rest[0][0].islower():
        whole, hyphenated = f"{cut[1]}{rest[0]}".casefold(), f"{cut[1]}-{rest[0]}".casefold()
        keeps_hyphen = hyphenated in vocabulary and whole not in vocabulary
        words = f"{words[:-1]}-" if keeps_hyphen else words[:-1]
    else:
        words += " "
    if line.page == page:
        block.pieces[-1] = (page, words + line.text)
    else:
        block.pieces[-1:] = [(page, words), (line.page, line.text)]


def _usual_pitch(lines: Sequence[Line]) -> float:
    """Return the distance from one line of body text to the next, in points."""
    steps = [
        line.top - before.top
        for before, line in pairwise(lines)
        if before.page == line.page and before.size / 2 < line.top - before.top < before.size * 3
    ]
    return median(steps) if steps else 0.0


def _column(line: Line) -> tuple[int, int]:
    return line.page, round(line.left / 10)


def _column_rights(lines: Sequence[Line]) -> dict[tuple[int, int], float]:
    """Return how far right the lines of running text reach that begin at the same place of a page."""
    rights: dict[tuple[int, int], float] = {}
    for line in (line for line in lines if not _is_spread(line)):
        rights[_column(line)] = max(rights.get(_column(line), 0.0), line.right)
    return rights
