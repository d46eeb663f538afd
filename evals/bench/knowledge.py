"""`python -m evals.bench.knowledge`: what documents cost by their number, and whether a killed indexer loses anything.

The real server runs in a data directory of its own with the embedded model; the passages are made up from the sentences
of the sample handbook. No vendor is in the path.
"""

import argparse
import asyncio
import json
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

import psutil
from loguru import logger
from rich.console import Console
from rich.table import Table

from evals.program import ROOT, Jarvis
from knowledge.client import KnowledgeClient

SIZES = (12_000, 100_000)
KILL_DOCUMENTS = 5_000
PASSAGES_A_DOCUMENT = 40
SENTENCES_A_PASSAGE = 3
QUESTIONS = 300
SEARCH_SECS = 10.0
INDEX_SECS = 7_200.0
POLL_SECS = 0.2
SETTLE_SECS = 120.0
QUIET_SECS = 3.0
QUIET_PERCENT = 5.0


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


@contextmanager
def server() -> Iterator[tuple[Jarvis, Path]]:
    """A running server on a data directory of its own, below /tmp since Postgres may run as another account."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-bench-"))
    path.chmod(0o755)
    jarvis = Jarvis(path)
    try:
        jarvis.start()
        yield jarvis, path
    finally:
        jarvis.stop()
        shutil.rmtree(path, ignore_errors=True)


def child(jarvis: Jarvis, module: str) -> psutil.Process:
    """The server's process that runs this module."""
    family = jarvis.process.children(recursive=True)
    return next(process for process in family if module in process.cmdline())


def size(passages: int) -> dict[str, float]:
    """What so many passages take: to be indexed, in memory, and to be searched."""
    writer = Writer()
    with server() as (jarvis, path):
        documents = path / "documents"
        writer.folder(documents, documents=passages // PASSAGES_A_DOCUMENT, passages=PASSAGES_A_DOCUMENT)
        began = time.monotonic()
        indexed = jarvis.command("index", "--quiet", str(documents), seconds=INDEX_SECS)
        secs = time.monotonic() - began
        if indexed.code:
            raise SystemExit(f"The documents could not be indexed:\n{indexed.err}")
        settle()
        took_ms = asyncio.run(searches(path / "run" / "knowledge.sock", [writer.question() for _ in range(QUESTIONS)]))
        retrieval, indexer = (child(jarvis, module) for module in ("knowledge.process", "knowledge.indexer"))
        return {
            "passages": passages,
            "indexed a second": passages / secs,
            "search p50 ms": statistics.median(took_ms),
            "search p95 ms": sorted(took_ms)[len(took_ms) * 95 // 100],
            "retrieval MB": retrieval.memory_full_info().uss / 2**20,
            "indexer MB": indexer.memory_full_info().uss / 2**20,
            "index of words MB": sum(file.stat().st_size for file in (path / "lexical").rglob("*") if file.is_file())
            / 2**20,
        }


def settle() -> None:
    """Wait until the host is quiet: the recogniser learns new words, and the database counts its rows."""
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
    finally:
        await client.aclose()
    return took_ms


def kill(documents: int) -> dict[str, float]:
    """Index so many documents, kill every indexer half way with SIGKILL, and count what is there in the end."""
    with server() as (jarvis, path):
        before = stored(jarvis, path)
        folder = path / "documents"
        Writer().folder(folder, documents=documents, passages=1)
        command = [sys.executable, "-m", "server", "index", "--quiet", str(folder)]
        indexing = subprocess.Popen(command, cwd=ROOT, env=jarvis.environment)  # noqa: S603
        while len(stored(jarvis, path)) - len(before) < documents / 2:
            if indexing.poll() is not None:
                raise SystemExit("The documents were indexed before the indexer could be killed.")
            time.sleep(POLL_SECS)
        killed = [p for p in psutil.process_iter(["cmdline"]) if is_indexer(p, of=(jarvis.process.pid, indexing.pid))]
        for process in killed:
            process.kill()
        at = len(stored(jarvis, path)) - len(before)
        code = indexing.wait(INDEX_SECS)
        versions = [version for source, version in stored(jarvis, path).items() if source not in before]
        return {
            "documents": documents,
            "killed at": at,
            "indexers killed": len(killed),
            "there in the end": len(versions),
            "indexed twice": sum(version != 1 for version in versions),
            "exit code of jarvis index": code,
        }


def is_indexer(process: psutil.Process, *, of: tuple[int, ...]) -> bool:
    """Whether it is an indexer that one of these processes started."""
    try:
        return "knowledge.indexer" in (process.info["cmdline"] or ()) and process.ppid() in of
    except psutil.NoSuchProcess:
        return False


def stored(jarvis: Jarvis, path: Path) -> dict[str, int]:
    """Source → version of the documents that were read, as the HTTP interface lists them."""
    key = (path / "operator.key").read_text(encoding="ascii").strip()
    found: dict[str, int] = {}
    after = ""
    while True:
        query = f"?limit=500&after={after}" if after else "?limit=500"
        _, page, _ = jarvis.request("GET", f"/api/rag/documents{query}", token=key)
        found |= {each["source"]: each["version"] for each in page["documents"] if each["version"]}
        if (after := page["next"]) is None:
            return found


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.knowledge", description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="*", default=SIZES, help="how many passages, each measured by itself"
    )
    parser.add_argument("--kill", type=int, default=KILL_DOCUMENTS, help="documents of the killed job; 0: none")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    options = parser.parse_args()
    logger.remove()
    console = Console(stderr=True)
    with console.status("measuring; 100,000 passages take a good part of an hour"):
        sizes = [size(passages) for passages in options.sizes]
        killed = [kill(options.kill)] if options.kill else []
    if options.json:
        print(json.dumps({"sizes": sizes, "kill": killed}))
        return
    for rows in filter(None, (sizes, killed)):
        table = Table(*rows[0])
        for row in rows:
            table.add_row(*(f"{value:,.1f}" if isinstance(value, float) else f"{value:,}" for value in row.values()))
        Console(width=140).print(table)


if __name__ == "__main__":
    main()
