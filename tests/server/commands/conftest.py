"""Commands run in this process here; what they set goes again with the test."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from bot.providers.stages import vendors_variables
from server.processes import ONE_THREAD


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, clean_process: None, tmp_path: Path, models_dir: Path) -> None:
    """The operator's data directory has the built model."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "models").symlink_to(models_dir)
    monkeypatch.setenv("JARVIS_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def clean_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing of this machine's Jarvis is read, and its log does not end in a command's closed output."""
    for name in list(os.environ):
        if name.startswith(("JARVIS_", "OPENAI_")) or name in {"DATABASE_URL", "REDIS_URL", *vendors_variables()}:
            monkeypatch.delenv(name)
    for name, value in ONE_THREAD.items():
        monkeypatch.setenv(name, os.environ.get(name, value))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("JARVIS_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(sys.modules["__main__"], "__spec__", object())  # `jarvis run` begins anew without one
    monkeypatch.chdir(tmp_path)
    yield
    logger.remove()
    logger.add(sys.stderr)
