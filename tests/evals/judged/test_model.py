"""Which language model judges and plays callers."""

import pytest

from evals.judged.errors import JudgedError
from evals.judged.model import of_doubles, service
from tests.evals.judged.given import model


def test_the_doubles_of_a_suite_play_its_callers():
    found = of_doubles({"OPENAI_API_KEY": "sk-test", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"})
    assert found.is_own_server


def test_doubles_without_a_language_model_are_told():
    with pytest.raises(JudgedError, match="OPENAI_BASE_URL"):
        of_doubles({"OPENAI_API_KEY": "sk-test"})


async def test_a_model_is_built_as_calls_have_it():
    assert service(model("http://127.0.0.1:1/v1")).settings.model == model("http://127.0.0.1:1/v1").model
