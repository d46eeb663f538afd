import pytest
from aiohttp import web

from knowledge.errors import DocumentError
from knowledge.fetching.fetcher import Fetcher
from knowledge.fetching.robots import allowance, robots_of
from tests.knowledge.fetching.conftest import LoopbackSite


@pytest.mark.parametrize(
    ("robots", "allowed"),
    [
        (b"", True),
        (b"User-agent: *\nDisallow:", True),
        (b"User-agent: *\nDisallow: /private", False),
        (b"User-agent: *\nAllow: /private/open\nDisallow: /private", True),
        (b"User-agent: other\nDisallow: /", True),
        (b"User-agent: jarvis\nDisallow: /\n\nUser-agent: *\nDisallow:", False),
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /", False),
        (b"<!DOCTYPE html><html>no such page</html>", True),
        (b"\xff\xfe\0", True),
    ],
)
def test_a_page_is_allowed_as_robots_txt_says(robots: bytes, allowed: bool) -> None:
    assert allowance(robots)("https://example.com/private/open/page") is allowed


async def test_the_rules_are_fetched_from_the_root_of_the_site(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/robots.txt", "User-agent: *\nDisallow: /closed", content_type="application/octet-stream")
    allows = await robots_of(site.url(""), fetcher=fetcher)
    assert [allows(site.url("/open")), allows(site.url("/closed"))] == [True, False]


async def test_without_robots_txt_all_is_allowed(site: LoopbackSite, fetcher: Fetcher) -> None:
    assert (await robots_of(site.url(""), fetcher=fetcher))(site.url("/any"))


@pytest.mark.parametrize("status", [429, 503])
async def test_a_server_that_cannot_say_allows_nothing(site: LoopbackSite, fetcher: Fetcher, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    site.answers("/robots.txt", answer)
    with pytest.raises(DocumentError, match=r"robots\.txt.*try again later"):
        await robots_of(site.url(""), fetcher=fetcher)


async def test_robots_txt_is_not_fetched_from_a_private_address(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.redirects("/robots.txt", site.url("/secret", host="127.0.0.2"))
    with pytest.raises(DocumentError, match="loopback"):
        await robots_of(site.url(""), fetcher=fetcher)
