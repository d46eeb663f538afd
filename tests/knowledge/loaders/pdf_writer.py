"""Writes small PDFs by hand, as tests need them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 792
_PADDING = bytes.fromhex("28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a")


@dataclass(frozen=True)
class Text:
    """Words at a place of a page, in points from its left and top."""

    words: str
    top: float
    left: float = 72
    size: float = 11
    bold: bool = False


def paragraph(lines: Sequence[str], *, top: float, size: float = 11, pitch: float = 14) -> list[Text]:
    """Return lines that stand below each other."""
    return [Text(line, top + number * pitch, size=size) for number, line in enumerate(lines)]


def pdf(
    *pages: Sequence[Text],
    title: str = "",
    outline: Sequence[tuple[str, int]] = (),
    picture: bool = False,
    key: str = "",
) -> bytes:
    """Return a PDF; `outline` names pages from 0, and with a `key` nobody opens it without that password."""
    objects: list[bytes] = []

    def add(body: str | bytes) -> int:
        objects.append(body.encode("cp1252") if isinstance(body, str) else body)
        return len(objects)

    catalog = add("")
    tree = add("")
    plain = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>")
    bold = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>")
    image = add(
        _stream(
            b"\x80", "/Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8"
        )
    )
    resources = f"<< /Font << /F1 {plain} 0 R /F2 {bold} 0 R >> /XObject << /I {image} 0 R >> >>"
    leaves = []
    for page in pages:
        drawn = "".join(
            f"BT /F{2 if text.bold else 1} {text.size} Tf {text.left} {HEIGHT - text.top - text.size} Td"
            f" ({text.words.replace('(', chr(92) + '(').replace(')', chr(92) + ')')}) Tj ET\n"
            for text in page
        )
        content = add(_stream((drawn + ("q 600 0 0 700 0 0 cm /I Do Q\n" if picture else "")).encode("cp1252")))
        leaves.append(
            add(
                f"<< /Type /Page /Parent {tree} 0 R /MediaBox [0 0 612 {HEIGHT}] /Contents {content} 0 R"
                f" /Resources {resources} >>"
            )
        )
    objects[tree - 1] = (
        f"<< /Type /Pages /Count {len(leaves)} /Kids [{' '.join(f'{n} 0 R' for n in leaves)}] >>".encode()
    )
    named = ""
    if outline:
        root = len(objects) + 1
        entries = [
            f"<< /Title ({words}) /Parent {root} 0 R /Dest [{leaves[page]} 0 R /Fit]"
            + (f" /Next {root + number + 2} 0 R" if number + 1 < len(outline) else "")
            + " >>"
            for number, (words, page) in enumerate(outline)
        ]
        add(f"<< /Type /Outlines /First {root + 1} 0 R /Last {root + len(entries)} 0 R /Count {len(entries)} >>")
        for entry in entries:
            add(entry)
        named = f" /Outlines {root} 0 R"
    objects[catalog - 1] = f"<< /Type /Catalog /Pages {tree} 0 R{named} >>".encode()
    info = add(f"<< /Title ({title}) >>")
    trailer = f"/Root {catalog} 0 R /Info {info} 0 R"
    if key:
        trailer += f" /Encrypt {add(_encryption(key))} 0 R /ID [<{'00' * 16}> <{'00' * 16}>]"
    return _file(objects, trailer)


def _stream(data: bytes, entries: str = "") -> bytes:
    return f"<< {entries} /Length {len(data)} >>\nstream\n".encode() + data + b"\nendstream"


def _file(objects: Sequence[bytes], trailer: str) -> bytes:
    written = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = f"trailer\n<< /Size {size} {trailer} >>\nstartxref\n{len(written)}\n%%EOF\n"
    return written + f"xref\n0 {size}\n0000000000 65535 f \n{table}{end}".encode()


def _encryption(key: str) -> str:
    """Return the dictionary of the standard security handler, of 40 bits, with one password for user and owner."""
    padded = (key.encode() + _PADDING)[:32]
    owner = _rc4(hashlib.md5(padded).digest()[:5], padded)
    file_key = hashlib.md5(padded + owner + (0xFFFFFFFC).to_bytes(4, "little") + bytes(16)).digest()[:5]
    user = _rc4(file_key, _PADDING)
    return f"<< /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user.hex()}> >>"


def _rc4(key: bytes, data: bytes) -> bytes:
    state = list(range(256))
    other = 0
    for place in range(256):
        other = (other + state[place] + key[place % len(key)]) % 256
        state[place], state[other] = state[other], state[place]
    place = other = 0
    written = bytearray()
    for byte in data:
        place = (place + 1) % 256
        other = (other + state[place]) % 256
        state[place], state[other] = state[other], state[place]
        written.append(byte ^ state[(state[place] + state[other]) % 256])
    return bytes(written)
