import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from evals.answers import Answer, AnswersResult, AskedQuestion, Outcome, Question
from evals.retrieval import Scores
from evals.wer import VoiceResult, WordErrors
from knowledge.jobs import IndexRequest
from knowledge.types import Verdict
from server.cli import app
from server.commands import eval as command
from server.commands.own_knowledge import own_knowledge
from server.settings import Settings

ASKED = AskedQuestion(Question(id="q1", question="Why?", documents=frozenset({"a.md"})), Outcome.RIGHT, Answer())
ANSWERED = AnswersResult("typed", (ASKED,))
HEARD = VoiceResult("slt", 16_000, WordErrors(1, 4), (0.5,), 2.0, (0.9,))
SCORES = Scores("handbook", 24, 50, 0.8123, 0.7, 0.75, 0.8, 0.9, 5.0, 7.2)


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["eval", *arguments])


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Figures in place of a measurement; the list holds what was asked for."""
    asked: list[Any] = []

    async def evaluate(
        _settings: object, _console: object, *, wants_wer: bool, wants_answers: bool, engine: str
    ) -> Any:
        asked.append((wants_wer, wants_answers, engine))
        return [HEARD] if wants_wer else [], [ANSWERED] if wants_answers else []

    async def answers_over(_settings: object, folders: list[Path], keep: Path | None, _console: object) -> Any:
        asked.append(("answers", [folder.name for folder in folders], keep))
        return [ANSWERED]

    async def retrieval_over(_settings: object, folders: list[Path], keep: Path | None, _console: object) -> Any:
        asked.append(("retrieval", [folder.name for folder in folders], keep))
        return [SCORES]

    monkeypatch.setattr(command, "_evaluate", evaluate)
    monkeypatch.setattr(command, "_answers_over", answers_over)
    monkeypatch.setattr(command, "_retrieval_over", retrieval_over)
    return asked


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        ([], (True, True, "pocketsphinx")),
        (["wer"], (True, False, "pocketsphinx")),
        (["wer", "--engine", "moonshine"], (True, False, "moonshine")),
        (["answers"], (False, True, "pocketsphinx")),
        (["answers", "--data", "one", "--data", "two"], ("answers", ["one", "two"], None)),
        (["retrieval"], ("retrieval", [], None)),
        (["retrieval", "--data", "one", "--keep", "kept"], ("retrieval", ["one"], Path("kept"))),
    ],
)
def test_everything_is_measured_unless_a_part_is_named(measured: list[Any], arguments: list[str], asked: Any) -> None:
    assert jarvis(*arguments).exit_code == 0
    assert measured == [asked]


def test_the_figures_come_as_tables_that_say_what_was_in_the_path(measured: list[Any]) -> None:
    outcome = jarvis()
    assert outcome.exit_code == 0
    assert "recogniser: pocketsphinx; answerer: embedded; no vendor in the path" in outcome.stdout
    assert "25.0" in outcome.stdout
    assert "typed" in outcome.stdout


def test_the_figures_come_as_one_json_object(measured: list[Any]) -> None:
    outcome = jarvis("--json")
    assert outcome.exit_code == 0
    data = json.loads(outcome.stdout)
    assert data["vendors"] == []
    assert (data["wer"][0]["rate"], data["wer"][0]["secs_per_audio_sec"]) == (0.25, 0.25)
    assert data["answers"][0]["outcomes"] == {"q1": "right"}


def test_how_well_the_search_finds_comes_as_a_table(measured: list[Any]) -> None:
    assert "0.812" in jarvis("retrieval").stdout


def test_how_well_the_search_finds_comes_as_one_json_object(measured: list[Any]) -> None:
    (scores,) = json.loads(jarvis("retrieval", "--json").stdout)["sets"]
    assert (scores["name"], scores["ndcg_at_10"], scores["p95_ms"]) == ("handbook", 0.8123, 7.2)


@pytest.mark.parametrize(
    "arguments", [["latency"], ["wer", "--data", "x"], ["wer", "--engine", "x"], ["retrieval", "--data"]]
)
def test_what_cannot_be_measured_is_refused(measured: list[Any], arguments: list[str]) -> None:
    assert jarvis(*arguments).exit_code == 2
    assert measured == []


@pytest.mark.parametrize("part", ["answers", "retrieval"])
def test_a_folder_that_is_no_data_set_is_named_without_a_traceback(part: str, tmp_path: Path) -> None:
    outcome = jarvis(part, "--data", str(tmp_path / "none"))
    assert outcome.exit_code == 1
    assert "none/corpus.jsonl cannot be read" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.fixture
def kept() -> Iterator[Path]:
    """A folder below /tmp, since tmp_path is closed to the account that Postgres runs as."""
    with tempfile.TemporaryDirectory(prefix="jarvis-kept-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, "kept")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data set of two documents and two questions, one of which follows another."""
    folder = tmp_path / "venue"
    folder.mkdir()
    corpus = [
        {"id": "pool", "title": "Pool", "text": "The swimming pool opens at seven in the morning."},
        {"id": "food", "title": "Food", "text": "Breakfast is served until ten."},
    ]
    queries = [
        {"id": "q1", "text": "When does the swimming pool open?", "answers": ["at seven"]},
        {"id": "q2", "text": "Until when?", "history": [{"role": "user", "text": "Is breakfast served?"}]},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)))
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)))
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tpool\t1\nq2\tfood\t1\n")
    return folder


@pytest.mark.integration
@pytest.mark.usefixtures("built")
def test_a_data_set_is_indexed_once_and_measured_twice(data: Path, kept: Path) -> None:
    how = ("--data", str(data), "--keep", str(kept), "--json")
    found = jarvis("retrieval", *how)
    assert found.exit_code == 0, found.stderr
    (scores,) = json.loads(found.stdout)["sets"]
    assert (scores["documents"], scores["queries"], scores["ndcg_at_10"], scores["hit_at_5"]) == (2, 2, 1.0, 1.0)
    (data / "corpus.jsonl").write_text('{"id": "other", "text": "Not indexed again."}')
    (asked,) = json.loads(jarvis("answers", *how).stdout)["answers"]
    assert (asked["asked_by"], asked["answerable"]["right"]) == ("venue", 1)
    assert sum(asked["unanswerable"].values()) == 1


@pytest.mark.integration
@pytest.mark.usefixtures("built")
async def test_an_index_that_was_interrupted_is_not_taken_for_whole(tmp_path: Path, kept: Path) -> None:
    request = IndexRequest(paths=(str(tmp_path / "none"),))
    async with own_knowledge(Settings(), folder=kept) as knowledge:
        assert not await knowledge.is_indexed("default")
        job_id = await (await knowledge.opened.queue()).submit(request)
        assert not await knowledge.is_indexed("default")
        await knowledge.opened.jobs.end(job_id)
        assert await knowledge.is_indexed("default")


@pytest.mark.integration
@pytest.mark.usefixtures("built")
async def test_the_handbook_is_searched_in_a_database_of_its_own_whatever_the_environment_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/operators")
    async with command.searchable_handbook(Settings()) as knowledge:
        found = await knowledge.search("Do gift cards expire?", limit=1)
        thanks = await knowledge.search("okay great thank you so much")
    assert (found.verdict, Path(found.passages[0].source).name) == (Verdict.FOUND, "gift-cards.md")
    assert thanks.verdict is Verdict.SMALL_TALK
