import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from datetime import date

import psutil
import pytest

from knowledge.errors import DocumentError
from knowledge.loaders import load
from knowledge.loaders.child import MAX_MEMORY_BYTES
from knowledge.loaders.reader import DocumentReader
from tests.knowledge.loaders.pdf_writer import Text, pdf

MARKDOWN = b"---\ndate: 2025-05-03\n---\n# Refunds\n\nFree.\n\n## When\n\nSoon."
# So many elements take seconds to read.
SLOW_PAGE = b"<ul><li>x" * 400_000


@pytest.fixture
async def reader() -> AsyncIterator[DocumentReader]:
    reader = DocumentReader()
    yield reader
    await reader.aclose()


def children() -> list[psutil.Process]:
    """Readers that run: one that is dead, but not yet waited for, has no command line."""
    found = []
    for each in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie too
            if "knowledge.loaders.child" in each.cmdline():
                found.append(each)
    return found


async def until(holds: Callable[[], object]) -> None:
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.md", MARKDOWN),
        ("a.html", b"<p>Hi"),
        ("a.csv", b"A,B\n1,2"),
        ("a.pdf", pdf([Text("Hello", 100)], [Text("World", 100)])),
    ],
)
async def test_a_document_is_the_same_as_read_in_this_process(
    reader: DocumentReader, name: str, content: bytes
) -> None:
    assert await reader.read(name, content) == load(name, content)


async def test_a_day_comes_back_as_one(reader: DocumentReader) -> None:
    assert (await reader.read("a.md", MARKDOWN)).effective_date == date(2025, 5, 3)


async def test_one_child_reads_one_document_after_the_other(reader: DocumentReader) -> None:
    await asyncio.gather(*(reader.read("a.md", MARKDOWN) for _ in range(20)))
    assert len(children()) == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"), [("a.md", b"a\0b", "binary"), ("a.key", b"x", "cannot be read")]
)
async def test_a_document_that_cannot_be_read_says_why(
    reader: DocumentReader, name: str, content: bytes, reason: str
) -> None:
    with pytest.raises(DocumentError, match=reason):
        await reader.read(name, content)


async def test_a_document_that_is_too_large_never_reaches_the_child(reader: DocumentReader) -> None:
    with pytest.raises(DocumentError, match="larger than 5 MB"):
        await reader.read("a.md", b"x" * 10_000_000)
    assert not children()


async def test_a_child_that_dies_in_the_middle_costs_only_its_document(reader: DocumentReader) -> None:
    await reader.read("a.md", MARKDOWN)
    (child,) = children()
    reading = asyncio.create_task(reader.read("a.html", SLOW_PAGE))
    await until(lambda: child.cpu_times().user > 0.5)
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(DocumentError, match="made the reader crash"):
        await reading
    assert (await reader.read("a.md", MARKDOWN)).title == "Refunds"


async def test_a_child_that_died_while_it_waited_is_replaced(reader: DocumentReader) -> None:
    await reader.read("a.md", MARKDOWN)
    (child,) = children()
    os.kill(child.pid, signal.SIGKILL)
    await until(lambda: not children())
    assert (await reader.read("a.md", MARKDOWN)).title == "Refunds"


async def test_a_document_that_takes_too_long_is_given_up() -> None:
    reader = DocumentReader(timeout_secs=0.5)
    with pytest.raises(DocumentError, match=r"longer than 0\.5 s"):
        await reader.read("a.html", SLOW_PAGE)
    await until(lambda: not children())


async def test_a_read_that_is_cancelled_leaves_no_answer_to_the_next(reader: DocumentReader) -> None:
    await reader.read("a.md", MARKDOWN)
    reading = asyncio.create_task(reader.read("a.html", SLOW_PAGE))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait([reading])
    assert (await reader.read("a.md", MARKDOWN)).title == "Refunds"


async def test_a_document_that_takes_too_much_memory_says_so(reader: DocumentReader) -> None:
    await reader.read("a.md", MARKDOWN)
    (child,) = children()
    child.rlimit(psutil.RLIMIT_AS, (child.memory_info().vms + 20_000_000, MAX_MEMORY_BYTES))
    with pytest.raises(DocumentError, match="too much memory"):
        await reader.read("a.html", SLOW_PAGE)


async def test_the_child_is_confined_and_knows_no_secrets(
    reader: DocumentReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("API_KEY", "secret")
    await reader.read("a.md", MARKDOWN)
    (child,) = children()
    assert "API_KEY" not in child.environ()
    assert child.rlimit(psutil.RLIMIT_CORE) == child.rlimit(psutil.RLIMIT_FSIZE) == (0, 0)
    assert child.rlimit(psutil.RLIMIT_AS)[1] == MAX_MEMORY_BYTES


async def test_the_child_ends_with_the_reader() -> None:
    reader = DocumentReader()
    await reader.read("a.md", MARKDOWN)
    await reader.aclose()
    assert not children()
