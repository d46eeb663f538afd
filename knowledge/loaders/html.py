"""HTML: the words of a page's main content, cut at its headings."""

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from knowledge.loaders.builder import DocumentBuilder, enumerated
from knowledge.loaders.html_content import flattened, survey, walk
from knowledge.loaders.html_head import effective_date, page_title
from knowledge.loaders.html_table import Table
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument

_BLOCKS = frozenset(
    "address article aside blockquote body center dd details dialog dir div dl dt fieldset figcaption figure footer"
    " form h1 h2 h3 h4 h5 h6 header hgroup hr legend li main menu ol p pre section summary table tbody td tfoot th"
    " thead tr ul".split()
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTS = frozenset(("ul", "ol", "menu", "dir", "dl"))
# Elements whose words are gathered until they close, whatever blocks are in them.
_GATHERED = _HEADINGS | {"td", "th", "dt", "pre"}
_SPACE = re.compile(r"\s+")
_SPACE_RUNS = re.compile(r" {2,}")
_AROUND_BREAK = re.compile(r" *\n *")
_BREAKS = re.compile(r"\n{2,}")


def parse_html(html: str, title: str) -> LoadedDocument:
    """Return the words of a page without what surrounds its content, with a section a heading.

    The title is the page's without its site's name, else its only level-one heading, else the given one. A table
    becomes a line a row, each cell after its column's name. The effective date is the one in the page's metadata.
    Raises Refusal when the page holds no words.
    """
    page = LexborHTMLParser(flattened(html))
    writer = _Writer(page, title=page_title(page) or title)
    writer.write()
    document = writer.builder.build(title, effective_date=effective_date(page))
    if not document.sections:
        raise Refusal("it holds no text of its own; if a script writes it in the browser, save the page as PDF.")
    return document


class _Writer:
    """Walks the content once and writes what it says."""

    def __init__(self, page: LexborHTMLParser, *, title: str) -> None:
        self.builder = DocumentBuilder(title=title)
        self._content = survey(page)
        self._words: list[str] = []
        self._gathering: LexborNode | None = None
        self._lists = 0
        self._terms: list[str] = []
        self._table: Table | None = None
        self._bold = 0
        self._only_bold = True

    def write(self) -> None:
        skipped = self._content.skipped
        for root in self._content.roots:
            for node, opens in walk(root, skip=lambda each: each.mem_id in skipped):
                tag = node.tag or ""
                if tag == "-text":
                    if opens:
                        self._text(node.text_content or "")
                elif opens:
                    self._open(node, tag)
                else:
                    self._close(node, tag)
            self._flush()

    def _text(self, text: str) -> None:
        if self._gathering is not None and self._gathering.tag == "pre":
            self._words.append(text)
        else:
            self._words.append(_SPACE.sub(" ", text))
            self._only_bold = self._only_bold and (self._bold > 0 or text.isspace())

    def _open(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self._words.append("\n")
        elif tag == "mark":
            self._bold += 1
        elif tag in _BLOCKS:
            self._break()
            self._open_block(node, tag)

    def _open_block(self, node: LexborNode, tag: str) -> None:
        if tag in _HEADINGS or (self._gathering is None and tag in _GATHERED):
            self._gather(node, tag)
        elif tag in _LISTS:
            self._lists += 1
        elif tag == "table" and node.mem_id not in self._content.layout_tables and self._gathering is None:
            self._table = Table()
        elif tag == "tr" and self._table:
            self._table.open_row(in_head=node.parent is not None and node.parent.tag == "thead")

    def _gather(self, node: LexborNode, tag: str) -> None:
        if tag in ("td", "th") and self._table is None:
            return
        self._flush()
        self._gathering = node
        self._only_bold = True

    def _close(self, node: LexborNode, tag: str) -> None:
        if tag == "mark":
            self._bold -= 1
        elif tag in _BLOCKS:
            if self._gathering is not None and node.mem_id == self._gathering.mem_id:
                self._close_gathered(node, tag)
            else:
                self._break()
            if tag in _LISTS:
                self._lists -= 1
                self._say_terms()
            elif self._table and tag == "tr":
                self._table.close_row(self.builder)
            elif self._table and tag == "table":
                self._table.close(self.builder)
                self._table = None

    def _close_gathered(self, node: LexborNode, tag: str) -> None:
        self._gathering = None
        if tag == "pre":
            code = "".join(self._words)
            self._words.clear()
            self.builder.paragraph(code.strip("\n").rstrip())
            return
        words = _SPACE.sub(" ", self._take())
        if tag in _HEADINGS:
            self.builder.heading(int(tag[1]), words)
        elif tag == "dt":
            self._terms += [words] if words else []
        elif self._table:
            self._table.add(node, words, is_name=tag == "th" or (bool(words) and self._only_bold))

    def _break(self) -> None:
        """End a block, which is but a space where words are gathered."""
        if self._gathering is None:
            self._flush()
        else:
            self._words.append("\n" if self._gathering.tag == "pre" else " ")

    def _flush(self) -> None:
        self._gathering = None
        words = self._take()
        if not words:
            return
        if self._terms:
            term = enumerated(self._terms)
            words = f"{term}{' ' if term.endswith((':', '?', '!', '.')) else ': '}{words}"
            self._terms.clear()
        if self._lists:
            self.builder.line(words)
        else:
            self.builder.paragraph(words)

    def _say_terms(self) -> None:
        if self._terms:
            self.builder.line(enumerated(self._terms))
            self._terms.clear()

    def _take(self) -> str:
        words = _SPACE_RUNS.sub(" ", "".join(self._words))
        self._words.clear()
        return _BREAKS.sub("\n\n", _AROUND_BREAK.sub("\n", words)).strip()
