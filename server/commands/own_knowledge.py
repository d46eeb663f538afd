"""A knowledge of its own for a measurement: a database, an indexer and a search beside a server that may run."""

import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.client import KnowledgeClient
from knowledge.embedders.minilm import is_built
from knowledge.jobs import IndexRequest, Job
from server.commands.open_knowledge import OpenKnowledge, open_knowledge
from server.errors import SetupError
from server.processes import SupervisedProcess
from server.settings import Settings

# Quality is measured with it, not whether an answer comes in time: nothing is lost to a busy machine.
SEARCH_SECS = 10.0


@dataclass(frozen=True)
class OwnKnowledge:
    """What was made; `search` starts what answers once all is indexed."""

    opened: OpenKnowledge

    async def index(self, request: IndexRequest, *, progress: Callable[[Job], None] = lambda _: None) -> Job:
        """Index and return the job as it ended."""
        queue = await self.opened.queue()
        job = await self.opened.done(await queue.submit(request), progress=progress)
        if job.error is not None:
            raise SetupError("The documents could not be indexed; what the indexer said stands above.")
        return job

    async def is_indexed(self, collection: str) -> bool:
        """Whether the collection is stored as a whole: an index that was interrupted is not."""
        is_there = collection in await self.opened.store.collections()
        return is_there and collection not in {each for _, each in await self.opened.jobs.unfinished()}

    async def search(self) -> tuple[KnowledgeClient, SupervisedProcess]:
        """Start the search and return what asks it, and its process; both end with the knowledge."""
        socket = self.opened.settings.knowledge_socket
        process = await self.opened.serve_search(socket)
        client = KnowledgeClient(socket, timeout_secs=SEARCH_SECS)
        self.opened.stack.push_async_callback(client.aclose)
        return client, process


@asynccontextmanager
async def own_knowledge(settings: Settings, *, folder: Path | None = None) -> AsyncIterator[OwnKnowledge]:
    """An empty knowledge that is thrown away at the end; with a `folder`, what is in it, and it is kept."""
    if folder is None:
        with tempfile.TemporaryDirectory(prefix="jarvis-eval-") as thrown_away:
            async with own_knowledge(settings, folder=Path(thrown_away)) as knowledge:
                yield knowledge
        return
    folder.mkdir(parents=True, exist_ok=True)
    # Postgres may run as an account that must be let in.
    folder.chmod(0o755)
    own = settings.model_copy(update={"data_dir": folder, "database_url": None})
    if not own.models_dir.exists():
        # A link to what is gone, where an earlier measurement made one.
        own.models_dir.unlink(missing_ok=True)
        if is_built(settings.models_dir):
            own.models_dir.symlink_to(settings.models_dir.absolute())
    async with open_knowledge(own) as opened:
        yield OwnKnowledge(opened)
