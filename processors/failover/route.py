"""Which turns a quick model is good enough for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from pipecat.processors.aggregators.llm_context import LLMContext

Kind = Literal["fast", "smart"]


class TurnRoute(Protocol):
    """Tells turns apart; takes milliseconds at most, as the event loop waits for it, and asks nobody."""

    def kind(self, context: LLMContext) -> Kind:
        """`fast` for a turn that any model answers well, `smart` for the rest."""
        ...


class OneModel:
    """Every turn to each provider's one model."""

    def kind(self, context: LLMContext) -> Kind:
        """The same for all."""
        return "smart"
