from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from knowledge.embedders.fake import FakeEmbedder
from knowledge.embedders.minilm_build import build
from knowledge.store import Store


@pytest.fixture
async def pool(database_url: str) -> AsyncIterator[AsyncConnectionPool[Any]]:
    async with AsyncConnectionPool(database_url, min_size=1, max_size=4, open=False) as pool:
        yield pool


@pytest.fixture
async def store(pool: AsyncConnectionPool[Any]) -> Store:
    """A store with its schema and nothing in it."""
    store = Store(pool)
    await store.migrate()
    async with pool.connection() as connection:
        await connection.execute("truncate documents, chunks, knowledge_meta")
    return store


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the built model."""
    models_dir = tmp_path_factory.mktemp("models")
    build(models_dir)
    return models_dir
