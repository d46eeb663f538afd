"""Who answers a call, as its settings have it."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from bot.extractive.service import ExtractiveLLMService
from bot.failover import Failover, answerer
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval
from knowledge.client import KnowledgeClient
from processors.failover.llm import KeptLLM

NOWHERE = Path("/nowhere")
OPEN = {"stage": "llm", "provider": "openai", "state": "open", "rest_secs": 9.0, "rests": 1}


def settings(*names: str) -> BotSettings:
    """Those of a call with these language models."""
    known: dict[str, Any] = {"openai": OpenAILLM(api_key=SecretStr("k")), "extractive": ExtractiveLLM()}
    return BotSettings(
        llm=tuple(known[name] for name in names), retrieval=Retrieval(socket=NOWHERE), speech_socket=NOWHERE
    )


@pytest.mark.parametrize(
    ("names", "kind"), [(["extractive"], ExtractiveLLMService), (["openai", "extractive"], KeptLLM)]
)
async def test_one_answers_by_itself_and_several_as_one(names: list[str], kind: type[Any]):
    chosen = settings(*names)
    failover = Failover(chosen, report=lambda _event: None)
    similarity = KnowledgeClient(NOWHERE, timeout_secs=1)
    answers = answerer(chosen, failover, similarity=similarity, spoken=True)
    await similarity.aclose()
    assert isinstance(answers, kind)


def test_what_another_call_found_keeps_the_next_turn_from_a_provider():
    failover = Failover(settings("openai", "extractive"), report=lambda _event: None)
    failover.learn([OPEN])
    assert failover.of("llm").next() == "extractive"
