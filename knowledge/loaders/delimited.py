"""CSV and TSV: a line a row, each cell after its column's name."""

import csv
import re
from collections.abc import Sequence
from io import StringIO

from knowledge.loaders.builder import DocumentBuilder
from knowledge.loaders.kinds import MAX_TEXT_BYTES
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument

MAX_ROWS = 50_000
_DELIMITERS = ",;\t|"
_SAMPLE_CHARS = 8_192
_MAX_NAME_CHARS = 60
# Numbers, amounts, days, addresses and sentences: what stands in a cell but is no column's name.
_NO_NAME = re.compile(r"^[^A-Za-z\u00c0-\uffff]*$|@|://|\d[-/.]\d|\S\s+\S+\s+\S.*[.!?]$")


def parse_delimited(text: str, title: str, *, delimiter: str | None = None) -> LoadedDocument:
    """Return a table under the given title; without a delimiter, the text's own is found.

    A first row that reads like names names the columns. Raises Refusal when there are more than 50,000 rows.
    """
    # The limit is the process', and low enough by default to refuse a cell that holds an article.
    csv.field_size_limit(MAX_TEXT_BYTES)
    builder = DocumentBuilder()
    columns: Sequence[str] = ()
    rows = 0
    for record in csv.reader(
        StringIO(text, newline=""), delimiter=delimiter or _delimiter(text), skipinitialspace=True
    ):
        cells = [" ".join(cell.split()) for cell in record]
        if not any(cells):
            continue
        rows += 1
        if rows > MAX_ROWS:
            raise Refusal(f"it has more than {MAX_ROWS:,} rows; split it into several files.")
        if rows == 1 and _are_names(cells):
            columns = cells
        else:
            builder.row(columns, cells)
    if columns and rows == 1:
        builder.row((), columns)
    return builder.build(title)


def _delimiter(text: str) -> str:
    """Return the delimiter that cuts the first rows most evenly, a comma where none does."""
    sample = text[:_SAMPLE_CHARS].split("\n")
    widths = {each: [len(row) for row in csv.reader(sample, delimiter=each) if row] for each in _DELIMITERS}

    def evenness(delimiter: str) -> tuple[float, int]:
        found = [width for width in widths[delimiter] if width > 1]
        if not found:
            return 0.0, 0
        usual = max(set(found), key=found.count)
        return found.count(usual) / len(widths[delimiter]), usual

    return max(_DELIMITERS, key=evenness)


def _are_names(cells: Sequence[str]) -> bool:
    """Tell a row of column names: short, all different, and none a number, a day, an address or a sentence."""
    names = [cell for cell in cells if cell]
    return len(set(names)) == len(names) and not any(
        len(name) > _MAX_NAME_CHARS or _NO_NAME.search(name) for name in names
    )
