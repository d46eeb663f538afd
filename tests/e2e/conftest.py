"""One running Jarvis for all calls."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.program import ROOT, Jarvis

ARTIFACTS = ROOT / "artifacts"


@pytest.fixture(scope="session")
def jarvis() -> Iterator[Jarvis]:
    """A server that was started as its user starts it, with the sample handbook indexed."""
    data_dir = Path(tempfile.mkdtemp(prefix="jarvis-e2e-"))
    data_dir.chmod(0o755)
    served = Jarvis(data_dir)
    served.start()
    yield served
    served.stop()
    shutil.copy(served.log, artifact("server.log"))
    shutil.rmtree(data_dir, ignore_errors=True)


def artifact(name: str) -> Path:
    """A place for what a test leaves to be looked at."""
    ARTIFACTS.mkdir(exist_ok=True)
    return ARTIFACTS / name


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """A folder for what this test leaves to be looked at."""
    folder = artifact(request.node.name)
    folder.mkdir(exist_ok=True)
    return folder
