"""Asking the speech process over its unix socket."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgpack

from bot.speech.errors import SpeechRequestError, SpeechUnavailableError
from bot.speech.recognition import Engine, Recognition, Word

RECOGNISE_TIMEOUT_SECS = 10.0
SYNTHESIS_READ_TIMEOUT_SECS = 5.0
VOCABULARY_TIMEOUT_SECS = 360.0
RETRY_AFTER_SECS = 0.25
ORIGIN = "http://speech"


@dataclass(frozen=True)
class SpeechAudio:
    """The next s16le mono PCM."""

    pcm: bytes


@dataclass(frozen=True)
class SpeechWord:
    """A word of the text, and when it begins after the first sample of audio."""

    word: str
    start_secs: float


class Speech(Protocol):
    """What the Pipecat services ask for."""

    async def recognise(self, pcm: bytes, sample_rate: int) -> Recognition:
        """Recognise one utterance of s16le mono PCM."""
        ...

    def synthesize(
        self, text: str, *, voice: str, words_per_minute: int, pitch: int, sample_rate: int
    ) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        """Speak a text."""
        ...

    async def aclose(self) -> None:
        """Give up the connections."""
        ...


class SpeechClient:
    """The speech process at a unix socket, over a few connections of its own that open with the first request.

    Every method raises SpeechUnavailableError when the process does not answer, even at a second attempt, and
    SpeechRequestError when it refuses what was asked. `engine` is the recogniser that hears.
    """

    def __init__(self, socket_path: str | Path, *, engine: Engine = "pocketsphinx") -> None:
        self._socket_path = str(socket_path)
        self._engine: Engine = engine
        self._session: aiohttp.ClientSession | None = None

    async def recognise(self, pcm: bytes, sample_rate: int) -> Recognition:
        """Recognise one utterance of s16le mono PCM, at most 60 s."""
        wanted = {"engine": self._engine, "sample_rate": str(sample_rate)}
        answer = await self._json("/recognise", RECOGNISE_TIMEOUT_SECS, params=wanted, data=pcm)
        words = None if answer["words"] is None else tuple(Word(**word) for word in answer["words"])
        return Recognition(text=answer["text"], confidence=answer["confidence"], words=words)

    async def synthesize(
        self, text: str, *, voice: str, words_per_minute: int, pitch: int, sample_rate: int
    ) -> AsyncGenerator[SpeechAudio | SpeechWord]:
        """Speak a text; closing the generator stops the voice."""
        body = {
            "text": text,
            "voice": voice,
            "words_per_minute": words_per_minute,
            "pitch": pitch,
            "sample_rate": sample_rate,
        }
        limits = aiohttp.ClientTimeout(sock_connect=1, sock_read=SYNTHESIS_READ_TIMEOUT_SECS)
        unpacker = msgpack.Unpacker()
        async with await self._post("/synthesize", limits, json=body) as response:
            try:
                async for chunk in response.content.iter_any():
                    unpacker.feed(chunk)
                    for part in unpacker:
                        yield _part(part)
            except (aiohttp.ClientError, TimeoutError) as error:
                raise SpeechUnavailableError("The speech process stopped in mid-sentence; speak it again.") from error

    async def set_vocabulary(self, texts: Sequence[str]) -> dict[str, Any]:
        """Make the recogniser expect these texts; answers with the number of words, of unknown ones, and seconds."""
        return await self._json("/vocabulary", VOCABULARY_TIMEOUT_SECS, json={"texts": list(texts)})

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _json(self, path: str, timeout_secs: float, **request: Any) -> dict[str, Any]:
        async with await self._post(path, aiohttp.ClientTimeout(total=timeout_secs), **request) as response:
            return await response.json()

    async def _post(self, path: str, limits: aiohttp.ClientTimeout, **request: Any) -> aiohttp.ClientResponse:
        """The response to a request; once, quietly, it is sent again, since the process may just be restarting."""
        try:
            return await self._attempt(path, limits, **request)
        except SpeechUnavailableError:
            await asyncio.sleep(RETRY_AFTER_SECS)
            return await self._attempt(path, limits, **request)

    async def _attempt(self, path: str, limits: aiohttp.ClientTimeout, **request: Any) -> aiohttp.ClientResponse:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=self._socket_path))
        try:
            response = await self._session.post(ORIGIN + path, timeout=limits, **request)
            if response.status == 200:
                return response
            message = (await response.json())["error"]
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise SpeechUnavailableError("The speech process does not answer; see that it is running.") from error
        raise SpeechRequestError(message) if response.status == 400 else SpeechUnavailableError(message)


def _part(part: dict[str, Any]) -> SpeechAudio | SpeechWord:
    return SpeechAudio(part["audio"]) if "audio" in part else SpeechWord(part["word"], part["start_secs"])
