import struct
from collections.abc import Mapping
from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from knowledge.loaders import docx as module
from knowledge.loaders.docx import parse_docx
from knowledge.loaders.refusal import Refusal

TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Override PartName="/word/document.xml"'
    ' ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
)
RELATIONS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    "{}</Relationships>"
)
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
MAIN = f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="word/document.xml"/>'
NAMESPACES = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    f' xmlns:r="{OFFICE}" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    ' xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing"'
)
STYLES = (
    f'<?xml version="1.0"?><w:styles {NAMESPACES}>'
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="{style}"><w:name w:val="{name}"/></w:style>'
        for style, name in (("Title", "Title"), ("H1", "heading 1"), ("H2", "heading 2"))
    )
    + "</w:styles>"
)


def docx(body: str, others: Mapping[str, str | bytes] = {}, *, prolog: str = "") -> bytes:
    """Return a Word document; `others` are more entries, by name."""
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", TYPES)
        archive.writestr("_rels/.rels", RELATIONS.format(MAIN))
        archive.writestr("word/styles.xml", STYLES)
        document = f'<?xml version="1.0"?>{prolog}<w:document {NAMESPACES}><w:body>{body}</w:body></w:document>'
        archive.writestr("word/document.xml", document)
        for name, content in others.items():
            archive.writestr(name, content)
    return file.getvalue()


def paragraph(words: str, *, style: str = "", bold: bool = False) -> str:
    styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{styled}<w:r>{'<w:rPr><w:b/></w:rPr>' if bold else ''}<w:t>{words}</w:t></w:r></w:p>"


def row(*cells: str, bold: bool = False) -> str:
    return f"<w:tr>{''.join(f'<w:tc>{paragraph(cell, bold=bold)}</w:tc>' for cell in cells)}</w:tr>"


def test_headings_of_a_word_document_open_sections_and_tables_become_lines() -> None:
    document = parse_docx(
        docx(
            paragraph("Rental", style="Title")
            + paragraph("Prices", style="H1")
            + paragraph("By the day:")
            + f"<w:tbl>{row('Bike', 'Price', bold=True)}{row('City', '$20')}</w:tbl>"
            + paragraph("Locks", style="H1")
            + paragraph("Free.")
        ),
        "T",
    )
    assert document.title == "Rental"
    assert [(each.heading_path, document.text[each.start : each.end].strip()) for each in document.sections] == [
        (("Prices",), "By the day:\n\nBike: City, Price: $20"),
        (("Locks",), "Free."),
    ]


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (paragraph("Rental", style="H1") + paragraph("Free."), "Rental"),
        (paragraph("One", style="H1") + paragraph("Two", style="H1"), "From the file name"),
        (paragraph("Free."), "From the file name"),
    ],
)
def test_the_title_is_the_only_heading_of_its_level(body: str, title: str) -> None:
    assert parse_docx(docx(body), "From the file name").title == title


def test_an_entry_that_unpacks_to_far_more_than_it_is_refused() -> None:
    with pytest.raises(Refusal, match="unpacks to far more"):
        parse_docx(docx(paragraph("Hi"), {"word/media/a": bytes(20_000_000)}), "T")


def test_a_lot_of_text_in_little_is_refused() -> None:
    with pytest.raises(Refusal, match="unpacks to far more"):
        parse_docx(docx("".join(paragraph(f"{number:x}" * 90) for number in range(100_000))), "T")


def test_a_declared_size_that_is_a_lie_does_no_harm() -> None:
    honest = docx(paragraph("Hi"), {"word/notes.xml": bytes(40_000_000)})
    lie = honest.replace(struct.pack("<I", 40_000_000), struct.pack("<I", 5_000))
    with pytest.raises(Refusal, match="damaged"):
        parse_docx(lie, "T")


def test_too_many_entries_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 5)
    with pytest.raises(Refusal, match="unpacks to far more"):
        parse_docx(docx(paragraph("Hi"), {"a": "", "b": ""}), "T")


def test_entities_are_refused_before_they_are_unfolded() -> None:
    bomb = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(9))
    content = docx(paragraph("&e9;"), prolog=f'<!DOCTYPE d [<!ENTITY e0 "ha">{bomb}]>')
    with pytest.raises(Refusal, match="damaged"):
        parse_docx(content, "T")


def test_what_a_document_links_to_is_not_fetched() -> None:
    linked = f'<Relationship Id="r9" Type="{OFFICE}/image" Target="file:///etc/passwd" TargetMode="External"/>'
    picture = (
        "<w:p><w:r><w:drawing><wp:inline><a:graphic><a:graphicData><a:blip r:link='r9'/></a:graphicData></a:graphic>"
        "</wp:inline></w:drawing></w:r></w:p>"
    )
    content = docx(paragraph("Hi") + picture, {"word/_rels/document.xml.rels": RELATIONS.format(linked)})
    assert parse_docx(content, "T").text == "Hi"


def test_a_document_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(Refusal, match="nested too deeply"):
        parse_docx(docx("<w:sdt><w:sdtContent>" * 5_000 + "</w:sdtContent></w:sdt>" * 5_000), "T")


@pytest.mark.parametrize(
    "content",
    [
        docx("<w:p>"),
        docx(paragraph("Hi"))[:-200],
        docx(paragraph("Hi")).replace(b"word/document.xml", b"word/documenx.xml"),
    ],
)
def test_a_damaged_document_is_refused(content: bytes) -> None:
    with pytest.raises(Refusal, match="damaged"):
        parse_docx(content, "T")
