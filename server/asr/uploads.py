"""Reads the audio that `POST /api/asr/transcribe` is sent: as the body itself, or as a form with a file."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from server.asr.intake import PART_BYTES, body_of
from server.bodies import MB, LimitedBody, media_type_of
from server.errors import Problem
from server.streams import left

MAX_BYTES = 25 * MB
FORM = "multipart/form-data"
# WebM is video by name, and who sends a file often names no type.
TAKEN_TYPES = ("audio/", "video/webm", "application/ogg", "application/octet-stream")
_HOW = "Send the audio as the body, as audio/wav or the like, or application/octet-stream"


class Upload:
    """The parts of the audio, and what ends when the client leaves."""

    def __init__(self, parts: AsyncGenerator[bytes], leaving: Any) -> None:
        self.parts = parts
        self.leaving = leaving


@asynccontextmanager
async def upload_of(request: Request) -> AsyncIterator[Upload]:
    """The audio of a request; raises a 413, 415 or 422 `Problem`."""
    if media_type_of(request) != FORM:
        checked_type(request, or_form=True)
        async with body_of(request, limit_bytes=MAX_BYTES) as intake:
            yield Upload(intake.parts(), intake.left.wait)
        return
    form = await _form(request)
    try:
        yield Upload(_parts(_file(form)), lambda: left(request))
    finally:
        await form.close()


def checked_type(request: Request, *, or_form: bool = False) -> None:
    """Raises a 415 `Problem` for a body that is said to be something else than audio."""
    named = media_type_of(request)
    if named and not named.startswith(TAKEN_TYPES):
        raise Problem(415, "The body is of the wrong type", f"{_HOW}{f', or as `file` in {FORM}' if or_form else ''}.")


def request_body(*, or_form: bool = False) -> dict[str, Any]:
    """The bodies, as OpenAPI describes them."""
    binary = {"schema": {"type": "string", "format": "binary"}}
    content: dict[str, Any] = {"audio/wav": binary, "application/octet-stream": binary}
    if or_form:
        file = {"type": "string", "format": "binary", "description": "WAV, FLAC, MP3, Ogg or WebM"}
        content[FORM] = {"schema": {"type": "object", "required": ["file"], "properties": {"file": file}}}
    return {"required": True, "content": content}


async def _form(request: Request) -> FormData:
    body = LimitedBody(request, limit_bytes=MAX_BYTES)
    try:
        form = await body.as_request().form(max_files=1, max_fields=0)
    except HTTPException as error:
        detail = f"The form can't be read: {error.detail} Send the audio in one `file`, and nothing else."
        raise Problem(422, "The request is not valid", detail) from None
    # A form that breaks off loses its last file without a word.
    if not body.tail.rstrip().endswith(b"--"):
        raise Problem(422, "The request is not valid", "The form breaks off before its end; send it again.")
    return form


def _file(form: FormData) -> UploadFile:
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise Problem(422, "The request is not valid", "Send the audio in `file` of the form.")
    return file


async def _parts(file: UploadFile) -> AsyncGenerator[bytes]:
    while part := await file.read(PART_BYTES):
        yield part
        await asyncio.sleep(0)
