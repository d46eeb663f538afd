"""A knowledge of a measurement's own, with the real database, indexer and search."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge.embedders.minilm import is_built
from knowledge.jobs import IndexRequest, Job
from server.commands.own_knowledge import own_knowledge
from server.settings import Settings

pytestmark = pytest.mark.integration


@pytest.fixture
def documents(tmp_path: Path) -> Path:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "pool.md").write_text("# Pool\n\nThe swimming pool opens at seven.")
    return folder


@pytest.fixture
def kept() -> Iterator[Path]:
    """A folder below /tmp, since tmp_path is closed to the account that Postgres runs as."""
    with tempfile.TemporaryDirectory(prefix="jarvis-kept-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder, "kept")


@pytest.mark.usefixtures("built")
async def test_what_is_indexed_is_found_and_thrown_away_at_the_end(documents: Path) -> None:
    shown: list[Job] = []
    async with own_knowledge(Settings()) as knowledge:
        job = await knowledge.index(IndexRequest(paths=(str(documents),)), progress=shown.append)
        client, process = await knowledge.search()
        (passage,) = (await client.search("when can I swim")).passages
        folder, pid = knowledge.opened.settings.data_dir, process.pid
        assert folder.exists()
    assert (job.state, job.counts, passage.text) == ("done", {"added": 1}, "The swimming pool opens at seven.")
    assert (folder.exists(), process.pid, Path(f"/proc/{pid}").exists()) == (False, None, False)
    assert not any(job.has_ended for job in shown)


@pytest.mark.usefixtures("built")
async def test_what_is_in_a_folder_is_kept(documents: Path, kept: Path) -> None:
    async with own_knowledge(Settings(), folder=kept) as knowledge:
        await knowledge.index(IndexRequest(paths=(str(documents),)))
    async with own_knowledge(Settings(), folder=kept) as knowledge:
        assert await knowledge.is_indexed("default")
        client, _ = await knowledge.search()
        assert len((await client.search("when can I swim")).passages) == 1


@pytest.mark.usefixtures("built")
async def test_a_kept_folder_whose_model_went_with_its_server_takes_another(kept: Path) -> None:
    kept.mkdir()
    (kept / "models").symlink_to(kept / "gone")
    async with own_knowledge(Settings(), folder=kept) as knowledge:
        assert is_built(knowledge.opened.settings.models_dir)
