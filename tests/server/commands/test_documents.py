"""`jarvis documents`, on a real database."""

import asyncio
import json
from uuid import UUID

import numpy as np
import pytest
from psycopg_pool import AsyncConnectionPool
from typer.testing import CliRunner, Result

from knowledge.database import Database, prepare_connection
from knowledge.embedders.fake import FakeEmbedder
from knowledge.store import Store
from knowledge.types import Chunk, LoadedDocument, Section
from knowledge.vectors import VectorStore
from server.cli import app

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, clean_process: None, database_url: str) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)


@pytest.fixture
def stored(database_url: str) -> dict[str, UUID]:
    """Ids of the only documents there are, by source."""

    async def store_them() -> dict[str, UUID]:
        async with AsyncConnectionPool(
            database_url, min_size=1, max_size=2, open=False, configure=prepare_connection
        ) as pool:
            database, embedder = Database(pool), FakeEmbedder()
            await database.migrate()
            async with pool.connection() as connection:
                await connection.execute("truncate documents, gaps, index_jobs, embedding_models, collections cascade")
            model = await VectorStore(database).add(model_id=embedder.model_id, dimensions=embedder.dimensions)
            store = Store(database)
            ids: dict[str, UUID] = {}
            for source, collection in (("sauna.md", "default"), ("pool [old].md", "spa")):
                await store.make_collection(collection)
                text = f"The text of {source}"
                ids[source] = await store.write_document(
                    collection=collection,
                    source=source,
                    content_hash=source,
                    document=LoadedDocument(f"Title of {source}", text, (Section((), 0, len(text)),)),
                    chunks=[Chunk(0, (), text, 0, len(text), ((0, len(text)),))],
                    embeddings=np.ones((1, embedder.dimensions), dtype=np.float32),
                    model=model,
                    access=("staff",),
                    effective_date=None,
                )
            await store.fail_document(collection="spa", source="scan.pdf", title="Scan", error="it holds no text.")
            return ids

    return asyncio.run(store_them())


def jarvis(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["documents", *arguments])


def listed(*arguments: str) -> dict[str, str]:
    """Source → status of the documents in the list."""
    return {each["source"]: each["status"] for each in json.loads(jarvis(*arguments, "--json").stdout)["documents"]}


def test_documents_are_listed_with_their_short_ids(stored: dict[str, UUID]):
    output = jarvis().stdout
    assert str(stored["sauna.md"])[:8] in output
    assert "pool [old].md" in output
    assert "failed: it holds no text." in output


@pytest.mark.parametrize(
    ("arguments", "sources"),
    [
        ((), {"sauna.md", "pool [old].md", "scan.pdf"}),
        (("--collection", "spa"), {"pool [old].md", "scan.pdf"}),
        (("--status", "failed"), {"scan.pdf"}),
    ],
)
def test_the_list_can_be_narrowed(stored: dict[str, UUID], arguments: tuple[str, ...], sources: set[str]):
    assert set(listed(*arguments)) == sources


def test_an_empty_list_says_what_to_do(stored: dict[str, UUID]):
    assert "jarvis index PATH" in jarvis("--status", "indexing").stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--collection", "gym"), "There is no collection 'gym'"),
        (("--status", "lost"), "A document is indexing, ready, failed, retired"),
        (("show", "zzz"), "There is no document 'zzz'"),
        (("retire", "zzz"), "There is no document 'zzz'"),
        (("restore", "zzz"), "There is no document 'zzz'"),
        (("remove", "zzz"), "There is no document 'zzz'"),
    ],
)
def test_what_is_not_there_is_said(stored: dict[str, UUID], arguments: tuple[str, ...], said: str):
    result = jarvis(*arguments)
    assert (result.exit_code, said in result.stderr) == (1, True)


def test_a_document_is_shown_with_its_text(stored: dict[str, UUID]):
    output = jarvis("show", str(stored["pool [old].md"]), "--text").stdout
    assert "title          Title of pool [old].md\n" in output
    assert "access         staff\n" in output
    assert "The text of pool [old].md" in output


def test_a_retired_document_is_restored(stored: dict[str, UUID]):
    prefix = str(stored["sauna.md"])[:8]
    assert jarvis("retire", prefix).stdout == f"retired: Title of sauna.md (sauna.md, {prefix})\n"
    assert listed()["sauna.md"] == "retired"
    assert jarvis("restore", prefix).stdout.startswith("restored: Title of sauna.md")
    assert listed()["sauna.md"] == "ready"


def test_removed_documents_are_named_and_gone(stored: dict[str, UUID]):
    result = jarvis("remove", *(str(each) for each in stored.values()))
    assert result.stdout.count("removed: ") == 2
    assert set(listed()) == {"scan.pdf"}


def test_nothing_is_removed_where_one_is_not_there(stored: dict[str, UUID]):
    assert jarvis("remove", str(stored["sauna.md"]), "zzz").exit_code == 1
    assert "sauna.md" in listed()


@pytest.mark.parametrize(
    ("arguments", "said"), [((), "List the documents"), (("remove",), "brings them back"), (("show",), "--text")]
)
def test_the_commands_explain_themselves(arguments: tuple[str, ...], said: str):
    assert said in jarvis(*arguments, "--help").stdout
