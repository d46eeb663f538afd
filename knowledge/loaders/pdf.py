"""PDF: its words page by page, cut at what looks like its headings."""

from knowledge.loaders.builder import DocumentBuilder
from knowledge.loaders.pdf_blocks import blocks
from knowledge.loaders.pdf_headings import body_lines, document_title, heading_levels
from knowledge.loaders.pdf_lines import read_pages
from knowledge.types import LoadedDocument


def parse_pdf(content: bytes, title: str) -> LoadedDocument:
    """Return the words of a PDF with the start of each page.

    Headings are what the PDF's outline names, else what is set larger or bolder than the body text; without any, there
    is one section. The title is the metadata's, else the largest heading, else the given one. Raises Refusal when the
    PDF is damaged, protected by a password, scanned or too long.
    """
    pages = read_pages(content)
    lines = body_lines(pages)
    levels = heading_levels(lines, pages.outline)
    named = document_title(pages.title, lines)
    builder = DocumentBuilder(title=named or title)
    turned = -1
    for block in blocks(lines, levels):
        for position, (page, words) in enumerate(block.pieces):
            for _ in range(turned, page):
                builder.page()
            turned = page
            if position:
                builder.extend(words)
            elif block.level:
                builder.heading(block.level, words)
            elif block.tight:
                builder.line(words)
            else:
                builder.paragraph(words)
    for _ in range(turned, len(pages.heights) - 1):
        builder.page()
    return builder.build(title)
