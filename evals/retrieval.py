"""How well and how fast the search finds what is judged right, over folders of a corpus, questions and judgements."""

import math
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, Field, ValidationError
from rich.table import Table

from knowledge.jobs import IndexRequest, Upload
from knowledge.types import SearchResult, Turn

CORPUS, QUERIES, JUDGEMENTS = "corpus.jsonl", "queries.jsonl", "qrels.tsv"
RANKS = 10
# Several passages of one document count once, so more are asked for than ranks.
PASSAGES = 40
WARM_UP = 20


class DataError(Exception):
    """A folder is no data set; the message says what is wrong."""


class CorpusRow(BaseModel):
    """One line of corpus.jsonl."""

    id: str = Field(min_length=1)
    title: str = ""
    text: str = ""


class Query(BaseModel):
    """One line of queries.jsonl.

    `history` is what was said before, oldest first; a right answer contains one of `answers`, where there are any.
    """

    id: str
    text: str
    history: list[Turn] = []
    answers: list[str] = []


@dataclass(frozen=True)
class DataSet:
    """A folder of corpus.jsonl, queries.jsonl and qrels.tsv; `gold` names the right documents of each judged query."""

    name: str
    corpus: tuple[CorpusRow, ...]
    queries: tuple[Query, ...]
    gold: dict[str, frozenset[str]]

    @property
    def judged(self) -> list[Query]:
        """The queries that have a right document."""
        return [query for query in self.queries if query.id in self.gold]

    def request(self, collection: str) -> IndexRequest:
        """What indexes the corpus, a document a row."""
        uploads = tuple(
            Upload(
                row.id, (row.text.strip() or row.title).encode(), content_type="text/plain", title=row.title or row.id
            )
            for row in self.corpus
            if row.text.strip() or row.title.strip()
        )
        return IndexRequest(collection=collection, uploads=uploads)


@dataclass(frozen=True)
class Scores:
    """Means over the judged queries, 0 to 1, and how long a search took, in milliseconds."""

    name: str
    documents: int
    queries: int
    ndcg_at_10: float
    recall_at_3: float
    recall_at_5: float
    mrr_at_10: float
    hit_at_5: float
    p50_ms: float
    p95_ms: float


class Search(Protocol):
    """What is measured; `knowledge.client.KnowledgeClient` is the real one."""

    async def search(
        self, question: str, *, history: Sequence[Turn] = (), limit: int = 4, collection: str | None = None, gated: bool
    ) -> SearchResult:
        """The best passages, best first."""
        ...


def read_data(folder: Path) -> DataSet:
    """Read a folder; raises DataError that names the file and line."""
    corpus = tuple(_rows(folder / CORPUS, CorpusRow))
    queries = tuple(_rows(folder / QUERIES, Query))
    gold: dict[str, set[str]] = {}
    for number, line in enumerate(_lines(folder / JUDGEMENTS), start=1):
        fields = line.split("\t")
        if number == 1 and not fields[-1].strip().lstrip("-").isdigit():
            continue
        if len(fields) != 3 or not fields[2].strip().lstrip("-").isdigit():
            raise DataError(f"{folder / JUDGEMENTS}:{number} is not query-id, corpus-id and score with tabs between.")
        if int(fields[2]) > 0:
            gold.setdefault(fields[0], set()).add(fields[1])
    return DataSet(folder.resolve().name, corpus, queries, {query: frozenset(rows) for query, rows in gold.items()})


async def measure(
    data: DataSet, *, search: Search, collection: str, on_asked: Callable[[], None] = lambda: None
) -> tuple[Scores, dict[str, list[str]]]:
    """Ask every judged query as it stands and return the scores, and query id → ranked documents."""
    for row in data.corpus[:WARM_UP]:
        await search.search(row.title or row.id, limit=4, collection=collection, gated=False)
    ranked: dict[str, list[str]] = {}
    took_ms: list[float] = []
    for query in data.judged:
        started = time.perf_counter()
        await search.search(query.text, history=query.history, limit=4, collection=collection, gated=False)
        took_ms.append((time.perf_counter() - started) * 1000)
        found = await search.search(
            query.text, history=query.history, limit=PASSAGES, collection=collection, gated=False
        )
        ranked[query.id] = list(dict.fromkeys(passage.source for passage in found.passages))[:RANKS]
        on_asked()
    judged = [(ranked[query.id], data.gold[query.id]) for query in data.judged]
    p50_ms, p95_ms = _percentile(took_ms, 50), _percentile(took_ms, 95)
    return (
        Scores(
            name=data.name,
            documents=len(data.corpus),
            queries=len(judged),
            ndcg_at_10=_mean(ndcg(found, gold) for found, gold in judged),
            recall_at_3=_mean(recall(found, gold, 3) for found, gold in judged),
            recall_at_5=_mean(recall(found, gold, 5) for found, gold in judged),
            mrr_at_10=_mean(reciprocal_rank(found, gold) for found, gold in judged),
            hit_at_5=_mean(float(bool(set(found[:5]) & gold)) for found, gold in judged),
            p50_ms=p50_ms,
            p95_ms=p95_ms,
        ),
        ranked,
    )


def ndcg(ranked: Sequence[str], gold: frozenset[str]) -> float:
    """Discounted gain of the first ten, as a share of the most there could be."""
    gained = sum(1 / math.log2(rank + 2) for rank, found in enumerate(ranked[:RANKS]) if found in gold)
    return gained / sum(1 / math.log2(rank + 2) for rank in range(min(RANKS, len(gold))))


def recall(ranked: Sequence[str], gold: frozenset[str], first: int) -> float:
    """Share of the right ones among the first."""
    return len(set(ranked[:first]) & gold) / len(gold)


def reciprocal_rank(ranked: Sequence[str], gold: frozenset[str]) -> float:
    """One over the rank of the first right one, 0 where it is not among the first ten."""
    return next((1 / rank for rank, found in enumerate(ranked[:RANKS], start=1) if found in gold), 0.0)


def table(results: Sequence[Scores]) -> Table:
    """All sets, a line each."""
    columns = ("nDCG@10", "recall@3", "recall@5", "MRR@10", "hit@5", "p50 ms", "p95 ms")
    shown = Table("set", "documents", "queries", *columns)
    for column in shown.columns[1:]:
        column.justify = "right"
    for each in results:
        rates = (each.ndcg_at_10, each.recall_at_3, each.recall_at_5, each.mrr_at_10, each.hit_at_5)
        times = (each.p50_ms, each.p95_ms)
        shown.add_row(
            each.name, f"{each.documents:,}", f"{each.queries:,}", *(f"{rate:.3f}" for rate in rates),
            *(f"{ms:.1f}" for ms in times),
        )  # fmt: skip
    return shown


def _mean(values: Iterable[float]) -> float:
    return statistics.fmean(list(values) or [0.0])


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] if ordered else 0.0


def _rows(path: Path, kind: type[Any]) -> Iterable[Any]:
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            try:
                yield kind.model_validate_json(line)
            except ValidationError as error:
                wrong = ", ".join(".".join(map(str, each["loc"])) or "the line" for each in error.errors())
                raise DataError(f"{path}:{number} is not what is expected: check {wrong}.") from error


def _lines(path: Path) -> list[str]:
    try:
        # Not splitlines(): a text may hold characters that it takes for line ends.
        return path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}); a data set has three files.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8; save it as UTF-8.") from error
