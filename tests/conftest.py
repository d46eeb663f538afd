"""Real services for the tests that need them."""

import asyncio
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from server.embedded.postgres import EmbeddedPostgres
from server.embedded.redis import EmbeddedRedis


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Names bytes by their number: compressed ones hold the time, and every worker must name a test alike."""
    return f"{argname}-of-{len(val)}-bytes" if isinstance(val, bytes) else None


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets one run of tests leave to the next what takes long to make."""
    parser.addoption(
        "--prepared", metavar="FOLDER",
        help="where the built model and the data directory that calls begin with are or come to be, to be kept",
    )  # fmt: skip


def pytest_configure(config: pytest.Config) -> None:
    """Makes that folder where none is named, once for all workers."""
    if config.option.prepared is None:
        folder = tempfile.mkdtemp(prefix="jarvis-prepared-")
        config.option.prepared = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.fixture(scope="session")
def models_dir(request: pytest.FixtureRequest) -> Path:
    """A directory with the built model; the worker that comes first builds it."""
    # Most tests need nothing of what that imports.
    from knowledge.embedders.minilm_build import build

    models_dir = Path(request.config.option.prepared) / "models"
    build(models_dir)
    return models_dir


@pytest.fixture(scope="session")
def services_dir() -> Iterator[Path]:
    """A data directory below /tmp, since tmp_path is closed to the account that Postgres runs as."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-tests-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_url(services_dir: Path) -> Iterator[str]:
    """The URL of a Postgres, and of a database in it."""
    postgres = EmbeddedPostgres(services_dir)
    yield asyncio.run(postgres.start())
    asyncio.run(postgres.stop())


@pytest.fixture(scope="module")
def database_url(postgres_url: str) -> str:
    """The URL of an empty database, which the tests of one file share."""
    name = f"tests_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return urlsplit(postgres_url)._replace(path=f"/{name}").geturl()


@pytest.fixture(scope="session")
def redis_url(services_dir: Path) -> Iterator[str]:
    """The URL of an empty Redis."""
    redis = EmbeddedRedis(services_dir)
    yield asyncio.run(redis.start())
    asyncio.run(redis.stop())
