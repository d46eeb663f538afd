"""Who turns the caller's speech into words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import BaseModel

if TYPE_CHECKING:
    from pipecat.services.stt_service import STTService


class EmbeddedSTT(BaseModel):
    """pocketsphinx in the speech process, its language model made from the documents."""

    preload: ClassVar[tuple[str, ...]] = ("bot.speech.stt",)
    provider: Literal["embedded"] = "embedded"

    def build(self, *, speech_socket: Path) -> STTService:
        """The service for one call."""
        from bot.speech.client import SpeechClient
        from bot.speech.stt import EmbeddedSTTService

        return EmbeddedSTTService(client=SpeechClient(speech_socket))


STTProvider = EmbeddedSTT
