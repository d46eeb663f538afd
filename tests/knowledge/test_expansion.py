import os
from pathlib import Path

import pytest
from aiohttp import web

from knowledge.expansion import Expansion
from knowledge.fetching.fetcher import Fetcher
from knowledge.jobs import IndexRequest, NewItem
from knowledge.store import Store
from knowledge.types import LoadedDocument
from knowledge.vectors import Model
from tests.knowledge.fetching.conftest import LoopbackSite

pytestmark = pytest.mark.integration

NOTHING = {"access": None}


@pytest.fixture
def expansion(store: Store, fetcher: Fetcher) -> Expansion:
    return Expansion(store=store, fetcher=fetcher)


async def stored(store: Store, model: Model, *sources: str, origin: str | None = None) -> None:
    """Let these sources be known."""
    for source in sources:
        await store.write_document(
            collection="default",
            source=source,
            content_hash="hash",
            document=LoadedDocument("A", "", ()),
            chunks=(),
            embeddings=[],  # pyright: ignore[reportArgumentType]
            model=model,
            access=None,
            effective_date=None,
            origin=origin,
        )


def sitemap(*urls: str) -> str:
    entries = "".join(f"<url><loc>{url}</loc></url>" for url in urls)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</urlset>'


def sitemap_index(*urls: str) -> str:
    entries = "".join(f"<sitemap><loc>{url}</loc></sitemap>" for url in urls)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</sitemapindex>'


async def test_a_request_for_nothing_is_nothing(expansion: Expansion) -> None:
    assert await expansion.items(IndexRequest()) == []


async def test_each_file_of_a_folder_is_an_item(expansion: Expansion, tmp_path: Path) -> None:
    for name in ("b.md", "a.md"):
        (tmp_path / name).write_text("text")
    items = await expansion.items(IndexRequest(paths=(str(tmp_path),), access=("staff",)))
    assert items == [NewItem("file", str(tmp_path / name), {"access": ("staff",)}) for name in ("a.md", "b.md")]


async def test_an_empty_folder_is_nothing(expansion: Expansion, tmp_path: Path) -> None:
    assert await expansion.items(IndexRequest(paths=(str(tmp_path),))) == []


async def test_what_was_indexed_from_a_folder_and_is_gone_is_to_be_removed(
    expansion: Expansion, tmp_path: Path, store: Store, model: Model
) -> None:
    await stored(store, model, str(tmp_path / "old.md"), "/elsewhere/b.md", "upload.md", "https://a/")
    items = await expansion.items(IndexRequest(paths=(str(tmp_path),)))
    assert items == [NewItem("vanished", str(tmp_path / "old.md"), {})]


async def test_a_path_that_never_was_there_has_failed(expansion: Expansion, tmp_path: Path) -> None:
    (item,) = await expansion.items(IndexRequest(paths=(str(tmp_path / "gone"),)))
    assert (item.kind, item.reason) == ("file", "there is no such file or folder; check the path.")


async def test_a_folder_that_was_indexed_and_is_gone_has_not_failed(
    expansion: Expansion, tmp_path: Path, store: Store, model: Model
) -> None:
    await stored(store, model, str(tmp_path / "gone/a.md"))
    items = await expansion.items(IndexRequest(paths=(str(tmp_path / "gone"),)))
    assert items == [NewItem("vanished", str(tmp_path / "gone/a.md"), {})]


async def test_what_cannot_be_read_has_failed_with_a_reason(expansion: Expansion, tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "secret.md").write_text("text")
    (tmp_path / "docs/link.md").symlink_to(tmp_path / "secret.md")
    Path(os.fsdecode(bytes(tmp_path) + b"/docs/gr\xfcn.md")).write_text("text")
    items = await expansion.items(IndexRequest(paths=(str(tmp_path / "docs"),)))
    assert sorted(item.reason or "" for item in items) == [
        "its name is not valid UTF-8; rename it.",
        "this link leads out of the folder; index what it leads to.",
    ]


async def test_a_page_is_an_item_with_its_content(expansion: Expansion, site: LoopbackSite) -> None:
    url = site.serves("/a", "<p>Text.</p>", content_type="text/html")
    assert await expansion.items(IndexRequest(urls=(url,))) == [
        NewItem("url", url, NOTHING | {"content_type": "text/html"}, content=b"<p>Text.</p>")
    ]


async def test_a_page_that_cannot_be_fetched_has_failed(expansion: Expansion, site: LoopbackSite) -> None:
    (item,) = await expansion.items(IndexRequest(urls=(site.url("/gone"),)))
    assert (item.kind, item.content) == ("url", None)
    assert item.reason


async def test_each_page_of_a_sitemap_is_an_item_that_knows_where_it_comes_from(
    expansion: Expansion, site: LoopbackSite
) -> None:
    url = site.serves("/sitemap.xml", sitemap(site.url("/a"), site.url("/b")), content_type="application/xml")
    items = await expansion.items(IndexRequest(urls=(url,)))
    assert items == [NewItem("url", site.url(path), NOTHING | {"origin": url}) for path in ("/a", "/b")]


async def test_a_page_that_is_gone_from_its_sitemap_is_to_be_removed(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    url = site.serves("/sitemap.xml", sitemap(site.url("/a")), content_type="application/xml")
    await stored(store, model, site.url("/a"), site.url("/old"), origin=url)
    await stored(store, model, site.url("/by-itself"))
    items = await expansion.items(IndexRequest(urls=(url,)))
    assert items[1:] == [NewItem("vanished", site.url("/old"), {})]


async def test_a_page_that_another_sitemap_of_the_job_names_is_not_removed(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    first = site.serves("/1.xml", sitemap(site.url("/a")), content_type="application/xml")
    second = site.serves("/2.xml", sitemap(site.url("/b")), content_type="application/xml")
    await stored(store, model, site.url("/b"), origin=first)
    items = await expansion.items(IndexRequest(urls=(first, second)))
    assert [(item.kind, item.source) for item in items] == [("url", site.url("/a")), ("url", site.url("/b"))]


async def answer_503(_: web.Request) -> web.Response:
    return web.Response(status=503)


async def test_a_sitemap_that_fails_removes_nothing(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    url = site.answers("/sitemap.xml", answer_503)
    await stored(store, model, site.url("/a"), origin=url)
    (item,) = await expansion.items(IndexRequest(urls=(url,)))
    assert (item.kind, item.source, item.reason is None) == ("url", url, False)


async def test_a_part_of_a_sitemap_that_fails_removes_nothing(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    part = site.answers("/part.xml", answer_503)
    good = site.serves("/good.xml", sitemap(site.url("/a")), content_type="application/xml")
    url = site.serves("/sitemap.xml", sitemap_index(good, part), content_type="application/xml")
    await stored(store, model, site.url("/b"), origin=url)
    items = await expansion.items(IndexRequest(urls=(url,)))
    assert [(item.kind, item.source, item.reason is None) for item in items] == [
        ("url", site.url("/a"), True),
        ("url", part, False),
    ]


async def test_a_robots_txt_that_fails_removes_nothing(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    site.answers("/robots.txt", answer_503)
    url = site.serves("/sitemap.xml", sitemap(site.url("/a")), content_type="application/xml")
    await stored(store, model, site.url("/b"), origin=url)
    (item,) = await expansion.items(IndexRequest(urls=(url,)))
    assert (item.source, item.reason is None) == (url, False)


async def test_an_emptied_sitemap_removes_its_pages(
    expansion: Expansion, site: LoopbackSite, store: Store, model: Model
) -> None:
    url = site.serves("/sitemap.xml", sitemap(), content_type="application/xml")
    await stored(store, model, site.url("/a"), origin=url)
    assert await expansion.items(IndexRequest(urls=(url,))) == [NewItem("vanished", site.url("/a"), {})]


async def test_one_address_that_fails_does_not_stop_the_others(
    expansion: Expansion, site: LoopbackSite, tmp_path: Path
) -> None:
    (tmp_path / "a.md").write_text("text")
    url = site.serves("/a", "<p>Text.</p>")
    items = await expansion.items(IndexRequest(paths=(str(tmp_path),), urls=("nonsense", site.url("/gone"), url)))
    assert [item.reason is None for item in items] == [True, False, False, True]
