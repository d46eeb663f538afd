"""The language model that judges, or plays the caller: the operator's own, as calls have it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bot.providers.openai import OpenAILLM
from evals.judged.errors import JudgedError

if TYPE_CHECKING:
    from pipecat.services.llm_service import LLMService

NO_MODEL = (
    "There is no language model to ask. Set OPENAI_API_KEY (with OPENAI_BASE_URL and OPENAI_MODEL for another server "
    "that speaks its interface), ANTHROPIC_API_KEY or GOOGLE_API_KEY."
)


class _NoSimilarity:
    """Nothing is compared: the embedded answerer, which compares, neither judges nor plays."""

    async def similarity(self, question: str, sentences: Sequence[str]) -> list[float]:
        raise JudgedError("A language model that judges does not compare sentences.")


def service(provider: Any) -> "LLMService[Any]":
    """A service of one of the vendors' settings (`bot.providers.llm`), of which nothing is told who it is."""
    return provider.build(instruction="", similarity=_NoSimilarity())


def of_doubles(variables: Mapping[str, str]) -> OpenAILLM:
    """The double of OpenAI that these variables lead to; raises `JudgedError` where they lead to none."""
    if missing := sorted({"OPENAI_API_KEY", "OPENAI_BASE_URL"} - variables.keys()):
        raise JudgedError(f"The vendors' doubles have no language model of OpenAI's: {', '.join(missing)} is not set.")
    return OpenAILLM.model_validate({"api_key": variables["OPENAI_API_KEY"], "base_url": variables["OPENAI_BASE_URL"]})
