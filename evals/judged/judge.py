"""Pipecat's judge, asked by the operator's own language model, that says when it gave no verdict."""

from collections.abc import Mapping
from typing import Any, cast

from pipecat.classifiers.llm.classifier import LLMClassifier
from pipecat.evals.judge import EvalJudge, JudgeVerdict

from evals.judged.model import service

ANSWER_SECS = 20.0


class Judge(EvalJudge):
    """Pipecat's takes an answer that it can't use, twice, for a no: that would be a verdict on the bot."""

    gave_up = False
    """Whether a question got no answer that could be used."""

    async def evaluate(self, criterion: str) -> JudgeVerdict:
        """Judge the latest reply; see Pipecat's."""
        return self._noted(await super().evaluate(criterion))

    async def evaluate_call(self, name: str, args: dict | None, criterion: str) -> JudgeVerdict:
        """Judge a function call; see Pipecat's."""
        return self._noted(await super().evaluate_call(name, args, criterion))

    def _noted(self, verdict: JudgeVerdict) -> JudgeVerdict:
        # Pipecat promises that these are empty where, and only where, the question failed.
        self.gave_up = self.gave_up or not verdict.probabilities
        return verdict


def judge(provider: Any, config: Mapping[str, Any] | None = None, *, explains: bool = True) -> Judge:
    """A judge of one conversation: that of a scenario's `judge.eval`, or this provider's model where none is named.

    Without `explains` no reasons are asked for.
    """
    if config:
        return cast("Judge", Judge.from_config(dict(config)))
    model = service(provider)
    return Judge(LLMClassifier(llm=model, timeout=ANSWER_SECS), explainer=model if explains else None)
