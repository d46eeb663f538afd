"""Cartesia's voice, which says again what it said before."""

from pipecat.services.cartesia import tts

from bot.providers.liveness import CheckedVoice


class CartesiaTTSService(CheckedVoice, tts.CartesiaTTSService):
    """Pipecat's, with a cache, whose connection is looked after."""
