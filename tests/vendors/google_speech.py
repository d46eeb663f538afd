"""A server on loopback that speaks `google.cloud.speech.v2.Speech/StreamingRecognize`, and fails when told to."""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from google.cloud.speech_v2.types import cloud_speech

from tests.vendors.faults import Fault, Faults
from tests.vendors.google_cloud import GARBAGE, GoogleCloud, refuse, wire_bytes

AUDIENCE = "https://speech.googleapis.com/"
MAX_CHUNK_BYTES = 25_600
LOUD = 500


@dataclass
class Stream:
    """What one stream was opened with, and how much audio came."""

    recognizer: str
    config: cloud_speech.StreamingRecognitionConfig
    audio_bytes: int = 0

    @property
    def audio_secs(self) -> float:
        """How long the audio is, as 16-bit mono."""
        return self.audio_bytes / 2 / self.config.config.explicit_decoding_config.sample_rate_hertz


@dataclass
class GoogleSpeech:
    """Each stretch of speech is understood as the next of `transcripts`, and as nothing when there are no more.

    A stretch ends with `silence_secs` of quiet audio, or with the stream. `asked` are the streams. As Google does, a
    stream is aborted after `stream_secs` of audio, or after `idle_secs` in which none came; `ended` is set by then.
    After `closes_secs` of audio a stream is closed without an error.
    """

    transcripts: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    silence_secs: float = 0.4
    stream_secs: float = 300.0
    idle_secs: float = 10.0
    closes_secs: float = math.inf
    asked: list[Stream] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    cloud: GoogleCloud = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.cloud = GoogleCloud(audience=AUDIENCE, faults=self.faults)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[str]:
        """Yield the endpoint that a client is given, `host:port`."""
        handler = grpc.stream_stream_rpc_method_handler(
            self._recognize,
            request_deserializer=cloud_speech.StreamingRecognizeRequest.deserialize,
            response_serializer=wire_bytes,
        )
        async with self.cloud.serving("google.cloud.speech.v2.Speech", {"StreamingRecognize": handler}) as endpoint:
            yield endpoint

    async def _recognize(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        # gRPC loses what a client is told while it writes; Google's answer comes after what was sent first.
        first = await anext(requests)
        request = await self._next(requests, context)
        fault = await self.cloud.admit(context)
        if not first.recognizer or not first.streaming_config.config.language_codes:
            await refuse(
                context, grpc.StatusCode.INVALID_ARGUMENT, "The first request must hold a recognizer and a config."
            )
        stream = Stream(first.recognizer, first.streaming_config)
        self.asked.append(stream)
        await self.faults.first()
        if fault == "garbage":
            yield GARBAGE
            await self.cloud.hang()
        speech_bytes = quiet_bytes = 0
        while request is not None:
            if len(request.audio) > MAX_CHUNK_BYTES:
                size = f"Audio chunk can be of a maximum of {MAX_CHUNK_BYTES} bytes."
                await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, size)
            stream.audio_bytes += len(request.audio)
            if stream.audio_secs > self.stream_secs:
                self.ended.set()
                await refuse(context, grpc.StatusCode.ABORTED, "Max duration of 5 minutes reached for stream.")
            if stream.audio_secs > self.closes_secs:
                return
            if fault == "empty":
                pass
            elif _is_loud(request.audio):
                if not speech_bytes and self.transcripts:
                    yield self._interim(stream)
                    await self._break(fault)
                speech_bytes, quiet_bytes = speech_bytes + len(request.audio), 0
            elif speech_bytes:
                quiet_bytes += len(request.audio)
                if (
                    quiet_bytes
                    >= self.silence_secs * stream.config.config.explicit_decoding_config.sample_rate_hertz * 2
                ):
                    speech_bytes = quiet_bytes = 0
                    for response in self._final(stream):
                        yield response
            request = await self._next(requests, context)
        if speech_bytes:
            for response in self._final(stream):
                yield response

    async def _next(self, requests: AsyncIterator[Any], context: Any) -> Any:
        try:
            return await asyncio.wait_for(anext(requests, None), self.idle_secs)
        except TimeoutError:
            self.ended.set()
            message = "Stream timed out after receiving no more client requests."
            await refuse(context, grpc.StatusCode.ABORTED, message)

    async def _break(self, fault: Fault | None) -> None:
        if fault == "stall_midway":
            await self.cloud.hang()
        if fault == "drop":
            await self.cloud.drop()

    def _interim(self, stream: Stream) -> Any:
        words = self.transcripts[0].split()
        return _response(stream, " ".join(words[: len(words) // 2 + 1]), is_final=False)

    def _final(self, stream: Stream) -> list[Any]:
        return [_response(stream, self.transcripts.pop(0), is_final=True)] if self.transcripts else []


def _is_loud(audio: bytes) -> bool:
    samples = np.frombuffer(audio[: len(audio) // 2 * 2], dtype="<i2")
    return bool(samples.size) and int(np.abs(samples.astype(np.int32)).max()) > LOUD


def _response(stream: Stream, transcript: str, *, is_final: bool) -> cloud_speech.StreamingRecognizeResponse:
    alternative = cloud_speech.SpeechRecognitionAlternative(transcript=transcript, confidence=0.9 if is_final else 0.0)
    result = cloud_speech.StreamingRecognitionResult(
        alternatives=[alternative],
        is_final=is_final,
        stability=0.0 if is_final else 0.8,
        result_end_offset=_duration(stream.audio_secs),
        language_code=stream.config.config.language_codes[0],
    )
    return cloud_speech.StreamingRecognizeResponse(results=[result])


def _duration(secs: float) -> dict[str, int]:
    return {"seconds": int(secs), "nanos": int(secs % 1 * 1e9)}
