"""ElevenLabs' voice, which says again what it said before."""

from pipecat.services.elevenlabs import tts

from bot.providers.liveness import CheckedVoice


class ElevenLabsTTSService(CheckedVoice, tts.ElevenLabsTTSService):
    """Pipecat's, with a cache, whose connection is looked after."""

    async def _close_context(self, context_id: str) -> None:
        # At the end of a text Pipecat closes its context, of which ElevenLabs knows nothing where it is repeated.
        if not self.repeats(context_id):
            await super()._close_context(context_id)
