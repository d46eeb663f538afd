import asyncio
import gzip
import time
import zlib

import pytest
from aiohttp import web

from knowledge.errors import DocumentError
from knowledge.fetching.addresses import refusal
from knowledge.fetching.fetcher import CONTENT_TYPES, Fetched, Fetcher, Limits, StatusError
from knowledge.fetching.pace import Pace
from tests.knowledge.fetching.conftest import LoopbackSite, Resolver, only_this_server

SMALL = 64 * 1024


async def test_a_page_comes_with_its_kind_and_its_address(site: LoopbackSite, fetcher: Fetcher) -> None:
    url = site.serves("/a", "<p>text", content_type="Text/HTML; charset=ISO-8859-1")
    assert await fetcher.fetch(url + "#part") == Fetched(url, b"<p>text", "text/html", "ISO-8859-1")


async def test_a_page_without_a_kind_comes_without_one(site: LoopbackSite, fetcher: Fetcher) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntext")
        return web.Response()

    page = await fetcher.fetch(site.answers("/a", answer))
    assert (page.content, page.content_type, page.charset) == (b"text", None, None)


# Which addresses are reached


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0x7f000001",
        "0177.0.0.1",
        "2130706433",
        "0",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "\uff11\uff12\uff17.0.0.1",
        "127\u30020\u30020\u30021",
    ],
)
async def test_this_host_is_not_reached_however_it_is_written(site: LoopbackSite, host: str) -> None:
    async with Fetcher(ports=frozenset({site.port})) as fetcher:
        with pytest.raises(DocumentError, match=r"public internet|valid web address"):
            await fetcher.fetch(site.url("/", host=host))
    assert site.asked == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["::1"], ["10.0.0.1", "::1", "127.0.0.1"], ["fe80::1%lo"], ["0x7f.1"]]
)
async def test_a_name_of_a_private_address_is_refused(site: LoopbackSite, addresses: list[str]) -> None:
    async with Fetcher(ports=frozenset({site.port}), resolver=Resolver(addresses)) as fetcher:
        with pytest.raises(DocumentError, match="public internet"):
            await fetcher.fetch(site.url("/", host="docs.example"))


async def test_a_name_that_changes_its_answer_is_refused_where_it_is_connected_to(site: LoopbackSite) -> None:
    checked: list[str] = []

    def as_if_public(address: str) -> str | None:
        checked.append(address)
        return None if address == "127.0.0.2" else refusal(address)

    resolver = Resolver(["127.0.0.2"], ["127.0.0.1"])
    site.redirects("/", "/next")
    async with Fetcher(ports=frozenset({site.port}), address_refusal=as_if_public, resolver=resolver) as fetcher:
        with pytest.raises(DocumentError, match="a loopback address"):
            await fetcher.fetch(site.url("/", host="docs.example"))
    assert (site.asked, checked, resolver.asked) == (["/"], ["127.0.0.2", "127.0.0.1"], 2)


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(site: LoopbackSite) -> None:
    site.serves("/", "text")
    resolver = Resolver(["127.0.0.1"], ["127.0.0.2"])
    async with Fetcher(ports=frozenset({site.port}), address_refusal=only_this_server, resolver=resolver) as fetcher:
        await fetcher.fetch(site.url("/", host="docs.example"))
    assert resolver.asked == 1


async def test_of_several_addresses_only_a_public_one_is_reached(site: LoopbackSite) -> None:
    site.serves("/", "text")
    resolver = Resolver(["127.0.0.2", "::1", "127.0.0.1"])
    async with Fetcher(ports=frozenset({site.port}), address_refusal=only_this_server, resolver=resolver) as fetcher:
        assert (await fetcher.fetch(site.url("/", host="docs.example"))).content == b"text"


async def test_proxies_of_the_environment_are_not_used(
    site: LoopbackSite, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.2:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.2:9")
    assert (await fetcher.fetch(site.serves("/", "text"))).content == b"text"


# Redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_followed_to_the_final_address(site: LoopbackSite, fetcher: Fetcher, status: int) -> None:
    final = site.serves("/b", "text")
    assert (await fetcher.fetch(site.redirects("/a", "/b#part", status=status))).url == final


async def test_a_redirect_to_a_private_address_is_refused(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/secret", "text")
    with pytest.raises(DocumentError, match=r"redirects to .*127\.0\.0\.2.* a loopback address") as caught:
        await fetcher.fetch(site.redirects("/a", site.url("/secret", host="127.0.0.2")))
    assert (caught.value.source, site.asked) == (site.url("/a"), ["/a"])


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://127.0.0.1:22/", "http://[::1", ""]
)
async def test_a_redirect_that_may_not_be_followed_fails(site: LoopbackSite, fetcher: Fetcher, target: str) -> None:
    with pytest.raises(DocumentError, match="redirects"):
        await fetcher.fetch(site.redirects("/a", target))


async def test_a_loop_of_redirects_ends(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.redirects("/a", "/b")
    with pytest.raises(DocumentError, match="more than 5 times"):
        await fetcher.fetch(site.redirects("/b", "/a"))
    assert len(site.asked) == 6


# What is sent


async def test_no_cookie_comes_back_and_the_user_agent_names_us(site: LoopbackSite, fetcher: Fetcher) -> None:
    url = site.serves("/a", "text", headers={"Set-Cookie": "session=1; Path=/"})
    await fetcher.fetch(url)
    await fetcher.fetch(url)
    assert "Jarvis" in site.headers[1]["User-Agent"]
    assert not {"Cookie", "Authorization"} & set(site.headers[1])


@pytest.mark.parametrize("url", ["http://me:secret@127.0.0.1/", "http://127.0.0.1:22/", "file:///etc/passwd"])
async def test_an_address_that_may_not_be_fetched_is_not_asked_for(
    site: LoopbackSite, fetcher: Fetcher, url: str
) -> None:
    with pytest.raises(DocumentError):
        await fetcher.fetch(url)
    assert site.asked == []


async def test_pages_of_one_host_are_asked_for_with_a_pause(site: LoopbackSite) -> None:
    slept: list[float] = []

    async def sleep(secs: float) -> None:
        slept.append(secs)

    pace = Pace(pause_secs=2, clock=lambda: 100.0, sleep=sleep)
    url = site.serves("/", "text")
    async with Fetcher(ports=frozenset({site.port}), address_refusal=only_this_server, pace=pace) as fetcher:
        await asyncio.gather(*(fetcher.fetch(url) for _ in range(3)))
    assert slept == [2, 2]


# What comes back


@pytest.mark.parametrize("content_type", sorted(CONTENT_TYPES))
async def test_documents_and_sitemaps_are_accepted(site: LoopbackSite, fetcher: Fetcher, content_type: str) -> None:
    assert (await fetcher.fetch(site.serves("/", b"x", content_type=content_type))).content_type == content_type


@pytest.mark.parametrize(
    "content_type", ["image/png", "application/octet-stream", "application/json", "video/mp4", "x"]
)
async def test_another_kind_of_content_is_refused(site: LoopbackSite, fetcher: Fetcher, content_type: str) -> None:
    with pytest.raises(DocumentError, match="cannot be read"):
        await fetcher.fetch(site.serves("/", b"x", content_type=content_type))


@pytest.mark.parametrize(
    ("status", "advice"),
    [
        (401, "needs a login"),
        (403, "needs a login"),
        (404, "check the address"),
        (410, "check the address"),
        (429, "try again later"),
        (500, "try again later"),
        (503, "try again later"),
        (204, "without a page"),
        (206, "without a page"),
        (418, "without a page"),
    ],
)
async def test_a_status_that_is_no_success_says_what_to_do(
    site: LoopbackSite, fetcher: Fetcher, status: int, advice: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    with pytest.raises(StatusError, match=f"status {status}.*{advice}|{advice}.*status {status}") as caught:
        await fetcher.fetch(site.answers("/", answer))
    assert caught.value.status == status


async def test_a_compressed_page_comes_as_it_was(site: LoopbackSite, fetcher: Fetcher) -> None:
    page = bytes(range(256)) * 4096
    url = site.serves("/", gzip.compress(page), headers={"Content-Encoding": "gzip"})
    assert (await fetcher.fetch(url)).content == page


@pytest.mark.parametrize(
    ("body", "encoding", "reason"),
    [
        (b"text", "br", "compressed in another way"),
        (b"text", "gzip, gzip", "compressed in another way"),
        (b"text", "gzip", "damaged"),
        (gzip.compress(b"text")[:-4], "gzip", "damaged"),
    ],
)
async def test_what_cannot_be_decompressed_is_refused(
    site: LoopbackSite, fetcher: Fetcher, body: bytes, encoding: str, reason: str
) -> None:
    with pytest.raises(DocumentError, match=reason):
        await fetcher.fetch(site.serves("/", body, headers={"Content-Encoding": encoding}))


# Limits


@pytest.mark.parametrize("limits", [Limits(body_bytes=SMALL)])
class TestSmallLimit:
    async def test_a_page_of_just_the_limit_comes(self, site: LoopbackSite, fetcher: Fetcher) -> None:
        assert len((await fetcher.fetch(site.serves("/", bytes(SMALL)))).content) == SMALL

    async def test_a_page_that_says_it_is_larger_is_not_read(self, site: LoopbackSite, fetcher: Fetcher) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Length": str(SMALL + 1)})
            await response.prepare(request)
            await asyncio.Event().wait()
            return response

        with pytest.raises(DocumentError, match="larger than"):
            await fetcher.fetch(site.answers("/", answer))

    async def test_a_gzip_bomb_is_refused(self, site: LoopbackSite, fetcher: Fetcher) -> None:
        bomb = gzip.compress(bytes(50 * 1024 * 1024), compresslevel=6)
        assert len(bomb) < SMALL
        with pytest.raises(DocumentError, match="larger than"):
            await fetcher.fetch(site.serves("/", bomb, headers={"Content-Encoding": "gzip"}))

    @pytest.mark.parametrize("encoding", ["identity", "gzip"])
    async def test_a_body_without_an_end_is_cut(self, site: LoopbackSite, fetcher: Fetcher, encoding: str) -> None:
        """The gzip one holds nothing: block after block of no bytes."""
        packer = zlib.compressobj(wbits=31)
        beginning = packer.compress(b"") + packer.flush(zlib.Z_FULL_FLUSH)
        nothing = packer.flush(zlib.Z_FULL_FLUSH) or b"\0\0\0\xff\xff"

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/html", "Content-Encoding": encoding})
            await response.prepare(request)
            await response.write(beginning)
            while True:
                await response.write(nothing * 1000)

        with pytest.raises(DocumentError, match="larger than"):
            await fetcher.fetch(site.answers("/", answer))


@pytest.mark.parametrize("limits", [Limits(total_secs=0.15)])
class TestLittleTime:
    async def test_a_server_that_drips_is_cut(self, site: LoopbackSite, fetcher: Fetcher) -> None:
        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Type": "text/html"})
            await response.prepare(request)
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.01)

        begun = time.monotonic()
        with pytest.raises(DocumentError, match=r"within 0\.15 seconds"):
            await fetcher.fetch(site.answers("/", answer))
        assert time.monotonic() - begun < 1

    async def test_the_time_counts_for_all_redirects_together(self, site: LoopbackSite, fetcher: Fetcher) -> None:
        async def answer(_: web.Request) -> web.Response:
            await asyncio.sleep(0.06)
            return web.Response(status=302, headers={"Location": "/"})

        with pytest.raises(DocumentError, match=r"within 0\.15 seconds"):
            await fetcher.fetch(site.answers("/", answer))
