"""What of a page is its content, and a way to walk it that no nesting breaks."""

import re
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass

from selectolax.lexbor import LexborHTMLParser, LexborNode

# Deeper elements are read as if their tags were not there: the parser takes time by depth.
MAX_DEPTH = 512

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)\b[^<>]*>")
# Elements that end by themselves or hold nothing, so their tags say nothing of depth.
_UNNESTED = frozenset(
    "area base body br col dd dt embed head hr html img input li link meta option p param source tbody td tfoot th"
    " thead tr track wbr".split()
)
# Where one of these is left open, a parser has to open it again in each block that follows. What two of them mean is
# kept by elements that have no such rule.
_FORMATTING = frozenset("b big code em font i nobr s small strike strong tt u".split())
_PLAIN_TWINS = {"b": "mark", "strong": "mark", "s": "del", "strike": "del"}

_UNSPOKEN_TAGS = frozenset(
    "-comment nav aside audio button canvas datalist dialog embed frame frameset head iframe input math meter noscript"
    " object progress script select style svg template textarea video del".split()
)
_UNSPOKEN_ROLES = frozenset(
    "alert alertdialog banner complementary contentinfo dialog menu menubar navigation search toolbar".split()
)
_HIDING_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CONSENT = re.compile(r"\b(cookies?\W+(banner|bar|consent|notice|preferences|settings)|consent)\b", re.IGNORECASE)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


@dataclass(frozen=True)
class Content:
    """The elements to read, those within them to skip, and the tables that only place things.

    Elements are named by their `mem_id`.
    """

    roots: tuple[LexborNode, ...]
    skipped: Set[int]
    layout_tables: Set[int]


@dataclass(frozen=True)
class _Part:
    """An element that may be the content, and how many characters it holds."""

    node: LexborNode
    chars: int
    within_article: bool


def flattened(html: str) -> str:
    """Return a page without the tags that only format, and without those that are nested too deeply."""
    depth = 0

    def keep(tag: re.Match[str]) -> str:
        nonlocal depth
        closing, name = tag[1], tag[2].lower()
        if name in _FORMATTING:
            twin = _PLAIN_TWINS.get(name)
            if twin is None:
                return ""
            depth = depth - 1 if closing and depth else depth + (not closing)
            return f"<{closing}{twin}>" if depth <= MAX_DEPTH else ""
        if name in _UNNESTED:
            return tag[0]
        if closing:
            depth = max(depth - 1, 0)
            return tag[0] if depth < MAX_DEPTH else ""
        depth += 1
        return tag[0] if depth <= MAX_DEPTH else ""

    return _TAG.sub(keep, html)


def walk(root: LexborNode, *, skip: Callable[[LexborNode], bool]) -> Iterator[tuple[LexborNode, bool]]:
    """Yield each node as it opens, with True, and again as it closes, with False, but for those to skip."""
    node, root_id = root, root.mem_id
    while True:
        if not skip(node):
            yield node, True
            if (child := node.child) is not None:
                node = child
                continue
            yield node, False
        while node.mem_id != root_id:
            if (sibling := node.next) is not None:
                node = sibling
                break
            if (parent := node.parent) is None:
                return
            node = parent
            yield node, False
        else:
            return


def survey(page: LexborHTMLParser) -> Content:
    """Find a page's content: its main element or its articles when they hold most of the words, else all of it.

    A form is skipped unless it holds most of the words, as when a server wraps whole pages in one.
    """
    body = page.body
    if body is None:
        return Content((), frozenset(), frozenset())
    skipped: set[int] = set()
    layout: set[int] = set()
    parts: list[_Part] = []
    open_parts: list[tuple[LexborNode, int]] = []
    open_tables: list[int] = []
    total = 0

    def skip(node: LexborNode) -> bool:
        if _is_unspoken(node):
            skipped.add(node.mem_id)
            return True
        return False

    for node, opens in walk(body, skip=skip):
        tag = node.tag
        if tag == "-text":
            total += len((node.text_content or "").strip()) if opens else 0
        elif tag in ("main", "article", "form"):
            if opens:
                open_parts.append((node, total))
            else:
                _, before = open_parts.pop()
                within_article = any(part.tag == "article" for part, _ in open_parts)
                parts.append(_Part(node, total - before, within_article))
        elif tag == "table" and not opens:
            open_tables.pop()
        elif tag == "table" or (opens and tag in _HEADINGS):
            # Tables and headings stand in a table only where it places the parts of a page.
            layout.update(open_tables[-1:])
            if tag == "table":
                open_tables.append(node.mem_id)
                if node.attributes.get("role") in ("presentation", "none"):
                    layout.add(node.mem_id)
    skipped.update(part.node.mem_id for part in parts if part.node.tag == "form" and part.chars * 2 < total)
    return Content(_roots(body, parts, total), skipped, layout)


def _is_unspoken(node: LexborNode) -> bool:
    """Tell an element that is hidden, stands around the content of a page, or is of use on a screen only."""
    tag = node.tag or ""
    if tag == "-text":
        return False
    if tag in _UNSPOKEN_TAGS:
        return True
    if tag in ("header", "footer"):
        return not _is_within_content(node)
    attributes = node.attributes
    if not attributes:
        return False
    return (
        (attributes.get("role") or "").lower() in _UNSPOKEN_ROLES
        or ("hidden" in attributes and attributes["hidden"] != "until-found")
        or attributes.get("aria-hidden") == "true"
        or bool(_HIDING_STYLE.search(attributes.get("style") or ""))
        or bool(_CONSENT.search(attributes.get("aria-label") or ""))
        or (tag == "a" and (attributes.get("href") or "").startswith("#") and _is_mark(node))
    )


def _roots(body: LexborNode, parts: Sequence[_Part], total: int) -> tuple[LexborNode, ...]:
    mains = [part for part in parts if part.node.tag == "main"]
    articles = [part for part in parts if part.node.tag == "article" and not part.within_article]
    if mains:
        largest = max(mains, key=lambda part: part.chars)
        if largest.chars * 2 >= total:
            return (largest.node,)
    if articles and sum(part.chars for part in articles) * 2 >= total:
        return tuple(part.node for part in articles)
    return (body,)


def _is_within_content(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag in ("main", "article"):
            return True
        parent = parent.parent
    return False


def _is_mark(link: LexborNode) -> bool:
    """Tell a link within the page that is a sign or a footnote's number and no word."""
    only = link.child
    if only is None or only.next is not None or only.tag != "-text":
        return False
    words = (only.text_content or "").strip()
    above = link.parent
    return not _LETTER_OR_DIGIT.search(words) or words.startswith("[") or (above is not None and above.tag == "sup")
