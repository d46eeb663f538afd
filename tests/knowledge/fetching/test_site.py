import gzip

import pytest

from knowledge.errors import DocumentError
from knowledge.fetching.fetcher import Fetcher
from knowledge.fetching.site import MAX_SITEMAPS, SitePages, expand
from tests.knowledge.fetching.conftest import LoopbackSite


def urlset(*locations: str) -> str:
    return "<urlset>" + "".join(f"<url><loc>{each}</loc></url>" for each in locations) + "</urlset>"


def index(*locations: str) -> str:
    return "<sitemapindex>" + "".join(f"<sitemap><loc>{each}</loc></sitemap>" for each in locations) + "</sitemapindex>"


async def pages_of(site: LoopbackSite, fetcher: Fetcher, sitemap: str, **options: int) -> SitePages:
    url = site.serves("/sitemap.xml", sitemap, content_type="application/xml")
    return await expand(await fetcher.fetch(url), fetcher=fetcher, **options)


async def test_pages_come_once_each_in_the_order_of_the_sitemap(site: LoopbackSite, fetcher: Fetcher) -> None:
    sitemap = urlset(site.url("/b"), site.url("/a"), site.url("/b#part"), site.url("/c/../b"))
    assert await pages_of(site, fetcher, sitemap) == SitePages((site.url("/b"), site.url("/a")))


async def test_pages_elsewhere_are_left_out(site: LoopbackSite, fetcher: Fetcher) -> None:
    foreign = ["https://other.example/a", "file:///etc/passwd", "/relative", f"http://me@127.0.0.1:{site.port}/"]
    foreign += [site.url("/", host="127.0.0.2"), "http://127.0.0.1:22/", site.url("/", host="sub.127.0.0.1")]
    assert await pages_of(site, fetcher, urlset(*foreign, site.url("/own"))) == SitePages(
        (site.url("/own"),), elsewhere=len(foreign)
    )


async def test_a_huge_sitemap_gives_its_first_pages_and_says_how_many_it_left_out(
    site: LoopbackSite, fetcher: Fetcher
) -> None:
    pages = await pages_of(site, fetcher, urlset(*(site.url(f"/{number}") for number in range(10_000))))
    assert (len(pages.urls), pages.urls[-1], pages.over_limit) == (1000, site.url("/999"), 9000)


async def test_pages_that_robots_txt_closes_are_left_out(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/robots.txt", "User-agent: *\nDisallow: /closed", content_type="text/plain")
    sitemap = urlset(site.url("/open"), site.url("/closed/a"))
    assert await pages_of(site, fetcher, sitemap) == SitePages((site.url("/open"),), disallowed=1)


async def test_an_index_is_read_depth_first(site: LoopbackSite, fetcher: Fetcher) -> None:
    inner = site.serves("/inner.xml", urlset(site.url("/1")), content_type="text/xml")
    middle = site.serves("/middle.xml", index(inner), content_type="text/xml")
    packed = site.serves("/2.xml.gz", gzip.compress(urlset(site.url("/2")).encode()), content_type="application/x-gzip")
    assert (await pages_of(site, fetcher, index(middle, packed))).urls == (site.url("/1"), site.url("/2"))


async def test_an_index_is_not_read_deeper_than_two(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/1.xml", index(site.url("/2.xml")), content_type="text/xml")
    site.serves("/2.xml", index(site.url("/3.xml")), content_type="text/xml")
    assert await pages_of(site, fetcher, index(site.url("/1.xml"))) == SitePages((), unread_sitemaps=1)


async def test_sitemaps_that_name_each_other_are_read_once(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/1.xml", index(site.url("/sitemap.xml"), site.url("/1.xml")), content_type="text/xml")
    await pages_of(site, fetcher, index(site.url("/1.xml")))
    assert site.asked == ["/sitemap.xml", "/1.xml"]


async def test_sitemaps_elsewhere_and_too_many_are_not_read(site: LoopbackSite, fetcher: Fetcher) -> None:
    named = [site.serves(f"/{number}.xml", "<urlset/>", content_type="text/xml") for number in range(MAX_SITEMAPS)]
    pages = await pages_of(site, fetcher, index("https://other.example/1.xml", *named))
    assert (pages.unread_sitemaps, len(site.asked)) == (2, MAX_SITEMAPS)


async def test_further_sitemaps_are_not_read_once_there_are_enough_pages(site: LoopbackSite, fetcher: Fetcher) -> None:
    site.serves("/1.xml", urlset(site.url("/a"), site.url("/b")), content_type="text/xml")
    pages = await pages_of(site, fetcher, index(site.url("/1.xml"), site.url("/2.xml")), max_pages=1)
    assert (pages.urls, pages.over_limit, pages.unread_sitemaps) == ((site.url("/a"),), 1, 1)


async def test_a_sitemap_that_cannot_be_read_is_reported_and_the_others_go_on(
    site: LoopbackSite, fetcher: Fetcher
) -> None:
    good = site.serves("/good.xml", urlset(site.url("/a")), content_type="text/xml")
    pages = await pages_of(site, fetcher, index(site.url("/gone.xml"), good))
    assert pages.urls == (site.url("/a"),)
    assert [error.source for error in pages.failed] == [site.url("/gone.xml")]


async def test_an_entity_bomb_is_refused(site: LoopbackSite, fetcher: Fetcher) -> None:
    bomb = '<!DOCTYPE urlset [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><urlset><url><loc>&b;</loc></url></urlset>'
    with pytest.raises(DocumentError, match="entities"):
        await pages_of(site, fetcher, bomb)


async def test_a_sitemap_that_moved_names_pages_of_its_new_host(site: LoopbackSite, fetcher: Fetcher) -> None:
    new = site.serves("/new.xml", urlset(site.url("/a"), site.url("/a", host="localhost")), content_type="text/xml")
    site.redirects("/old.xml", new)
    moved = await fetcher.fetch(site.url("/old.xml", host="localhost"))
    assert await expand(moved, fetcher=fetcher) == SitePages((site.url("/a"),), elsewhere=1)
