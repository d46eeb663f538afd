"""The pages of a site, from its sitemap."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yarl import URL

from knowledge.errors import DocumentError
from knowledge.fetching.fetcher import Fetched, Fetcher
from knowledge.fetching.robots import robots_of
from knowledge.fetching.sitemap import parse_sitemap
from knowledge.fetching.urls import checked_url

MAX_PAGES = 1000
MAX_SITEMAPS = 50

# An index may name indexes that name sitemaps.
_MAX_DEPTH = 2


@dataclass(frozen=True)
class SitePages:
    """The pages of a site that may be fetched, in the sitemap's order, and how many were left out and why.

    `elsewhere` counts addresses on other hosts or that may not be fetched at all, `over_limit` pages beyond the limit
    and `disallowed` those that robots.txt closes. `unread_sitemaps` were too many, too deep or elsewhere; `failed`
    says why others could not be read. While there is any of the last two, a page that is missing may still exist.
    """

    urls: tuple[str, ...]
    elsewhere: int = 0
    over_limit: int = 0
    disallowed: int = 0
    unread_sitemaps: int = 0
    failed: tuple[DocumentError, ...] = ()


async def expand(sitemap: Fetched, *, fetcher: Fetcher, max_pages: int = MAX_PAGES) -> SitePages:
    """Return the pages that a fetched sitemap names on its own host, reading the sitemaps that it names there.

    Raises DocumentError when it cannot be read, or the robots.txt of its site cannot.
    """
    walk = _Walk(fetcher, host=URL(sitemap.url).host, max_pages=max_pages)
    await walk.read(sitemap, depth=0)
    allowed = await walk.allowed()
    return SitePages(
        urls=allowed,
        elsewhere=walk.elsewhere,
        over_limit=walk.over_limit,
        disallowed=len(walk.pages) - len(allowed),
        unread_sitemaps=walk.unread_sitemaps,
        failed=tuple(walk.failed),
    )


class _Walk:
    """Reads sitemaps depth first and keeps count."""

    def __init__(self, fetcher: Fetcher, *, host: str | None, max_pages: int) -> None:
        self._fetcher = fetcher
        self._host = host
        self._max_pages = max_pages
        self._seen: set[str] = set()
        self._sitemaps = 1
        self.pages: list[str] = []
        self.elsewhere = 0
        self.over_limit = 0
        self.unread_sitemaps = 0
        self.failed: list[DocumentError] = []

    async def read(self, fetched: Fetched, *, depth: int) -> None:
        self._seen.add(fetched.url)
        sitemap = await asyncio.to_thread(parse_sitemap, fetched.url, fetched.content)
        await asyncio.to_thread(self._take, sitemap.pages)
        for location in sitemap.sitemaps:
            await self._descend(location, depth + 1)

    async def allowed(self) -> tuple[str, ...]:
        """Return the pages that their origin's robots.txt lets us fetch."""
        rules: dict[str, Callable[[str], bool]] = {}
        for origin in dict.fromkeys(_origin(page) for page in self.pages):
            rules[origin] = await robots_of(origin, fetcher=self._fetcher)
        return tuple(page for page in self.pages if rules[_origin(page)](page))

    def _take(self, locations: Sequence[str]) -> None:
        for location in locations:
            page = self._own(location)
            if page is None:
                self.elsewhere += 1
            elif page not in self._seen:
                self._seen.add(page)
                if len(self.pages) < self._max_pages:
                    self.pages.append(page)
                else:
                    self.over_limit += 1

    async def _descend(self, location: str, depth: int) -> None:
        address = self._own(location)
        if address in self._seen:
            return
        full = self._sitemaps >= MAX_SITEMAPS or len(self.pages) >= self._max_pages
        if address is None or depth > _MAX_DEPTH or full:
            self.unread_sitemaps += 1
            return
        self._seen.add(address)
        self._sitemaps += 1
        try:
            await self.read(await self._fetcher.fetch(address), depth=depth)
        except DocumentError as error:
            self.failed.append(error)

    def _own(self, location: str) -> str | None:
        """Return the address in its normal form when it may be fetched and is on the sitemap's host."""
        try:
            url = checked_url(location, ports=self._fetcher.ports)
        except DocumentError:
            return None
        return str(url) if url.host == self._host else None


def _origin(page: str) -> str:
    return str(URL(page).origin())
