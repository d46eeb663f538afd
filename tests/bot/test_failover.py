"""Who answers a call, as its settings have it."""

from pathlib import Path
from typing import Any, cast

import pytest
from pipecat.frames.frames import LLMContextFrame
from pipecat.processors.aggregators.llm_context import LLMContext
from pydantic import SecretStr

from bot.extractive.service import ExtractiveLLMService
from bot.failover import Failover, answerer
from bot.pipeline import Services
from bot.providers.embedded import ExtractiveLLM
from bot.providers.openai import OpenAILLM
from bot.settings import BotSettings, Retrieval
from knowledge.client import KnowledgeClient
from processors.failover.llm import KeptLLM
from processors.passages import passages_message
from tests.patient import run_test
from tests.vendors.openai_chat import KEY, OpenAIChat

NOWHERE = Path("/nowhere")
OPEN = {"stage": "llm", "provider": "openai", "state": "open", "rest_secs": 9.0, "rests": 1}


def settings(*names: str, **openai: Any) -> BotSettings:
    """Those of a call with these language models."""
    known: dict[str, Any] = {"openai": OpenAILLM(api_key=SecretStr(KEY), **openai), "extractive": ExtractiveLLM()}
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
    of_several: Any = answers if kind is KeptLLM else None
    told_by_one: Any = Services(stt=cast(Any, None), llm=answers, tts=cast(Any, None))
    assert told_by_one.members == ([*of_several.services] if of_several else [])


def test_what_another_call_found_keeps_the_next_turn_from_a_provider():
    failover = Failover(settings("openai", "extractive"), report=lambda _event: None)
    failover.learn([OPEN])
    assert failover.of("llm").next() == "extractive"


async def test_small_talk_is_asked_of_the_fast_model_and_a_comparison_of_the_other():
    chat = OpenAIChat()
    told: list[dict[str, Any]] = []
    async with chat.serving() as url:
        chosen = settings("openai", "extractive", base_url=url, model="large", fast_model="gpt-6-small")
        similarity = KnowledgeClient(NOWHERE, timeout_secs=1)
        llm = answerer(chosen, Failover(chosen, report=told.append), similarity=similarity, spoken=True)
        nothing: Any = passages_message((), tag="passages-0badcafe")
        hello: Any = {"role": "user", "content": "Hello."}
        compare: Any = {"role": "user", "content": "Is a city bike better for that?"}
        turns = [LLMContext([hello]), LLMContext([nothing, compare]), LLMContext([hello])]
        await run_test(llm, frames_to_send=[LLMContextFrame(turn) for turn in turns])
        await similarity.aclose()
    asked = [(body["model"], body.get("reasoning_effort")) for body in chat.asked]
    assert asked == [("gpt-6-small", "none"), ("large", None), ("gpt-6-small", "none")]
    assert [event["kind"] for event in told if event["type"] == "route"] == ["fast", "smart", "fast"]
