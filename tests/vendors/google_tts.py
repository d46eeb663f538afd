"""A server on loopback that speaks Google's `TextToSpeech/StreamingSynthesize`, and fails when told to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from google.cloud.texttospeech_v1.types import cloud_tts

from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import GARBAGE, GoogleCloud, refuse, wire_bytes

AUDIENCE = "https://texttospeech.googleapis.com/"
SECS_A_CHARACTER = 0.06
PIECE_SECS = 0.1


@dataclass(frozen=True)
class Spoken:
    """One text, and how it was asked for."""

    text: str
    voice: str
    language: str
    rate_hz: int
    speed: float


@dataclass
class GoogleTTS:
    """Speaks any text as a tone as long as the text; `asked` are the texts, `left` those whose client went midway."""

    faults: Faults = field(default_factory=Faults)
    asked: list[Spoken] = field(default_factory=list)
    left: list[Spoken] = field(default_factory=list)
    cloud: GoogleCloud = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.cloud = GoogleCloud(audience=AUDIENCE, faults=self.faults)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the endpoint that a client is given, `host:port`."""
        handler = grpc.stream_stream_rpc_method_handler(
            self._synthesize,
            request_deserializer=cloud_tts.StreamingSynthesizeRequest.deserialize,
            response_serializer=wire_bytes,
        )
        service = "google.cloud.texttospeech.v1.TextToSpeech"
        async with self.cloud.serving(service, {"StreamingSynthesize": handler}) as endpoint:
            yield endpoint

    async def _synthesize(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        # gRPC loses what a client is told while it writes; Google's answer comes after what was sent first.
        config = (await anext(requests)).streaming_config
        request = await anext(requests, None)
        fault = await self.cloud.admit(context)
        if "-Chirp3-HD-" not in config.voice.name:
            message = "Currently, only Chirp 3: HD voices are supported for streaming synthesis."
            await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, message)
        if not config.voice.name.startswith(f"{config.voice.language_code}-"):
            message = f"Requested language code '{config.voice.language_code}' doesn't match the voice's."
            await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, message)
        if fault == "garbage":
            yield GARBAGE
        while request is not None:
            audio = config.streaming_audio_config
            speed = audio.speaking_rate or 1.0
            spoken = Spoken(
                request.input.text, config.voice.name, config.voice.language_code, audio.sample_rate_hertz, speed
            )
            self.asked.append(spoken)
            await self.faults.first()
            is_whole = False
            try:
                async for piece in self._pieces(spoken, fault):
                    yield cloud_tts.StreamingSynthesizeResponse(audio_content=piece)
                is_whole = True
            finally:
                if not is_whole:
                    self.left.append(spoken)
            request = await anext(requests, None)

    async def _pieces(self, spoken: Spoken, fault: Fault | None) -> AsyncIterator[bytes]:
        if fault == "empty":
            return
        rate_hz = spoken.rate_hz // 2 if fault == "wrong_rate" else spoken.rate_hz
        pcm = tone(secs=spoken_secs(spoken.text) / spoken.speed, rate_hz=rate_hz)
        step = round(PIECE_SECS * rate_hz) * 2
        pieces = [pcm[start : start + step] for start in range(0, len(pcm), step)]
        number = 0
        async for piece in self.faults.paced(pieces, piece_secs=PIECE_SECS):
            if number == (len(pieces) + 1) // 2 and fault == "stall_midway":
                await self.cloud.hang()
            if number == (len(pieces) + 1) // 2 and fault == "drop":
                await self.cloud.drop()
            yield piece
            number += 1


def spoken_secs(text: str) -> float:
    """How long a text is spoken."""
    return len(text) * SECS_A_CHARACTER


def tone(*, secs: float, rate_hz: int) -> bytes:
    """A tone as 16-bit mono PCM."""
    times = np.arange(round(secs * rate_hz)) / rate_hz
    return (8_000 * np.sin(2 * np.pi * 220 * times)).astype("<i2").tobytes()
