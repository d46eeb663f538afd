"""Who turns the caller's speech into words."""

from pathlib import Path
from typing import Literal

from pipecat.services.stt_service import STTService
from pydantic import BaseModel

from bot.speech.stt import EmbeddedSTTService


class EmbeddedSTT(BaseModel):
    """pocketsphinx in the speech process, its language model made from the documents."""

    provider: Literal["embedded"] = "embedded"

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        return EmbeddedSTTService(socket_path=speech_socket)


STTProvider = EmbeddedSTT
