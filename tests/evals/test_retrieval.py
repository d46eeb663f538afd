import io
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from rich.console import Console

from evals.retrieval import (
    CorpusRow,
    DataError,
    DataSet,
    Query,
    Scores,
    measure,
    ndcg,
    read_data,
    recall,
    reciprocal_rank,
    table,
)
from knowledge.types import Passage, SearchResult, Turn, Verdict

CORPUS = '{"id": "a", "title": "A", "text": "Alpha"}\n{"id": "b", "text": "Beta"}\n'
QUERIES = '{"id": "q1", "text": "what is alpha", "history": [{"role": "user", "text": "hi"}], "answers": ["Alpha"]}\n'
JUDGEMENTS = "query-id\tcorpus-id\tscore\nq1\ta\t1\n"


def folder(path: Path, *, corpus: str = CORPUS, queries: str = QUERIES, judgements: str = JUDGEMENTS) -> Path:
    for name, text in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels.tsv", judgements)):
        (path / name).write_text(text, encoding="utf-8")
    return path


RANKED = ["x", "a", "y", "b", "z", "c"]
TWELVE = [f"d{number}" for number in range(12)]


@pytest.mark.parametrize(
    ("ranked", "gold", "value"),
    [
        (["a"], {"a"}, 1.0),
        ([], {"a"}, 0.0),
        (["x"], {"a"}, 0.0),
        # 1/log2(3) of 1
        (["x", "a"], {"a"}, 0.6309),
        # (1/log2(3) + 1/log2(5)) / (1 + 1/log2(3))
        (RANKED, {"a", "b"}, 0.6509),
        # (1/log2(3) + 1/log2(5) + 1/log2(7)) / (1 + 1/log2(3) + 1/2 + 1/log2(5))
        (RANKED, {"a", "b", "c", "missing"}, 0.5535),
        (TWELVE, {"d10"}, 0.0),
        (TWELVE, {"d9"}, 0.2891),
        # Twelve right ones fill the ten ranks.
        (TWELVE, set(TWELVE), 1.0),
    ],
)
def test_ndcg_is_the_discounted_share_of_the_first_ten(ranked: list[str], gold: set[str], value: float) -> None:
    assert ndcg(ranked, frozenset(gold)) == pytest.approx(value, abs=1e-4)


@pytest.mark.parametrize(
    ("gold", "first", "value"),
    [({"a"}, 3, 1.0), ({"a", "b"}, 3, 0.5), ({"a", "b"}, 5, 1.0), ({"c"}, 5, 0.0), ({"a", "b", "c", "e"}, 5, 0.5)],
)
def test_recall_is_the_share_of_the_right_ones_among_the_first(gold: set[str], first: int, value: float) -> None:
    assert recall(RANKED, frozenset(gold), first) == value


@pytest.mark.parametrize(("gold", "value"), [({"x"}, 1.0), ({"a"}, 0.5), ({"c", "b"}, 0.25), ({"e"}, 0.0)])
def test_the_reciprocal_rank_is_that_of_the_first_right_one(gold: set[str], value: float) -> None:
    assert reciprocal_rank(RANKED, frozenset(gold)) == value


def test_past_the_tenth_nothing_counts() -> None:
    assert reciprocal_rank(TWELVE, frozenset({"d10"})) == 0.0


class ScriptedSearch:
    """Finds the sources given for a question, and keeps what it was asked."""

    def __init__(self, ranked: dict[str, list[str]]) -> None:
        self.asked: list[tuple[str, tuple[Turn, ...], int, str | None, bool]] = []
        self._ranked = ranked

    async def search(
        self, question: str, *, history: Sequence[Turn] = (), limit: int = 4, collection: str | None = None, gated: bool
    ) -> SearchResult:
        self.asked.append((question, tuple(history), limit, collection, gated))
        passages = tuple(
            Passage(UUID(int=1), source, source, (), "text", 0, 4, 0.5, 0.5)
            for source in self._ranked.get(question, [])[:limit]
        )
        return SearchResult(Verdict.FOUND if passages else Verdict.OFF_TOPIC, passages)


def data_set(gold: dict[str, set[str]], *, history: list[Turn] | None = None) -> DataSet:
    queries = tuple(Query(id=name, text=f"ask {name}", history=history or []) for name in ("q1", "q2", "q3"))
    corpus = (CorpusRow(id="a", title="A", text="Alpha"), CorpusRow(id="b", text="Beta"))
    return DataSet("set", corpus, queries, {name: frozenset(rows) for name, rows in gold.items()})


async def test_the_scores_are_means_over_the_judged_queries() -> None:
    search = ScriptedSearch({"ask q1": RANKED, "ask q2": ["b"], "ask q3": ["a"]})
    data = data_set({"q1": {"a", "b"}, "q2": {"a"}})
    scores, ranked = await measure(data, search=search, collection="default")
    assert ranked == {"q1": RANKED, "q2": ["b"]}
    assert (scores.name, scores.documents, scores.queries) == ("set", 2, 2)
    assert scores.ndcg_at_10 == pytest.approx(0.6509 / 2, abs=1e-4)
    assert (scores.recall_at_3, scores.recall_at_5, scores.mrr_at_10, scores.hit_at_5) == (0.25, 0.5, 0.25, 0.5)
    assert 0 < scores.p50_ms <= scores.p95_ms


async def test_several_passages_of_a_document_are_one_rank() -> None:
    search = ScriptedSearch({"ask q1": ["x", "x", "a", "x", "a", "b"]})
    scores, ranked = await measure(data_set({"q1": {"a"}}), search=search, collection="default")
    assert (ranked["q1"], scores.mrr_at_10) == (["x", "a", "b"], 0.5)


async def test_each_query_is_asked_ungated_with_its_history() -> None:
    search, history = ScriptedSearch({}), [Turn("user", "hi")]
    await measure(data_set({"q1": {"a"}}, history=history), search=search, collection="own")
    warm_up = [("A", (), 4, "own", False), ("b", (), 4, "own", False)]
    assert search.asked == [
        *warm_up,
        ("ask q1", (Turn("user", "hi"),), 4, "own", False),
        ("ask q1", (Turn("user", "hi"),), 40, "own", False),
    ]


async def test_each_query_is_counted() -> None:
    counted: list[int] = []
    await measure(
        data_set({"q1": {"a"}, "q3": {"a"}}),
        search=ScriptedSearch({}),
        collection="default",
        on_asked=lambda: counted.append(1),
    )
    assert len(counted) == 2


async def test_a_set_without_judgements_scores_nought() -> None:
    scores, ranked = await measure(data_set({}), search=ScriptedSearch({}), collection="default")
    assert (scores.queries, scores.ndcg_at_10, scores.p95_ms, ranked) == (0, 0.0, 0.0, {})


def score(gold: set[str], docs: list[str]) -> dict[str, float]:
    """The formulae of the scorer that published results come from."""
    ranks = list(dict.fromkeys(docs))[:10]
    hits = [doc in gold for doc in ranks]
    best = sum(1 / math.log2(rank + 2) for rank in range(min(10, len(gold))))
    return {
        "ndcg": sum(hit / math.log2(rank + 2) for rank, hit in enumerate(hits)) / best,
        "recall": sum(hits[:5]) / len(gold),
        "mrr": next((1 / (rank + 1) for rank, hit in enumerate(hits) if hit), 0),
        "hit": float(any(hits[:5])),
    }


@pytest.mark.parametrize("gold", [{"a"}, {"b", "c"}, {"e"}, {"a", "b", "c", "x", "y", "z", "e", "f"}])
@pytest.mark.parametrize("docs", [RANKED, RANKED * 2, ["c", "c", "b"], [], [*TWELVE, "a"]])
async def test_the_scores_are_those_of_the_published_scorer(gold: set[str], docs: list[str]) -> None:
    scores, _ = await measure(data_set({"q1": gold}), search=ScriptedSearch({"ask q1": docs}), collection="default")
    measured = {
        "ndcg": scores.ndcg_at_10,
        "recall": scores.recall_at_5,
        "mrr": scores.mrr_at_10,
        "hit": scores.hit_at_5,
    }
    assert measured == pytest.approx(score(gold, docs))


def test_a_folder_is_read(tmp_path: Path) -> None:
    data = read_data(folder(tmp_path))
    assert (data.name, data.gold) == (tmp_path.name, {"q1": frozenset({"a"})})
    assert data.corpus == (CorpusRow(id="a", title="A", text="Alpha"), CorpusRow(id="b", text="Beta"))
    assert data.queries == (Query(id="q1", text="what is alpha", history=[Turn("user", "hi")], answers=["Alpha"]),)


@pytest.mark.parametrize(
    "judgements",
    ["q1\ta\t1\n", "query-id\tcorpus-id\tscore\nq1\ta\t1\nq1\tb\t0\n", "q\tc\ts\r\nq1\ta\t2\r\n"],
    ids=["no header", "a score of nought", "other line ends"],
)
def test_judgements_come_with_and_without_a_header(tmp_path: Path, judgements: str) -> None:
    assert read_data(folder(tmp_path, judgements=judgements)).gold == {"q1": frozenset({"a"})}


def test_a_text_may_hold_what_else_ends_a_line(tmp_path: Path) -> None:
    text = "one\u2028two\x85three\nfour"
    row = json.dumps({"id": "a", "text": text}, ensure_ascii=False)
    assert read_data(folder(tmp_path, corpus=row + "\n")).corpus[0].text == text


def test_empty_lines_are_passed_over(tmp_path: Path) -> None:
    assert len(read_data(folder(tmp_path, corpus="\n" + CORPUS + "\n\n")).corpus) == 2


def test_queries_without_a_judgement_are_not_judged(tmp_path: Path) -> None:
    queries = QUERIES + '{"id": "q2", "text": "and beta"}\n'
    data = read_data(folder(tmp_path, queries=queries))
    assert ([query.id for query in data.judged], len(data.queries)) == (["q1"], 2)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"corpus": CORPUS + "{\n"}, "corpus.jsonl:3 is not what is expected: check the line"),
        ({"corpus": '{"id": ""}\n'}, "corpus.jsonl:1 is not what is expected: check id"),
        ({"corpus": '{"title": "A"}\n'}, "corpus.jsonl:1 is not what is expected: check id"),
        ({"queries": QUERIES + '{"id": "q2"}\n'}, "queries.jsonl:2 is not what is expected: check text"),
        (
            {"queries": '{"id": "q", "text": "x", "history": [{"role": "judge", "text": "x"}]}\n'},
            "queries.jsonl:1 is not what is expected: check history.0.role",
        ),
        ({"judgements": JUDGEMENTS + "q1 b 1\n"}, "qrels.tsv:3 is not query-id, corpus-id and score"),
        ({"judgements": JUDGEMENTS + "q1\tb\n"}, "qrels.tsv:3 is not query-id, corpus-id and score"),
        ({"judgements": JUDGEMENTS + "q1\tb\thigh\n"}, "qrels.tsv:3 is not query-id, corpus-id and score"),
        ({"judgements": JUDGEMENTS + "q1\tQ0\tb\t1\n"}, "qrels.tsv:3 is not query-id, corpus-id and score"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_file_and_line(tmp_path: Path, files: dict[str, Any], said: str) -> None:
    with pytest.raises(DataError) as error:
        read_data(folder(tmp_path, **files))
    assert f"{tmp_path}/{said}" in str(error.value)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels.tsv"])
def test_a_file_that_is_missing_is_named(tmp_path: Path, name: str) -> None:
    (folder(tmp_path) / name).unlink()
    with pytest.raises(DataError, match=f"{name} cannot be read .* has three files"):
        read_data(tmp_path)


def test_a_file_that_is_no_utf8_is_named(tmp_path: Path) -> None:
    (folder(tmp_path) / "corpus.jsonl").write_bytes(b'{"id": "a", "text": "\xe9"}')
    with pytest.raises(DataError, match="is not UTF-8"):
        read_data(tmp_path)


def test_a_row_is_indexed_under_its_id() -> None:
    rows = (
        CorpusRow(id="a", title="A", text="Alpha"),
        CorpusRow(id="b", text="Beta"),
        CorpusRow(id="c", title="Only a title"),
        CorpusRow(id="d"),
    )
    request = DataSet("set", rows, (), {}).request("default")
    assert [(upload.name, upload.title, upload.content) for upload in request.uploads] == [
        ("a", "A", b"Alpha"),
        ("b", "b", b"Beta"),
        ("c", "Only a title", b"Only a title"),
    ]
    assert request.collection == "default"


def test_the_table_holds_the_figures() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table([Scores("handbook", 1_200, 50, 0.8123, 0.7, 0.75, 0.8, 0.9, 5.04, 7.26)]))
    (row,) = (line.replace(" ", "") for line in console.export_text().splitlines() if "handbook" in line)
    assert row == "│handbook│1,200│50│0.812│0.700│0.750│0.800│0.900│5.0│7.3│"
