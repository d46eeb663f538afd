"""Verdicts as the judging model's double writes them."""

import json
from collections.abc import Callable
from typing import Any

from bot.providers.openai import OpenAILLM
from tests.vendors.openai_chat import KEY, Messages


def model(url: str) -> OpenAILLM:
    """The settings of the double at this URL."""
    return OpenAILLM.model_validate({"api_key": KEY, "base_url": url})


def verdict(choice: str, sure: float = 0.9) -> str:
    """A verdict on a reply in the shape that Pipecat's classifier asks for."""
    others = dict.fromkeys(("yes", "no", "continue"), (1 - sure) / 2)
    return json.dumps({"verdict": {"choice": choice, "probabilities": others | {choice: sure}}})


def judging(decide: Callable[[str], str]) -> Callable[[Messages], Any]:
    """Answers each question by its text."""
    return lambda messages: decide("\n".join(str(each["content"]) for each in messages))
