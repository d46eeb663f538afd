"""Reads documents in a process of its own."""

import asyncio
from asyncio.subprocess import Process

from loguru import logger

from knowledge.confined import OUT_OF_MEMORY, kill, start_confined
from knowledge.errors import DocumentError
from knowledge.loaders.kinds import check_size, kind_of
from knowledge.loaders.refusal import Refusal
from knowledge.loaders.wire import HEADER, TAKEN, Request, pack_request, unpack_answer
from knowledge.types import LoadedDocument

CLOSING_SECS = 1.0

_CRASHED = "it made the reader crash; it may be damaged: open it, save it anew and try again."
_TOO_BIG = "it takes too much memory to read; split it into several files."


class DocumentReader:
    """Runs `load` in a child process, one document at a time, so that what a document does to a parser stays there.

    The child is started with the first document and again after it died. It has no environment variables of this
    process, and what it prints is dropped, as that could be text of a document.
    """

    def __init__(self, *, timeout_secs: float = 60.0) -> None:
        self._timeout_secs = timeout_secs
        self._child: Process | None = None
        self._one_at_a_time = asyncio.Lock()

    async def read(self, name: str, content: bytes, *, content_type: str | None = None) -> LoadedDocument:
        """Return the document that a file holds; `name` is its path, its URL or what it was uploaded as.

        Raises DocumentError when it cannot be read, makes the reader crash or takes longer than the timeout.
        """
        try:
            check_size(kind_of(name, content_type), len(content))
        except Refusal as refusal:
            raise DocumentError(name, str(refusal)) from refusal
        request = pack_request(Request(name, content, content_type, self._timeout_secs))
        async with self._one_at_a_time:
            answer = unpack_answer(await self._exchange(name, request))
        if isinstance(answer, str):
            raise DocumentError(name, answer)
        return answer

    async def aclose(self) -> None:
        """End the child; cancel what is still being read first."""
        if self._child is not None:
            await _end(self._child)
            self._child = None

    async def _exchange(self, name: str, request: bytes) -> bytes:
        """Return the answer of the child, which does not outlive a request that it leaves unanswered."""
        child, self._child = self._child, None
        try:
            async with asyncio.timeout(self._timeout_secs):
                if child is None or not await _hand_over(child, request):
                    child = await start_confined("knowledge.loaders.child")
                    await _hand_over(child, request)
                body = await _answer(child)
            self._child = child
            return body
        except TimeoutError as error:
            reason = f"it takes longer than {self._timeout_secs:g} s to read; split it into several files."
            raise DocumentError(name, reason) from error
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            code = await child.wait() if child else None
            logger.warning("The document reader ended with code {}", code)
            raise DocumentError(name, _TOO_BIG if code == OUT_OF_MEMORY else _CRASHED) from error
        finally:
            if child is not None and self._child is not child:
                await kill(child)


async def _hand_over(child: Process, request: bytes) -> bool:
    """Tell whether the child took a request; one that died while it waited does not."""
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(request)
        await child.stdin.drain()
        return await child.stdout.readexactly(len(TAKEN)) == TAKEN
    except (asyncio.IncompleteReadError, ConnectionError):
        return False


async def _answer(child: Process) -> bytes:
    assert child.stdout is not None
    (length,) = HEADER.unpack(await child.stdout.readexactly(HEADER.size))
    return await child.stdout.readexactly(length)


async def _end(child: Process) -> None:
    """Let a child that waits end by itself, and kill any other."""
    assert child.stdin is not None
    child.stdin.close()
    try:
        await asyncio.wait_for(child.wait(), CLOSING_SECS)
    except TimeoutError:
        await kill(child)
