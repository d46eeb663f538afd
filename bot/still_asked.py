"""Turns of which nothing was understood, behind a question that is still to be answered."""

from pipecat.processors.aggregators.llm_context import LLMContextMessage
from pipecat.processors.aggregators.llm_response_universal import LLMUserAggregator

# A noise that goes on and on is not answered for ever.
MOST_IN_A_ROW = 3


class UserAggregator(LLMUserAggregator):
    """Pipecat's, but a cough that interrupts an answer before its first word has the question asked once more.

    Pipecat would ask the caller to repeat what they coughed, and their question would be lost.
    """

    _asked: LLMContextMessage | None = None
    _times = 0

    async def _maybe_recover_empty_user_turn(self, interrupted_bot: bool) -> bool:
        asked = next(reversed(self.context.messages), None)
        if not isinstance(asked, dict) or asked.get("role") != "user":
            return await super()._maybe_recover_empty_user_turn(interrupted_bot)
        if asked is not self._asked:
            self._asked, self._times = asked, 0
        if self._times == MOST_IN_A_ROW:
            return False
        self._times += 1
        await self.push_context_frame()
        return True
