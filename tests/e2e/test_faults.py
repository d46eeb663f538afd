"""What a caller hears when a part fails: never nothing."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from evals.program import Jarvis

pytestmark = pytest.mark.e2e

NOBODY = "http://127.0.0.1:9/v1"


@pytest.fixture
def jarvis_without_its_llm() -> Iterator[Jarvis]:
    """A server whose language model can't be reached."""
    data_dir = Path(tempfile.mkdtemp(prefix="jarvis-faults-"))
    data_dir.chmod(0o755)
    jarvis = Jarvis(data_dir, OPENAI_API_KEY="sk-nobody", OPENAI_BASE_URL=NOBODY)
    jarvis.start()
    yield jarvis
    jarvis.stop()
    shutil.rmtree(data_dir, ignore_errors=True)


def test_a_language_model_that_is_gone_is_apologised_for(jarvis_without_its_llm: Jarvis, artifacts: Path):
    (turn,) = jarvis_without_its_llm.call("q18", out=artifacts / "call.wav")["turns"]
    assert turn["said"].startswith("Sorry, I couldn't work out an answer")
    assert turn["citations"] == []
