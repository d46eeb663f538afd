"""Cartesia's voice, which says again what it said before."""

from pipecat.services.cartesia import tts

from processors.tts_cache import CachedVoice


class CartesiaTTSService(CachedVoice, tts.CartesiaTTSService):
    """Pipecat's, with a cache."""
