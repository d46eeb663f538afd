"""`jarvis search`, with the real database and search."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from server.cli import app

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, models_dir: Path, database_url: str) -> Path:
    """A data directory with the built model, two documents indexed: one for everybody, one for the staff."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "models").symlink_to(models_dir)
    (folder / "sauna.md").write_text("# Sauna [old]\n\nThe [hot] sauna opens at noon.")
    (folder / "code.md").write_text("# Door code\n\nThe code of the sauna's door is four.")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JARVIS_DATA_DIR", str(folder))
        patch.setenv("DATABASE_URL", database_url)
        indexing = ("index", "-q", "-c", "searched")
        assert jarvis(*indexing, str(folder / "sauna.md")).exit_code == 0
        assert jarvis(*indexing, "--access", "staff", str(folder / "code.md")).exit_code == 0
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, data_dir: Path, database_url: str) -> None:
    monkeypatch.setenv("JARVIS_DATA_DIR", str(data_dir))
    monkeypatch.setenv("DATABASE_URL", database_url)


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def found(*arguments: str) -> dict[str, Any]:
    """What `jarvis search --json` says."""
    return json.loads(jarvis("search", *arguments, "--json").stdout)


def test_what_is_indexed_is_found() -> None:
    answer = found("When does the sauna open?", "-n", "1", "-c", "searched")
    assert (answer["question"], answer["verdict"]) == ("When does the sauna open?", "found")
    assert [passage["text"] for passage in answer["passages"]] == ["The [hot] sauna opens at noon."]


def test_a_passage_is_shown_as_it_is_written_with_where_it_stands() -> None:
    shown = jarvis("search", "When does the sauna open?", "-c", "searched").stdout
    assert all(text in shown for text in ("Sauna [old]", "The [hot] sauna", "[13:43]"))


def test_what_each_leg_gave_is_shown_on_request() -> None:
    question = ("When does the sauna open?", "-c", "searched")
    shown, unasked = jarvis("search", *question, "--legs").stdout, jarvis("search", *question).stdout
    assert all(leg in shown for leg in ("meaning ", "words ", "letters ", "sounds "))
    assert "letters " not in unasked
    assert set(found(*question, "--legs")["passages"][0]["legs"]) == {"meaning", "words", "letters", "sounds"}


@pytest.mark.parametrize(("labels", "count"), [((), 1), (("--access", "guest"), 1), (("--access", "staff"), 2)])
def test_only_who_holds_a_label_finds_what_it_guards(labels: tuple[str, ...], count: int) -> None:
    answer = found("What is the code of the door?", "-c", "searched", *labels)
    assert len(answer["passages"]) == count


def test_a_question_that_a_call_would_not_look_up_is_searched_here() -> None:
    assert found("thanks a lot, goodbye", "-c", "searched")["passages"] != []


def test_a_collection_that_is_not_there_is_named() -> None:
    result = jarvis("search", "x", "-c", "manuals")
    assert result.exit_code == 1
    assert "There is no collection 'manuals'" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_server_that_does_not_answer_keeps_its_socket_and_keeps_nobody_from_searching(data_dir: Path) -> None:
    server = data_dir / "run" / "knowledge.sock"
    server.parent.mkdir(exist_ok=True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(server))
    assert len(found("When does the sauna open?", "-n", "1", "-c", "searched")["passages"]) == 1
    assert [path.name for path in server.parent.glob("*.sock")] == ["knowledge.sock"]
    server.unlink()
