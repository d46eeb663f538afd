"""What the reader and its child process say to each other.

A request is answered twice: with TAKEN as it was read whole, and with the answer to it. Both a request and an answer
are a length of four bytes, then msgpack.
"""

import struct
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

import msgpack

from knowledge.types import LoadedDocument, Section

HEADER = struct.Struct(">I")
TAKEN = b"t"


@dataclass(frozen=True)
class Request:
    """A document to read, within so many seconds."""

    name: str
    content: bytes
    content_type: str | None
    timeout_secs: float


def pack_request(request: Request) -> bytes:
    """Return a request with its length before it."""
    return _framed(asdict(request))


def unpack_request(body: bytes) -> Request:
    """Read a request, without its length."""
    return Request(**msgpack.unpackb(body))


def pack_answer(answer: LoadedDocument | str) -> bytes:
    """Return a document, or the reason why there is none, with its length before it."""
    if isinstance(answer, str):
        return _framed(answer)
    day = answer.effective_date
    spans = [(section.heading_path, section.start, section.end) for section in answer.sections]
    return _framed((answer.title, answer.text, spans, answer.page_starts, day and day.isoformat()))


def unpack_answer(body: bytes) -> LoadedDocument | str:
    """Read an answer, without its length."""
    answer = msgpack.unpackb(body)
    if isinstance(answer, str):
        return answer
    title, text, spans, page_starts, day = answer
    return LoadedDocument(
        title=title,
        text=text,
        sections=tuple(Section(tuple(path), start, end) for path, start, end in spans),
        page_starts=tuple(page_starts),
        effective_date=None if day is None else date.fromisoformat(day),
    )


def _framed(value: Any) -> bytes:
    body = bytes(msgpack.packb(value) or b"")
    return HEADER.pack(len(body)) + body
