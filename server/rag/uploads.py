"""Reads what `POST /api/rag/index` is sent: JSON, or a form with files."""

import asyncio
import ipaddress
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from knowledge.errors import DocumentError
from knowledge.fetching.addresses import refusal
from knowledge.fetching.urls import checked_url
from knowledge.jobs import IndexRequest, Upload
from server.bodies import MB, LimitedBody, media_type_of
from server.errors import Problem
from server.rag.index_schemas import MAX_DOCUMENTS, IndexBody, Target
from server.rag.names import plain_name

MAX_BODY_BYTES = 64 * MB
MAX_FIELDS = 100
MAX_FIELD_BYTES = 1000

JSON, FORM = "application/json", "multipart/form-data"
Body = TypeVar("Body", bound=BaseModel)


async def read_index_request(request: Request) -> IndexRequest:
    """What is to be indexed; raises a 413, 415 or 422 `Problem`, or RequestValidationError."""
    body = LimitedBody(request, limit_bytes=MAX_BODY_BYTES)
    match media_type_of(request):
        case "application/json":
            wanted = _from_json(await _validated(IndexBody.model_validate_json, await body.as_request().body()))
        case "multipart/form-data":
            wanted = await _from_form(body)
        case _:
            raise Problem(415, "The body is of the wrong type", f"Send {JSON}, or files as {FORM}.")
    if not (wanted.uploads or wanted.urls):
        raise _not_valid("There is nothing to index; send documents or urls, or files in a form.")
    (name, count), *_ = Counter(upload.name for upload in wanted.uploads).most_common(1) or [("", 0)]
    if count > 1:
        raise _not_valid(f"{count} documents are called {name}; give each a name of its own.")
    return wanted


def request_body() -> dict[str, Any]:
    """Both bodies, as OpenAPI describes them."""
    sent = IndexBody.model_json_schema()
    sent["properties"]["documents"]["items"] = sent.pop("$defs")["NewDocument"]
    form = Target.model_json_schema()
    form["properties"]["files"] = {
        "type": "array",
        "items": {"type": "string", "format": "binary"},
        "maxItems": MAX_DOCUMENTS,
        "description": "Markdown, text, HTML, PDF, DOCX and CSV, each with its name",
    }
    form["required"] = ["files"]
    return {"required": True, "content": {JSON: {"schema": sent}, FORM: {"schema": form}}}


def _from_json(body: IndexBody) -> IndexRequest:
    access = None if body.access is None else tuple(body.access)
    uploads = [
        Upload(
            name=each.name,
            content=each.text.encode(),
            content_type=each.content_type,
            title=each.title,
            effective_date=each.effective_date,
            access=access if each.access is None else tuple(each.access),
        )
        for each in body.documents
    ]
    urls = tuple(_fetchable(url) for url in body.urls)
    return IndexRequest(collection=body.collection, urls=urls, uploads=tuple(uploads), access=access)


async def _from_form(body: LimitedBody) -> IndexRequest:
    reading = body.as_request().form(max_files=MAX_DOCUMENTS, max_fields=MAX_FIELDS, max_part_size=MAX_FIELD_BYTES)
    try:
        form = await reading
    except HTTPException as error:
        raise _not_valid(f"The form can't be read: {error.detail} At most {MAX_DOCUMENTS} files are taken.") from None
    try:
        # A form that breaks off loses its last file without a word.
        if not body.tail.rstrip().endswith(b"--"):
            raise _not_valid("The form breaks off before its end; send it again.")
        return await _from_fields(form)
    finally:
        await form.close()


async def _from_fields(form: FormData) -> IndexRequest:
    fields: dict[str, Any] = {}
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) != (name == "files"):
            raise _not_valid("Send files in `files`, and text in `collection` and `access`.")
        if name == "access":
            # A form can't send an empty list, but an empty field.
            fields.setdefault(name, []).extend([value] if value else [])
        elif name != "files":
            fields[name] = value
    target = await _validated(Target.model_validate, fields)
    access = None if target.access is None else tuple(target.access)
    uploads = [
        Upload(_named(each.filename), await each.read(), content_type=each.content_type, access=access)
        for each in form.getlist("files")
        if isinstance(each, UploadFile)
    ]
    return IndexRequest(collection=target.collection, uploads=tuple(uploads), access=access)


async def _validated(validate: Callable[[Any], Body], value: Any) -> Body:
    """The value's model; a large one is read beside the event loop."""
    try:
        return await asyncio.to_thread(validate, value)
    except ValidationError as error:
        wrong = [{**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False)]
        raise RequestValidationError(wrong) from None


def _named(filename: str | None) -> str:
    try:
        return plain_name(filename or "")
    except ValueError as error:
        raise _not_valid(f"files: {error}.") from None


def _fetchable(text: str) -> str:
    """The web address in its normal form; what it leads to is seen when it is fetched."""
    try:
        url = checked_url(text)
    except DocumentError as error:
        raise _not_valid(f"{error.source}: {error.reason}") from None
    kind = refusal(url.host) if url.host and _is_address(url.host) else None
    if kind is not None:
        raise _not_valid(f"{url}: it is {kind}; only pages on the public internet can be fetched.")
    return str(url)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _not_valid(detail: str) -> Problem:
    return Problem(422, "The request is not valid", detail)
