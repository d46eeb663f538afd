"""Cartesia's voice, which says again what it said before."""

from typing import Any

from pipecat.services.cartesia import tts

from bot.providers.liveness import CheckedVoice
from processors.clauses import ClauseAggregator


class CartesiaTTSService(CheckedVoice, tts.CartesiaTTSService):
    """Pipecat's, with a cache, whose connection is looked after. It begins with the first clause of an answer."""

    def __init__(self, **service: Any) -> None:
        super().__init__(**service)
        # Cartesia goes on in the tone of what it was given before.
        self._text_aggregator = ClauseAggregator(language=self.text_aggregation_language)
