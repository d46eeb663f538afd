"""What a page says of itself."""

import re
from collections.abc import Sequence
from datetime import date

from selectolax.lexbor import LexborHTMLParser

from knowledge.loaders.dates import parse_date

# The first that is there counts.
_DATES = (
    "article:modified_time",
    "og:updated_time",
    "article:published_time",
    "dcterms.modified",
    "dcterms.date",
    "dc.date",
    "date",
)
# What stands between a page's title and its site's name: always the bars, the dashes only where the site is known.
_BARS = re.compile(r"\s+(?:\||·|»|::)\s+")
_DASHES = re.compile(r"\s+(?:\||·|»|::|-|–|—)\s+")


def page_title(page: LexborHTMLParser) -> str | None:
    """Return a page's title without its site's name, else its only level-one heading; None where it has neither."""
    meta = _metadata(page)
    headings = [_words(node.text()) for node in page.css("h1.title") or page.css("h1")]
    heading = headings[0] if len(headings) == 1 else None
    named = page.css_first("head > title")
    full = _words(named.text()) if named is not None else ""
    return _without_site(full, headings, meta.get("og:site_name")) or heading or meta.get("og:title") or None


def effective_date(page: LexborHTMLParser) -> date | None:
    """Return the day that a page's metadata gives for its words; None where there is none."""
    meta = _metadata(page)
    days = (parse_date(meta[name]) for name in _DATES if name in meta)
    return next((day for day in days if day), None)


def _metadata(page: LexborHTMLParser) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in page.css("meta"):
        name = node.attributes.get("property") or node.attributes.get("name") or ""
        content = _words(node.attributes.get("content") or "")
        if content:
            found.setdefault(name.lower(), content)
    return found


def _without_site(title: str, headings: Sequence[str], site: str | None) -> str:
    parts = _DASHES.split(title)
    spoken = {heading.casefold() for heading in headings}
    if heading := next((part for part in parts if part.casefold() in spoken), None):
        return heading
    if site and len(parts) > 1:
        for part in (parts[0], parts[-1]):
            if part.casefold() == site.casefold():
                return title.removesuffix(part).removeprefix(part).strip(" |·»:-–—")
    return _BARS.split(title)[0]


def _words(text: str) -> str:
    return " ".join(text.split())
