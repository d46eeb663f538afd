"""What a caller hears when a part fails: never nothing."""

from pathlib import Path

import pytest

from evals.program import Jarvis

pytestmark = pytest.mark.e2e

NOBODY = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("own_jarvis", [{"OPENAI_API_KEY": "sk-nobody", "OPENAI_BASE_URL": NOBODY}], indirect=True)
def test_a_language_model_that_is_gone_is_apologised_for(own_jarvis: Jarvis, artifacts: Path):
    (turn,) = own_jarvis.call("q18", out=artifacts / "call.wav")["turns"]
    assert turn["said"].startswith("Sorry, I couldn't work out an answer")
    assert turn["citations"] == []
