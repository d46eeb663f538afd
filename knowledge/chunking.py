"""Cuts a document's sections into chunks to return, and those into windows that an embedding model can read whole."""

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

from knowledge.types import Chunk, LoadedDocument

MIN_TOKENS = 100
MAX_TOKENS = 200
# A section up to this long is one chunk, about two windows.
MAX_CHUNK_CHARACTERS = 1_600

# How many tokens off the ideal cut a window may end for the sake of a better boundary.
_PARAGRAPH, _LINE, _SENTENCE, _WORD, _INSIDE_WORD = 0, 20, 50, 150, 1_000

TokenSpans = Callable[[str], Sequence[tuple[int, int]]]


def chunk(document: LoadedDocument, *, token_spans: TokenSpans) -> tuple[Chunk, ...]:
    """Return the document's chunks in reading order; no chunk crosses a heading.

    A section of at most 1,600 characters is one chunk; a longer one is cut into chunks of about that length. A window
    is the whole of a chunk of at most 200 tokens, else 100 to 200 tokens of it, cut at paragraphs, lines, sentences
    or words, the first that is near enough. `token_spans` gives each token's start and end in a text.
    """
    chunks: list[Chunk] = []
    for section in document.sections:
        for windows in _grouped(_windows(document.text[section.start : section.end], token_spans)):
            first, past = windows[0][0], windows[-1][1]
            chunks.append(
                Chunk(
                    ordinal=len(chunks),
                    heading_path=section.heading_path,
                    text=document.text[section.start + first : section.start + past],
                    start=section.start + first,
                    end=section.start + past,
                    windows=tuple((start - first, end - first) for start, end in windows),
                )
            )
    return tuple(chunks)


def indexed_text(title: str, heading_path: Sequence[str], text: str) -> str:
    """Return what a window is found by: its text under its title and headings."""
    return "\n".join((" - ".join((title, *heading_path)), text))


def _grouped(windows: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Return the windows of one section in as few even groups as keep each near the length of a chunk."""
    if not windows:
        return []
    length = windows[-1][1] - windows[0][0]
    groups = min(len(windows), math.ceil(length / MAX_CHUNK_CHARACTERS))
    cuts = [round(number * len(windows) / groups) for number in range(groups + 1)]
    return [list(windows[start:end]) for start, end in pairwise(cuts)]


def _windows(text: str, token_spans: TokenSpans) -> list[tuple[int, int]]:
    """Return the start and end of each window, without the white space around it."""
    spans = token_spans(text)
    cuts = [0, *(spans[token][0] for token in _cuts(text, spans)), len(text)]
    windows = []
    for start, end in pairwise(cuts):
        window = text[start:end]
        first = start + len(window) - len(window.lstrip())
        past = first + len(window.strip())
        if past > first:
            windows.append((first, past))
    return windows


def _cuts(text: str, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return the numbers of the tokens that a window begins with, but for the first window."""
    cuts: list[int] = []
    position = 0
    while (remaining := len(spans) - position) > MAX_TOKENS:
        ideal = position + remaining / math.ceil(remaining / MAX_TOKENS)
        lowest, highest = position + MIN_TOKENS, position + min(MAX_TOKENS, remaining - MIN_TOKENS)
        position = min(
            range(lowest, highest + 1), key=lambda token: _boundary_cost(text, spans, token) + abs(token - ideal)
        )
        cuts.append(position)
    return cuts


def _boundary_cost(text: str, spans: Sequence[tuple[int, int]], token: int) -> int:
    end_before, start = spans[token - 1][1], spans[token][0]
    gap = text[end_before:start]
    if "\n\n" in gap:
        return _PARAGRAPH
    if "\n" in gap:
        return _LINE
    if not gap or not gap[-1].isspace():
        return _INSIDE_WORD
    return _SENTENCE if text[end_before - 1] in ".!?:;)\"'”" else _WORD
