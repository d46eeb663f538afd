"""A recogniser as a child process: `python -m bot.speech.worker pocketsphinx|moonshine [MODEL FOLDER]`.

Each message on stdin is `{"pcm", "sample_rate"}`, each on stdout the recognition, both msgpack behind a four-byte
little-endian length; the first message out is empty and says that the model is loaded. It ends with its stdin.
"""

import signal
import struct
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, cast

import msgpack

from bot.speech.recognition import Recognition

LENGTH = struct.Struct("<I")


def framed(message: Any) -> bytes:
    """A message as it goes through the pipe."""
    packed = cast(bytes, msgpack.packb(message))
    return LENGTH.pack(len(packed)) + packed


class Recognising(Protocol):
    """A recogniser of whole utterances."""

    def recognise(self, pcm: bytes, *, sample_rate: int) -> Recognition:
        """Recognise an utterance of s16le mono PCM."""
        ...


def loaded(engine: str, model: Path | None) -> Recognising:
    """The recogniser of this name; only pocketsphinx takes a model."""
    # Each loads native code that the other's worker has no use for.
    if engine == "moonshine":
        from bot.speech.moonshine import Moonshine

        return Moonshine()
    from bot.speech.recogniser import Recogniser

    return Recogniser(model=model)


def main() -> None:
    """Recognise what stdin brings until it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    recogniser = loaded(sys.argv[1], Path(sys.argv[2]) if len(sys.argv) > 2 else None)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    sink.write(framed({}))
    sink.flush()
    while len(header := source.read(LENGTH.size)) == LENGTH.size:
        request = msgpack.unpackb(source.read(LENGTH.unpack(header)[0]))
        recognition = recogniser.recognise(request["pcm"], sample_rate=request["sample_rate"])
        sink.write(framed(asdict(recognition)))
        sink.flush()


if __name__ == "__main__":
    main()
