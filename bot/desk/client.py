"""Asking the desk over its unix socket."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from bot.budget import Level
from bot.desk.errors import DeskBusyError, DeskRequestError, DeskUnavailableError
from bot.desk.requests import NOT_TO_KEEP

CONNECT_SECS = 2.0
# Longer than the desk waits for its services.
READ_SECS = 45.0
# A line of an answer: the words of a stretch of speech, or a passage.
MAX_LINE_BYTES = 1024 * 1024
BRIEF_SECS = 2.0
_BRIEFLY = aiohttp.ClientTimeout(total=BRIEF_SECS)
_NOT_THERE = "The desk does not answer; try again in a moment."


@dataclass
class SpeechNote:
    """What is known of speech beside its audio: whether it is in the voice that was asked for, or in a stand-in's."""

    is_usual: bool = True


class DeskClient:
    """The desk at a unix socket; make it inside a running event loop.

    Every method raises `DeskRequestError` for a request that is wrong, and `DeskBusyError` or `DeskUnavailableError`
    for one that may succeed later; the generators do so in mid-answer, too. Closing a generator cancels the request.
    """

    def __init__(self, socket_path: Path) -> None:
        self._http = aiohttp.ClientSession(
            base_url="http://desk", connector=aiohttp.UnixConnector(str(socket_path)), read_bufsize=MAX_LINE_BYTES
        )

    async def transcribe(
        self, audio: AsyncIterator[bytes], *, form: Mapping[str, Any], longest_secs: float
    ) -> AsyncGenerator[dict[str, Any]]:
        """Yield the events of audio while it comes; raises what `audio` raises, too. `form` is an `AudioForm`."""
        sent = _Sent(audio)
        query = {name: str(value) for name, value in form.items()} | {"longest_secs": str(longest_secs)}
        try:
            # Nothing comes while nobody speaks.
            async with self._asked("/transcribe", read_secs=None, params=query, data=sent.parts()) as response:
                async for event in _events(response):
                    yield event
        except DeskUnavailableError:
            if sent.failure is not None:
                raise sent.failure from None
            raise

    async def complete(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
        """Yield the events of an answer; `request` is a `CompletionRequest`."""
        async with self._asked("/complete", read_secs=READ_SECS, json=dict(request)) as response:
            async for event in _events(response):
                yield event

    async def synthesize(self, request: Mapping[str, Any], *, note: SpeechNote | None = None) -> AsyncGenerator[bytes]:
        """Yield speech as it comes; `request` is a `SynthesisRequest`, `note` is written as it begins."""
        async with self._asked("/synthesize", read_secs=READ_SECS, json=dict(request)) as response:
            if note is not None:
                note.is_usual = not NOT_TO_KEEP.items() <= response.headers.items()
            async for part in response.content.iter_any():
                yield part

    async def learn(self, known: Sequence[Mapping[str, Any]]) -> None:
        """Tell what calls found of the providers, as they report it; raises `DeskError`."""
        try:
            async with self._http.post("/providers", json={"known": known}, timeout=_BRIEFLY) as response:
                if response.status != 204:
                    raise _refusal(response.status, {"title": "Refused", "error": "The desk refuses."})
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise DeskUnavailableError(_NOT_THERE) from error

    async def budget(self, day: Level) -> list[dict[str, Any]]:
        """Tell what the day leaves; the `usage` of requests (bot/usage.py) that was not told before."""
        async with self._asked("/budget", read_secs=BRIEF_SECS, json={"day": day}) as response:
            return (await response.json())["usage"]

    async def warm(self, redis_url: str) -> None:
        """Have the voices say what every caller hears, into this Redis; they do so behind the answer."""
        async with self._asked("/warm", read_secs=READ_SECS, json={"redis_url": redis_url}):
            pass

    async def check(self) -> None:
        """Have each vendor asked for a word, behind the answer; what is wrong is in the log."""
        async with self._asked("/check", read_secs=READ_SECS):
            pass

    async def health(self) -> dict[str, bool]:
        """Which services can be asked."""
        try:
            async with self._http.get("/healthz", timeout=_BRIEFLY) as response:
                return await response.json()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise DeskUnavailableError(_NOT_THERE) from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.close()

    @asynccontextmanager
    async def _asked(
        self, path: str, *, read_secs: float | None, **request: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECS, sock_read=read_secs)
        try:
            async with self._http.post(path, timeout=timeout, **request) as response:
                if response.status != 200:
                    raise _refusal(response.status, await response.json())
                yield response
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            raise DeskUnavailableError(_NOT_THERE) from error


class _Sent:
    """Audio on its way, and what went wrong with it, which the connection does not tell."""

    def __init__(self, audio: AsyncIterator[bytes]) -> None:
        self._audio = audio
        self.failure: Exception | None = None

    async def parts(self) -> AsyncGenerator[bytes]:
        try:
            async for part in self._audio:
                yield part
        except Exception as error:
            self.failure = error
            raise


async def _events(response: aiohttp.ClientResponse) -> AsyncGenerator[dict[str, Any]]:
    async for line in response.content:
        event = json.loads(line)
        if event["type"] == "error":
            raise _refusal(event["status"], {"title": event["title"], "error": event["detail"]})
        yield event


def _refusal(status: int, body: Mapping[str, str]) -> Exception:
    if status == 429:
        return DeskBusyError(body["error"])
    if status >= 500:
        return DeskUnavailableError(body.get("error", _NOT_THERE))
    return DeskRequestError(body["title"], body["error"], status=status)
