"""What a job is to do: folders and sitemaps become one item a document."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.discovery import find
from knowledge.errors import DocumentError
from knowledge.fetching.fetcher import Fetcher
from knowledge.fetching.site import expand
from knowledge.fetching.sitemap import is_sitemap
from knowledge.jobs import IndexRequest, NewItem
from knowledge.store import Store


@dataclass(frozen=True)
class Expansion:
    """Lists the documents that a request names, and those that were indexed from the same places and are gone."""

    store: Store
    fetcher: Fetcher

    async def items(self, request: IndexRequest) -> list[NewItem]:
        """Return one item a document; those that cannot even be listed have failed with a reason."""
        found = await self._files(request)
        for url in request.urls:
            found += await self._pages(request, url)
        # What left one sitemap may stand in another.
        there = {item.source for item in found if item.kind != "vanished"}
        return [item for item in found if item.kind != "vanished" or item.source not in there]

    async def _files(self, request: IndexRequest) -> list[NewItem]:
        if not request.paths:
            return []
        found = await asyncio.to_thread(find, [Path(path) for path in request.paths])
        vanished = found.vanished(await self.store.known(collection=request.collection))
        details = {"access": request.access}
        items = [NewItem("file", str(path), details) for path in found.files]
        items += [NewItem("file", error.source, {}, reason=error.reason) for error in found.unreadable]
        items += [
            NewItem("file", str(path), {}, reason="there is no such file or folder; check the path.")
            for path in found.missing
            if not any(Path(source).is_relative_to(path) for source in vanished)
        ]
        return items + [NewItem("vanished", source, {}) for source in vanished]

    async def _pages(self, request: IndexRequest, url: str) -> list[NewItem]:
        details: dict[str, Any] = {"access": request.access}
        try:
            fetched = await self.fetcher.fetch(url)
            if not is_sitemap(fetched.content):
                details["content_type"] = fetched.content_type
                return [NewItem("url", url, details, content=fetched.content)]
            site = await expand(fetched, fetcher=self.fetcher)
        except DocumentError as error:
            return [NewItem("url", url, {}, reason=error.reason)]
        details["origin"] = url
        items = [NewItem("url", page, details) for page in site.urls]
        items += [NewItem("url", error.source, {}, reason=error.reason) for error in site.failed]
        if site.over_limit or site.unread_sitemaps:
            reason = (
                f"{site.over_limit} pages and {site.unread_sitemaps} sitemaps more than are read in one go; "
                "index its parts one by one."
            )
            items.append(NewItem("url", url, {}, reason=reason))
        if not (site.failed or site.unread_sitemaps or site.over_limit):
            gone = await self.store.sources_of(collection=request.collection, origin=url) - set(site.urls)
            items += [NewItem("vanished", source, {}) for source in sorted(gone)]
        return items
