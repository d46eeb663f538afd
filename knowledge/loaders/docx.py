"""DOCX: unpacked with care, then read as the HTML that it amounts to."""

import re
from collections.abc import Iterator
from io import BytesIO
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile, ZipInfo
from zlib import error as ZlibError

import mammoth
from mammoth.images import img_element

from knowledge.loaders.html import parse_html
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument

MAX_ENTRIES = 5_000
MAX_ENTRY_RATIO = 500
MAX_UNPACKED_BYTES = 500 * 1024 * 1024
MAX_XML_BYTES = 20 * 1024 * 1024
# An entry below this size may be packed as tightly as it likes.
_SMALL_BYTES = 1024 * 1024
_BLOCK_BYTES = 64 * 1024

# The parts that hold words or say where they are; pictures, fonts and embedded files stay packed.
_PARTS = re.compile(r"\[Content_Types\]\.xml|_rels/\.rels|word/[^/]+\.xml|word/_rels/[^/]+\.rels")
_STYLES = "p[style-name='Title'] => h1.title:fresh\np[style-name='Subtitle'] => p:fresh"
_BOMB = "it unpacks to far more than a document holds; save it anew, or split it into several files."
_DAMAGED = "it is damaged; open it in a word processor and save it anew as .docx."


def parse_docx(content: bytes, title: str) -> LoadedDocument:
    """Return the words of a Word document with a section a heading; nothing that it links to is fetched.

    Raises Refusal when it is damaged, nested too deeply or unpacks to too much.
    """
    try:
        html = mammoth.convert_to_html(
            _repacked(content),
            style_map=_STYLES,
            include_embedded_style_map=False,
            convert_image=img_element(lambda _: {}),
        ).value
    except RecursionError as error:
        raise Refusal("it is nested too deeply; copy its text into a new document.") from error
    except (BadZipFile, ZlibError, ExpatError, EOFError, OSError, RuntimeError) as error:
        raise Refusal(_DAMAGED) from error
    except (LookupError, ValueError, AttributeError, TypeError) as error:
        # What mammoth stumbles over where a part lacks what each word processor writes.
        raise Refusal(_DAMAGED) from error
    return parse_html(html, title)


def _repacked(content: bytes) -> BytesIO:
    """Return a ZIP of only the parts that are read, each checked, so that no other reader meets what was sent."""
    repacked = BytesIO()
    with ZipFile(BytesIO(content)) as archive, ZipFile(repacked, "w") as copy:
        entries = archive.infolist()
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
            raise Refusal(_BOMB)
        unpacked = 0
        for entry in entries:
            if entry.file_size > max(_SMALL_BYTES, MAX_ENTRY_RATIO * entry.compress_size):
                raise Refusal(_BOMB)
            if _PARTS.fullmatch(entry.filename) and entry.filename not in copy.NameToInfo:
                part = b"".join(_blocks(archive, entry, at_most=MAX_XML_BYTES - unpacked))
                unpacked += len(part)
                _check_xml(part)
                copy.writestr(entry.filename, part)
    repacked.seek(0)
    return repacked


def _blocks(archive: ZipFile, entry: ZipInfo, *, at_most: int) -> Iterator[bytes]:
    """Unpack an entry block by block, as its declared size may be a lie."""
    with archive.open(entry) as file:
        while block := file.read(_BLOCK_BYTES):
            at_most -= len(block)
            if at_most < 0:
                raise Refusal(_BOMB)
            yield block


def _check_xml(part: bytes) -> None:
    """Refuse a document type, as entities are declared in it; no word processor writes one."""

    def refuse(*_: object) -> None:
        raise Refusal(_DAMAGED)

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    parser.Parse(part, True)
