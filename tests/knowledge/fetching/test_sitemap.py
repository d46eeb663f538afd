import gzip
from itertools import pairwise

import pytest

from knowledge.errors import DocumentError
from knowledge.fetching.sitemap import Sitemap, is_sitemap, parse_sitemap

NAMESPACE = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
PAGES = f"""<?xml version="1.0" encoding="UTF-8"?>
<urlset {NAMESPACE} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
  <url><loc> https://example.com/b?x=1&amp;y=2 </loc><lastmod>2024-05-01</lastmod>
    <image:image><image:loc>https://example.com/b.png</image:loc></image:image></url>
  <url><loc><![CDATA[https://example.com/a]]></loc></url>
  <url><loc></loc></url>
</urlset>""".encode()
BILLION_LAUGHS = '<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {name} "{f"&{inner};" * 10}">' for inner, name in pairwise("abcdefghij")
)
BOMB = f"<!DOCTYPE urlset [{BILLION_LAUGHS}]><urlset {NAMESPACE}><url><loc>&j;</loc></url></urlset>".encode()


def test_pages_come_in_the_order_of_the_document_without_their_pictures() -> None:
    assert parse_sitemap("u", PAGES) == Sitemap(pages=("https://example.com/b?x=1&y=2", "https://example.com/a"))


def test_an_index_names_sitemaps() -> None:
    index = f"<sitemapindex {NAMESPACE}><sitemap><loc>https://example.com/1.xml</loc></sitemap></sitemapindex>"
    assert parse_sitemap("u", index.encode()) == Sitemap(sitemaps=("https://example.com/1.xml",))


def test_a_gzipped_sitemap_is_read() -> None:
    assert len(parse_sitemap("u", gzip.compress(PAGES)).pages) == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (BOMB, "declares a document type or entities"),
        (b'<!DOCTYPE urlset SYSTEM "http://127.0.0.1/x.dtd"><urlset/>', "declares a document type or entities"),
        (b"<urlset><url>", "not well-formed"),
        (b"", "not well-formed"),
        (b"<rss/>", "no sitemap"),
        (gzip.compress(PAGES)[:-9], "damaged"),
        (gzip.compress(bytes(2000)), "larger than"),
    ],
)
def test_what_cannot_be_read_is_said_plainly(content: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=reason):
        parse_sitemap("u", content, limit=1000)


@pytest.mark.parametrize(
    "content",
    [
        PAGES,
        PAGES + b"x" * 40_000,
        b"\xef\xbb\xbf" + PAGES,
        gzip.compress(PAGES),
        PAGES.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        b"<!-- made by hand -->\n<s:urlset xmlns:s='http://www.sitemaps.org/schemas/sitemap/0.9'/>",
        b"<sitemapindex/>",
        BOMB,
    ],
)
def test_a_sitemap_is_known_by_its_root(content: bytes) -> None:
    assert is_sitemap(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"%PDF-1.7",
        b"# Sitemaps\n<urlset>",
        b"<!DOCTYPE html><html><body>&lt;urlset></body></html>",
        b"<html><urlset/></html>",
        b"<rss><channel/></rss>",
        b"<!-- <urlset> --><p>",
        gzip.compress(b"text"),
        b"\x1f\x8bbroken",
    ],
)
def test_anything_else_is_no_sitemap(content: bytes) -> None:
    assert not is_sitemap(content)
