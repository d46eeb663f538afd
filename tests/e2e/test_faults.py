"""What a caller hears when a part fails: never nothing."""

import pytest

from bot.wording.table import wording
from evals.program import Jarvis
from tests.e2e.conftest import written

ENGLISH = wording("en")

pytestmark = pytest.mark.e2e

NOBODY = "http://127.0.0.1:9/v1"


@pytest.mark.parametrize("own_jarvis", [{"OPENAI_API_KEY": "sk-nobody", "OPENAI_BASE_URL": NOBODY}], indirect=True)
def test_where_the_language_model_is_gone_the_documents_answer_and_the_caller_is_told(own_jarvis: Jarvis):
    said = written(own_jarvis, "How much is it to join your club each year?")
    assert said.startswith(ENGLISH.only_me)
    assert "49 dollars" in said
    assert "That's from the membership page." in said
