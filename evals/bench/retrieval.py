"""`jarvis bench retrieval`: what documents cost by their number, and whether a killed indexer loses anything.

The real server runs in a data directory of its own with the embedded model; the passages are made up from the sentences
of the sample handbook. No vendor is in the path.
"""

import asyncio
import random
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from importlib import resources
from pathlib import Path

import psutil

from evals.bench.errors import BenchError
from evals.bench.figures import Figure, Finding, Note, percentile
from evals.bench.servers import data_dir, running
from evals.program import ROOT, Jarvis
from knowledge.client import KnowledgeClient
from knowledge.errors import KnowledgeError

PASSAGES_A_DOCUMENT = 40
SENTENCES_A_PASSAGE = 3
QUESTIONS = 300
SEARCH_SECS = 10.0
INDEX_SECS = 7_200.0
STOP_SECS = 10.0
POLL_SECS = 0.2
SETTLE_SECS = 120.0
QUIET_SECS = 3.0
QUIET_PERCENT = 5.0

Progress = Callable[[str], None]


class Writer:
    """Makes up passages that differ, always the same ones."""

    def __init__(self) -> None:
        handbook = resources.files("evals") / "sample" / "handbook"
        texts = [file.read_text(encoding="utf-8") for file in handbook.iterdir()]
        found = re.findall(r"[A-Z][^.\n#|]{30,160}\.", "\n".join(texts))
        self._sentences = sorted(set(found))
        self._words = sorted({word for sentence in found for word in re.findall(r"[a-z]{5,}", sentence)})
        self._random = random.Random(7)

    def passage(self) -> str:
        """Three sentences of the handbook in which some words are others."""
        return " ".join(self._sentence() for _ in range(SENTENCES_A_PASSAGE))

    def question(self) -> str:
        """Some words of a sentence, as somebody might ask for it."""
        words = self._sentence().rstrip(".").lower().split()
        start = self._random.randrange(max(1, len(words) - 10))
        return "what about " + " ".join(words[start : start + 10])

    def folder(self, path: Path, *, documents: int, passages: int) -> None:
        """So many Markdown files of so many sections each."""
        path.mkdir()
        for number in range(documents):
            title = " ".join(self._random.sample(self._words, 3)).capitalize()
            sections = [
                f"## {' '.join(self._random.sample(self._words, 2))}\n\n{self.passage()}" for _ in range(passages)
            ]
            (path / f"document-{number:06}.md").write_text(f"# {title}\n\n" + "\n\n".join(sections), encoding="utf-8")

    def _sentence(self) -> str:
        words = self._random.choice(self._sentences).split(" ")
        for place in self._random.sample(range(len(words)), len(words) // 3):
            words[place] = self._random.choice(self._words)
        return " ".join(words).rstrip(".") + "."


async def retrieval(*, sizes: Sequence[int], killed: int, runs: int, progress: Progress) -> AsyncIterator[Finding]:
    """Indexes and searches so many passages, each number by itself, then kills the indexer of so many documents."""
    for passages in sizes:
        async for figure in _size(passages, runs, progress):
            yield figure
    if killed:
        progress(f"killing the indexer of {killed:,} documents")
        yield await _kill(killed)


async def _size(passages: int, runs: int, progress: Progress) -> AsyncIterator[Figure]:
    """What so many passages take: to be indexed, in memory, and to be searched."""
    writer, of = Writer(), f"{passages:,} passages"
    with data_dir() as path:
        async with running(path) as jarvis:
            documents = path / "documents"
            progress(f"indexing {of}")
            await asyncio.to_thread(
                writer.folder,
                documents,
                documents=max(1, passages // PASSAGES_A_DOCUMENT),
                passages=min(passages, PASSAGES_A_DOCUMENT),
            )
            began = time.monotonic()
            async with _indexing(jarvis, documents) as indexing:
                if await asyncio.wait_for(indexing.wait(), INDEX_SECS):
                    raise BenchError(f"{of} could not be indexed: jarvis index ended with {indexing.returncode}.")
            yield Figure("indexed in a second", "passages", (passages / (time.monotonic() - began),), of)
            progress(f"waiting until {of} are settled")
            await asyncio.to_thread(settle)
            took: list[list[float]] = []
            for number in range(1, runs + 1):
                progress(f"searching {of}: run {number} of {runs}")
                took.append(
                    await searches(path / "run" / "knowledge.sock", [writer.question() for _ in range(QUESTIONS)])
                )
                yield Figure(f"search, p50 of {QUESTIONS}", "ms", tuple(map(statistics.median, took)), of)
                yield Figure(f"search, p95 of {QUESTIONS}", "ms", tuple(percentile(each, 95) for each in took), of)
            for name, module in (("retrieval process", "knowledge.process"), ("indexer", "knowledge.indexer")):
                yield Figure(
                    f"private memory, {name}", "MB", (child(jarvis, module).memory_full_info().uss / 2**20,), of
                )
            on_disk = sum(file.stat().st_size for file in (path / "lexical").rglob("*") if file.is_file())
            yield Figure("index of words on disk", "MB", (on_disk / 2**20,), of)


def child(jarvis: Jarvis, module: str) -> psutil.Process:
    """The server's process that runs this module."""
    family = jarvis.process.children(recursive=True)
    return next(process for process in family if module in process.cmdline())


def settle() -> None:
    """Wait until the host is quiet: the recogniser learns new words, and the database counts its rows. Blocks."""
    deadline = time.monotonic() + SETTLE_SECS
    while psutil.cpu_percent(interval=QUIET_SECS) > QUIET_PERCENT and time.monotonic() < deadline:
        pass


async def searches(socket: Path, questions: Sequence[str]) -> list[float]:
    """How long each search took, end to end as a bot asks, in milliseconds."""
    client = KnowledgeClient(socket, timeout_secs=SEARCH_SECS)
    took_ms = []
    try:
        for question in questions:
            began = time.perf_counter()
            await client.search(question, gated=False)
            took_ms.append((time.perf_counter() - began) * 1000)
    except KnowledgeError as error:
        raise BenchError(f"A search failed: {error}") from None
    finally:
        await client.aclose()
    return took_ms


@asynccontextmanager
async def _indexing(jarvis: Jarvis, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """`jarvis index` of a folder, ended where it is still at it."""
    command = [sys.executable, "-m", "server", "index", "--quiet", str(folder)]
    nowhere = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=jarvis.environment, stdout=nowhere, stderr=nowhere, start_new_session=True
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), STOP_SECS)
        if process.returncode is None:
            process.kill()


async def _kill(documents: int) -> Note:
    """Index so many documents, kill every indexer half way with SIGKILL, and count what is there in the end."""
    with data_dir() as path:
        async with running(path) as jarvis:
            before = await asyncio.to_thread(stored, jarvis)
            folder = path / "documents"
            await asyncio.to_thread(Writer().folder, folder, documents=documents, passages=1)
            async with _indexing(jarvis, folder) as indexing:
                while (at := len(await asyncio.to_thread(stored, jarvis)) - len(before)) < documents / 2:
                    if indexing.returncode is not None:
                        raise BenchError("The documents were indexed before the indexer could be killed. Take more.")
                    await asyncio.sleep(POLL_SECS)
                of = (jarvis.process.pid, indexing.pid)
                killed = [process for process in psutil.process_iter(["cmdline"]) if is_indexer(process, of=of)]
                for process in killed:
                    process.kill()
                code = await asyncio.wait_for(indexing.wait(), INDEX_SECS)
            after = await asyncio.to_thread(stored, jarvis)
    versions = [version for source, version in after.items() if source not in before]
    return Note(
        f"{len(killed)} indexers were killed at {at:,} of {documents:,} documents: {len(versions):,} are there in the "
        f"end, {sum(version != 1 for version in versions)} of them indexed twice; jarvis index ended with {code}."
    )


def is_indexer(process: psutil.Process, *, of: tuple[int, ...]) -> bool:
    """Whether it is an indexer that one of these processes started."""
    try:
        return "knowledge.indexer" in (process.info["cmdline"] or ()) and process.ppid() in of
    except psutil.NoSuchProcess:
        return False


def stored(jarvis: Jarvis) -> dict[str, int]:
    """Source → version of the documents that were read, as the HTTP interface lists them."""
    key = jarvis.operator_key()
    found: dict[str, int] = {}
    after = ""
    while True:
        query = f"?limit=500&after={after}" if after else "?limit=500"
        _, page, _ = jarvis.request("GET", f"/api/rag/documents{query}", token=key)
        found |= {each["source"]: each["version"] for each in page["documents"] if each["version"]}
        if (after := page["next"]) is None:
            return found
