"""Where nobody tells turns apart."""

import pytest
from pipecat.processors.aggregators.llm_context import LLMContext

from processors.failover.route import OneModel


@pytest.mark.parametrize("said", ["Hello.", "Is a city bike cheaper than an electric one?"])
def test_every_turn_is_alike(said: str):
    assert OneModel().kind(LLMContext([{"role": "user", "content": said}])) == "smart"
