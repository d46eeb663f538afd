"""A speech process that lasts as long as a command."""

import os
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from bot.speech.client import SpeechClient
from bot.speech.recognition import Engine
from server.processes import SupervisedProcess


@asynccontextmanager
async def own_speech_socket(*, engines: Sequence[str] = ()) -> AsyncIterator[Path]:
    """Where this host's recognisers and voice are asked, apart from the server's; `engines` come beside the embedded.

    Raises `SetupError` when they do not come up.
    """
    with tempfile.TemporaryDirectory(prefix="jarvis-speech-") as folder:
        socket_path = Path(folder) / "speech.sock"
        process = SupervisedProcess(
            "speech",
            module="bot.speech.process",
            settings={"socket": str(socket_path), "cache_dir": folder, "recognisers": 1, "engines": list(engines)},
            environment=os.environ,
        )
        await process.start()
        try:
            yield socket_path
        finally:
            await process.stop()


@asynccontextmanager
async def own_speech(*, engine: Engine = "pocketsphinx") -> AsyncIterator[SpeechClient]:
    """What asks this recogniser and the voice; raises `SetupError` when they do not come up."""
    async with own_speech_socket(engines=[engine]) as socket_path:
        client = SpeechClient(socket_path, engine=engine)
        try:
            yield client
        finally:
            await client.aclose()
