"""Fetches one page from the public internet.

An address is checked as its socket is made: there the name is already resolved, and nothing is resolved after it. So a
name that changes its answer, a redirect and an oddly written number all meet the same check.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp import AddrInfoType
from aiohttp.abc import AbstractResolver
from yarl import URL

from knowledge.errors import DocumentError
from knowledge.fetching.addresses import refusal
from knowledge.fetching.compression import CorruptError, Inflater, TooLargeError
from knowledge.fetching.failures import RefusedAddressError, StatusError, failure_reason, status_reason
from knowledge.fetching.pace import Pace
from knowledge.fetching.urls import PORTS, checked_url, redirect_target

# The name that a site's robots.txt may call us by, and what a site's log shows.
ROBOT = "Jarvis"
USER_AGENT = f"{ROBOT}/1.0 (reads pages that its operator has named, to answer questions from them)"

# What can become a document, and the kinds of a sitemap and a gzipped one.
CONTENT_TYPES = frozenset(
    {
        "text/html",
        "application/xhtml+xml",
        "text/plain",
        "text/markdown",
        "text/csv",
        "application/pdf",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/xml",
        "text/xml",
        "application/gzip",
        "application/x-gzip",
    }
)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MB = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one fetch may cost.

    `connect_secs` holds for the name, the connection and its encryption at each hop; `total_secs` and `redirects` for
    all hops together; `body_bytes` for what arrives and for what that decompresses to.
    """

    connect_secs: float = 5.0
    total_secs: float = 20.0
    body_bytes: int = 25 * _MB
    redirects: int = 5


@dataclass(frozen=True)
class Fetched:
    """A page as it came: `url` is where it stands after all redirects, without a fragment.

    `content_type` is in lower case without parameters, `charset` as the server writes it; None where it names none.
    """

    url: str
    content: bytes
    content_type: str | None
    charset: str | None


class Fetcher:
    """Fetches pages over HTTP and HTTPS, without cookies, logins or proxies; make it inside a running event loop.

    `address_refusal` says why an IP address may not be connected to, or None if it may.
    """

    def __init__(
        self,
        *,
        limits: Limits = Limits(),
        ports: frozenset[int] = PORTS,
        pace: Pace | None = None,
        address_refusal: Callable[[str], str | None] = refusal,
        resolver: AbstractResolver | None = None,
    ) -> None:
        self._limits = limits
        self.ports = ports
        self._pace = pace or Pace()
        self._address_refusal = address_refusal
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(socket_factory=self._socket, resolver=resolver, use_dns_cache=False),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": USER_AGENT, "Accept": "text/html,*/*;q=0.5", "Accept-Encoding": "gzip"},
            timeout=aiohttp.ClientTimeout(total=None, connect=limits.connect_secs),
            auto_decompress=False,
            trust_env=False,
        )

    async def __aenter__(self) -> "Fetcher":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def fetch(self, url: str, *, content_types: frozenset[str] | None = CONTENT_TYPES) -> Fetched:
        """Return the page at a URL, once its host may be asked again; None for `content_types` lets any kind pass.

        Raises DocumentError when it may not or cannot be fetched, StatusError when the server says so.
        """
        asked = checked_url(url, ports=self.ports)
        async with self._pace.turn(asked.host or ""):
            try:
                async with asyncio.timeout(self._limits.total_secs):
                    return await self._follow(asked, content_types)
            except TimeoutError as error:
                raise DocumentError(
                    str(asked), f"it did not arrive within {self._limits.total_secs:g} seconds; try again later."
                ) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def _follow(self, asked: URL, content_types: frozenset[str] | None) -> Fetched:
        hop = _Hop(asked, asked)
        for _ in range(self._limits.redirects + 1):
            answer = await self._get(hop, content_types)
            if isinstance(answer, Fetched):
                return answer
            hop = _Hop(asked, answer)
        raise DocumentError(
            str(asked), f"it redirects more than {self._limits.redirects} times; name the final address."
        )

    async def _get(self, hop: "_Hop", content_types: frozenset[str] | None) -> Fetched | URL:
        """Return what stands at the hop's address, or the address that it redirects to."""
        try:
            async with self._session.get(hop.url, allow_redirects=False) as response:
                if response.status in _REDIRECTS:
                    return self._next(hop, response.headers.get("Location", ""))
                if response.status != 200:
                    raise hop.status_error(response.status)
                named = "Content-Type" in response.headers
                content_type = response.content_type if named else None
                if content_types is not None and content_type is not None and content_type not in content_types:
                    raise hop.error(
                        f"it is of the kind {content_type}, which cannot be read; "
                        "name a web page, a text, Markdown, CSV, PDF or Word file, or a sitemap."
                    )
                content = await self._body(hop, response)
                return Fetched(str(hop.url), content, content_type, response.charset if named else None)
        except aiohttp.ClientError as error:
            raise hop.error(failure_reason(error, connect_secs=self._limits.connect_secs)) from error
        except UnicodeError as error:
            raise hop.error("its host name is not valid; check how it is written.") from error

    def _next(self, hop: "_Hop", location: str) -> URL:
        try:
            return redirect_target(hop.url, location, ports=self.ports)
        except DocumentError as error:
            raise DocumentError(str(hop.asked), f"it redirects to {error.source}: {error.reason}") from error

    async def _body(self, hop: "_Hop", response: aiohttp.ClientResponse) -> bytes:
        limit = self._limits.body_bytes
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip"):
            raise hop.error(
                "it is compressed in another way than was asked for; save it as a file and add that instead."
            )
        inflater = None if encoding == "identity" else Inflater(limit=limit)
        body = bytearray()
        arrived = 0
        try:
            if (response.content_length or 0) > limit:
                raise TooLargeError
            async for piece in response.content.iter_any():
                # What arrives counts too: a compressed body can go on for ever and hold nothing.
                arrived += len(piece)
                if arrived > limit:
                    raise TooLargeError
                body += piece if inflater is None else await asyncio.to_thread(inflater.feed, piece)
            if inflater is not None:
                inflater.finish()
        except TooLargeError as error:
            raise hop.error(f"it is larger than {limit / _MB:g} MB; name smaller pages.") from error
        except CorruptError as error:
            raise hop.error("what arrived is damaged or incomplete; try again later.") from error
        return bytes(body)

    def _socket(self, address: AddrInfoType) -> socket.socket:
        """Return a socket for the address that is connected to next; raises RefusedAddressError when it must not be."""
        family, kind, protocol, _, (host, *_) = address
        reason = self._address_refusal(host)
        if reason is not None:
            raise RefusedAddressError(reason)
        return socket.socket(family, kind, protocol)


@dataclass(frozen=True)
class _Hop:
    """One address on the way from the one that was asked for."""

    asked: URL
    url: URL

    def error(self, reason: str) -> DocumentError:
        return DocumentError(str(self.asked), self._told(reason))

    def status_error(self, status: int) -> StatusError:
        return StatusError(str(self.asked), self._told(status_reason(status)), status=status)

    def _told(self, reason: str) -> str:
        return reason if self.url == self.asked else f"it redirects to {self.url}: {reason}"
