"""A table of a page, as lines."""

from selectolax.lexbor import LexborNode

from knowledge.loaders.builder import DocumentBuilder, enumerated

# A cell that says it is wider or higher is taken to be so wide or high.
MAX_SPAN = 100


class Table:
    """Gathers the cells of one table; the first rows that only hold names name the columns."""

    def __init__(self) -> None:
        self._columns: list[str] = []
        self._named = False
        self._row: list[tuple[str, bool, int]] = []
        self._in_head = False
        # By column, the words of a cell that reaches down and the number of rows it still reaches.
        self._hanging: dict[int, tuple[str, int]] = {}

    def open_row(self, *, in_head: bool) -> None:
        """Begin a row; one in the table's head only holds names."""
        self._row = []
        self._in_head = in_head

    def add(self, cell: LexborNode, words: str, *, is_name: bool) -> None:
        """Add the row's next cell."""
        below = _span(cell, "rowspan") - 1
        column = self._skip_hanging()
        for place in range(column, column + _span(cell, "colspan")):
            self._row.append((words, is_name, column))
            if below:
                self._hanging[place] = (words, below + 1)

    def close_row(self, builder: DocumentBuilder) -> None:
        """Write the row, or take its cells for the columns' names."""
        self._skip_hanging()
        self._hanging = {place: (words, left - 1) for place, (words, left) in self._hanging.items() if left > 1}
        row, self._row = self._row, []
        filled = [(words, is_name) for words, is_name, _ in row if words]
        origins = {origin for words, _, origin in row if words}
        if not filled:
            return
        cells = [words for words, _, _ in row]
        all_names = all(is_name for _, is_name in filled)
        if self._in_head or (all_names and not self._named and len(origins) > 1):
            self._name(cells)
            return
        self._named = True
        if len(origins) == 1 and len(filled) > 1:
            builder.line(filled[0][0])
        elif not self._columns and row[0][1] and row[0][0]:
            builder.line(f"{row[0][0]}: {enumerated(words for words in cells[1:] if words)}")
        else:
            builder.row(self._columns, cells)

    def close(self, builder: DocumentBuilder) -> None:
        """Write the names where they are all that the table holds."""
        if self._columns and not self._named:
            builder.row((), self._columns)

    def _name(self, cells: list[str]) -> None:
        """Name the columns; a name below another is joined to it."""
        above = self._columns + [""] * (len(cells) - len(self._columns))
        below = cells + [""] * (len(above) - len(cells))
        self._columns = [
            " ".join(dict.fromkeys(name for name in pair if name)) for pair in zip(above, below, strict=True)
        ]

    def _skip_hanging(self) -> int:
        """Fill in the cells that reach down into the row's next columns, and return the column after them."""
        while (column := len(self._row)) in self._hanging:
            self._row.append((self._hanging[column][0], False, column))
        return len(self._row)


def _span(cell: LexborNode, name: str) -> int:
    value = (cell.attributes.get(name) or "")[:4]
    return min(max(int(value), 1), MAX_SPAN) if value.isascii() and value.isdigit() else 1
