"""Placeholder of the busy sentence."""

from bot.speech.client import SpeechClient


class BusySentence:
    def __init__(self, *, speech: SpeechClient): ...
    async def wav(self) -> bytes:
        return b""
