"""Deepgram's voice, which says again what it said before."""

from pipecat.services.deepgram import tts

from processors.tts_cache import CachedVoice


class DeepgramTTSService(CachedVoice, tts.DeepgramTTSService):
    """Pipecat's, with a cache."""
