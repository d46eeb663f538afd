"""A speech process that lasts as long as a command."""

import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from bot.speech.client import SpeechClient
from server.processes import SupervisedProcess


@asynccontextmanager
async def own_speech_socket() -> AsyncIterator[Path]:
    """Where the embedded recogniser and voice are asked, apart from the server's.

    Raises `SetupError` when they do not come up.
    """
    with tempfile.TemporaryDirectory(prefix="jarvis-speech-") as folder:
        socket_path = Path(folder) / "speech.sock"
        process = SupervisedProcess(
            "speech",
            module="bot.speech.process",
            settings={"socket": str(socket_path), "cache_dir": folder, "recognisers": 1},
            environment=os.environ,
        )
        await process.start()
        try:
            yield socket_path
        finally:
            await process.stop()


@asynccontextmanager
async def own_speech() -> AsyncIterator[SpeechClient]:
    """What asks them; raises `SetupError` when they do not come up."""
    async with own_speech_socket() as socket_path:
        client = SpeechClient(socket_path)
        try:
            yield client
        finally:
            await client.aclose()
