"""What a caller hears when a part fails: never nothing."""

from pathlib import Path

import pytest

from bot.phrases import ONLY_ME
from evals.program import Jarvis

pytestmark = pytest.mark.e2e

NOBODY = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("own_jarvis", [{"OPENAI_API_KEY": "sk-nobody", "OPENAI_BASE_URL": NOBODY}], indirect=True)
def test_where_the_language_model_is_gone_the_documents_answer_and_the_caller_is_told(
    own_jarvis: Jarvis, artifacts: Path
):
    (turn,) = own_jarvis.call("q18", out=artifacts / "call.wav")["turns"]
    assert turn["said"].startswith(ONLY_ME)
    assert "49 dollars" in turn["said"]
    assert turn["citations"][0]["source"] == "membership.md"
