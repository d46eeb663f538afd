"""Which lines of a PDF are headings and which only run along its pages."""

import re
from collections import Counter
from collections.abc import Sequence

from knowledge.loaders.pdf_lines import Line, OutlineEntry, Pages

_MARGIN_SHARE = 0.12
# A margin's line that stands on so many pages, and on such a share of them, is a running one.
_RUNNING_PAGES, _RUNNING_SHARE = 3, 0.4
_LARGER_BY = 1.12
_MAX_LEVEL = 6
_MAX_LARGE_CHARS, _MAX_BOLD_CHARS = 200, 90
# Sizes and weights that hold more of the text than this are those of body text.
_MAX_HEADING_SHARE = 0.25
_MIN_OUTLINE_SHARE = 0.5
_OUTLINE_PAGES_OFF = 1
_DIGITS = re.compile(r"\d+")
_NOT_WORD = re.compile(r"[\W_]+")
_LETTER = re.compile(r"[^\W\d_]")
_PAGE_NUMBER = re.compile(r"^\W*(?:page\s+)?(?:\d{1,4}|[ivxlc]+)(?:\s*(?:of|/)\s*\d{1,4})?\W*$", re.IGNORECASE)
_LEADERS = re.compile(r"(?:\.\s?){4,}\s*[\divxlc]+\s*$", re.IGNORECASE)
_TOOL_TITLE = re.compile(r"^microsoft \w+ - |^untitled|\.\w{2,5}$|^\W*$", re.IGNORECASE)


def body_lines(pages: Pages) -> list[Line]:
    """Return the lines without running headers and footers, page numbers and the entries of a printed contents list."""
    on_pages: dict[tuple[str, int], set[int]] = {}
    for line in pages.lines:
        if _is_in_margin(line, pages):
            on_pages.setdefault(_running_key(line), set()).add(line.page)
    least = max(_RUNNING_PAGES, _RUNNING_SHARE * len(pages.heights))

    def is_body(line: Line) -> bool:
        if _is_in_margin(line, pages):
            return len(on_pages[_running_key(line)]) < least and not _PAGE_NUMBER.search(line.text)
        return not _LEADERS.search(line.text)

    return [line for line in pages.lines if is_body(line)]


def heading_levels(lines: Sequence[Line], outline: Sequence[OutlineEntry]) -> dict[int, int]:
    """Return each heading's level, from 1, by the number of its line: by the outline where it fits, else by type."""
    return _by_outline(lines, outline) or _by_type(lines)


def document_title(metadata: str, lines: Sequence[Line]) -> str | None:
    """Return the title in the metadata unless a program made it up, else the one heading larger than all others.

    None where there is neither, as when all chapters are set alike.
    """
    title = " ".join(metadata.split())
    if title and len(title) <= _MAX_LARGE_CHARS and not _TOOL_TITLE.search(title):
        return title
    levels = _by_type(lines)
    if not levels:
        return None
    largest = _rounded(max(lines[number].size for number in levels))
    numbers = [number for number in levels if _rounded(lines[number].size) == largest]
    alone = numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    return " ".join(lines[number].text for number in numbers) if alone and lines[numbers[0]].page == 0 else None


def _is_in_margin(line: Line, pages: Pages) -> bool:
    height = pages.heights[line.page]
    return line.bottom < height * _MARGIN_SHARE or line.top > height * (1 - _MARGIN_SHARE)


def _running_key(line: Line) -> tuple[str, int]:
    return _DIGITS.sub("#", line.text.casefold()), round(line.size)


def _by_outline(lines: Sequence[Line], outline: Sequence[OutlineEntry]) -> dict[int, int]:
    """Match the outline's entries to lines near the pages that they point to; nothing when too few match."""
    levels: dict[int, int] = {}
    by_words: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        by_words.setdefault(_NOT_WORD.sub("", line.text.casefold()), []).append(number)
    matched = 0
    for entry in outline:
        words = _NOT_WORD.sub("", entry.title.casefold())
        near = [
            number
            for number in by_words.get(words, ())
            if entry.page is None or abs(lines[number].page - entry.page) <= _OUTLINE_PAGES_OFF
        ]
        if words and near:
            matched += 1
            largest = max(near, key=lambda number: lines[number].size)
            levels.setdefault(largest, min(entry.level, _MAX_LEVEL))
    return levels if matched > 1 and matched >= len(outline) * _MIN_OUTLINE_SHARE else {}


def _by_type(lines: Sequence[Line]) -> dict[int, int]:
    chars: Counter[float] = Counter()
    bold_chars = 0
    for line in lines:
        chars[_rounded(line.size)] += len(line.text)
        bold_chars += len(line.text) if line.bold else 0
    if not chars:
        return {}
    total = chars.total()
    body = chars.most_common(1)[0][0]
    large = {size for size, count in chars.items() if size >= body * _LARGER_BY and count <= total * _MAX_HEADING_SHARE}
    order = sorted(large, reverse=True)
    levels: dict[int, int] = {}
    for number, line in enumerate(lines):
        if not _LETTER.search(line.text):
            continue
        if (size := _rounded(line.size)) in large:
            if len(line.text) <= _MAX_LARGE_CHARS:
                levels[number] = min(order.index(size) + 1, _MAX_LEVEL)
        elif bold_chars <= total * _MAX_HEADING_SHARE and size >= body and _is_bold_heading(lines, number):
            levels[number] = min(len(order) + 1, _MAX_LEVEL)
    return levels


def _is_bold_heading(lines: Sequence[Line], number: int) -> bool:
    """Tell a short bold line that is no sentence and stands alone in its row."""
    line = lines[number]
    beside = (lines[other] for other in (number - 1, number + 1) if 0 <= other < len(lines))
    return (
        line.bold
        and len(line.text) <= _MAX_BOLD_CHARS
        and not line.text.endswith((".", ",", ";"))
        and not any(other.page == line.page and abs(other.top - line.top) < line.size / 2 for other in beside)
    )


def _rounded(size: float) -> float:
    return round(size * 2) / 2
