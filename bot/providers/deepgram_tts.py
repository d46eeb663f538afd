"""Deepgram's voice, which says again what it said before."""

from pipecat.services.deepgram import tts

from bot.providers.liveness import CheckedVoice


class DeepgramTTSService(CheckedVoice, tts.DeepgramTTSService):
    """Pipecat's, with a cache, whose connection is looked after."""
