"""The process in which documents are read: it may crash, hang or run out of memory, and nothing else is hurt.

`python -m knowledge.loaders.child` reads requests from stdin, writes an answer to each to stdout, and ends with stdin.
"""

import os
import signal
import sys
from typing import BinaryIO

from knowledge.confined import OUT_OF_MEMORY, confine
from knowledge.errors import DocumentError
from knowledge.loaders import load
from knowledge.loaders.wire import HEADER, TAKEN, Request, pack_answer, unpack_request
from knowledge.types import LoadedDocument

MAX_MEMORY_BYTES = 1536 * 1024 * 1024
# The parent ends a document that takes too long; where the parent is gone too, the alarm does, so much later.
ALARM_AFTER_SECS = 5.0

_PUZZLING = "it cannot be made sense of; save it anew, or as another kind of document."


def answer(request: Request) -> LoadedDocument | str:
    """Return the document, or the reason why there is none; raises MemoryError."""
    try:
        return load(request.name, request.content, content_type=request.content_type)
    except DocumentError as error:
        return error.reason
    except MemoryError:
        raise
    except Exception:
        # What a parser raises for a document that nobody foresaw concerns that document alone.
        return _PUZZLING


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer one request after the other until there are no more."""
    while len(header := requests.read(HEADER.size)) == HEADER.size:
        request = unpack_request(requests.read(*HEADER.unpack(header)))
        answers.write(TAKEN)
        answers.flush()
        signal.setitimer(signal.ITIMER_REAL, request.timeout_secs + ALARM_AFTER_SECS)
        try:
            answers.write(pack_answer(answer(request)))
            answers.flush()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def main() -> None:
    """Serve on stdin and stdout, which libraries then find to be empty and stderr."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    # A Ctrl-C is for the parent, which then closes stdin.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    confine(memory_bytes=MAX_MEMORY_BYTES)
    try:
        serve(requests, answers)
    except MemoryError:
        sys.exit(OUT_OF_MEMORY)


if __name__ == "__main__":
    main()
