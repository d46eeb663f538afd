import pytest

from knowledge.loaders import pdf_lines
from knowledge.loaders.pdf import parse_pdf
from knowledge.loaders.refusal import Refusal
from knowledge.types import LoadedDocument, page_of
from tests.knowledge.loaders.pdf_writer import Text, paragraph, pdf

RENT = [
    "Bikes can be rented by the day or by the week, and all of",
    "them come with a lock and with two lights that work.",
]
HELMETS = ["Helmets are free for everybody who asks for one, and for all chil-", "dren below twelve they are a self-"]


def spans(document: LoadedDocument) -> list[tuple[tuple[str, ...], str]]:
    return [(each.heading_path, document.text[each.start : each.end].strip()) for each in document.sections]


def test_lines_are_joined_to_paragraphs() -> None:
    document = parse_pdf(pdf([*paragraph(RENT, top=100), *paragraph(["Locks are free."], top=150)]), "T")
    assert document.text == f"{' '.join(RENT)}\n\nLocks are free."


def test_a_word_that_was_cut_at_the_end_of_a_line_is_whole_again() -> None:
    lines = [
        HELMETS[0],
        HELMETS[1].replace("a self-", "part of the self-"),
        "service. Our self-service opens at nine in the morning.",
    ]
    assert parse_pdf(pdf(paragraph(lines, top=100)), "T").text == (
        "Helmets are free for everybody who asks for one, and for all children below twelve they are part of the"
        " self-service. Our self-service opens at nine in the morning."
    )


def test_rows_and_items_stay_lines() -> None:
    rows = paragraph(["Bike Price", "City $20", "Cargo $40"], top=200)
    items = paragraph(["• One bike", "• Two bikes", "1. First", "2. Second"], top=300)
    document = parse_pdf(pdf([*paragraph(RENT, top=100), *rows, *items]), "T")
    assert (
        document.text.split("\n\n", 1)[1] == "Bike Price\nCity $20\nCargo $40\nOne bike\nTwo bikes\n1. First\n2. Second"
    )


def test_columns_are_read_one_after_the_other() -> None:
    narrow = ["Bikes can be rented by the day or", "week and all come with a lock and", "two lights. Helmets are free."]
    columns = [Text(words, 100 + 14 * row, left) for left in (72, 320) for row, words in enumerate(narrow)]
    assert parse_pdf(pdf(columns), "T").text == "\n\n".join([" ".join(narrow)] * 2)


def test_a_row_with_gaps_between_its_cells_stays_a_line() -> None:
    cells = [("Plan", "Price", "Notes"), ("Pro", "$20", "per month"), ("Free", "$0", "for students")]
    table = [
        Text(cell, 200 + 14 * row, 72 + 110 * column)
        for row, line in enumerate(cells)
        for column, cell in enumerate(line)
    ]
    document = parse_pdf(pdf([*paragraph(RENT, top=100), *table]), "T")
    assert document.text.split("\n\n", 1)[1] == "Plan Price Notes\nPro $20 per month\nFree $0 for students"


def test_larger_and_bolder_lines_are_headings() -> None:
    page = [
        Text("Rental", 80, size=24),
        Text("Prices", 130, size=16),
        *paragraph(RENT, top=160),
        Text("Long rentals", 220, bold=True),
        *paragraph(RENT, top=240),
        Text("Locks", 300, size=16),
        *paragraph(RENT, top=330),
    ]
    document = parse_pdf(pdf(page), "T")
    words = " ".join(RENT)
    assert document.title == "Rental"
    assert spans(document) == [(("Prices",), words), (("Prices", "Long rentals"), words), (("Locks",), words)]


def test_the_outline_names_the_headings() -> None:
    content = pdf(
        [Text("Prices", 80), *paragraph(RENT, top=110)],
        [Text("Locks", 80), *paragraph(RENT, top=110)],
        outline=[("Prices", 0), ("Locks", 1)],
    )
    assert spans(parse_pdf(content, "T")) == [(("Prices",), " ".join(RENT)), (("Locks",), " ".join(RENT))]


def test_without_headings_there_is_one_section() -> None:
    assert spans(parse_pdf(pdf(paragraph(RENT, top=100)), "Notes")) == [((), " ".join(RENT))]


def test_what_runs_along_the_pages_is_dropped() -> None:
    pages = [
        [Text("Acme handbook", 30, size=9), *paragraph(RENT, top=150), Text(f"Page {number} of 4", 750, size=9)]
        for number in range(1, 5)
    ]
    assert parse_pdf(pdf(*pages), "T").text == "\n\n".join([" ".join(RENT)] * 4)


def test_each_page_is_known_by_where_it_starts() -> None:
    document = parse_pdf(pdf(paragraph(RENT, top=100), [], paragraph(["Locks are free for all."], top=100)), "T")
    assert len(document.page_starts) == 3
    assert [page_of(document.text.index(word), document.page_starts) for word in ("Bikes", "Locks")] == [1, 3]


def test_a_sentence_may_run_over_a_page() -> None:
    document = parse_pdf(pdf(paragraph(RENT[:1], top=700), paragraph(RENT[1:], top=100)), "T")
    assert document.text == " ".join(RENT)
    assert page_of(document.text.index("them"), document.page_starts) == 2


def test_entries_of_a_printed_contents_list_are_dropped() -> None:
    contents = paragraph(["Prices ............ 2", "Locks . . . . . . . 3"], top=100)
    assert parse_pdf(pdf([*contents, *paragraph(RENT, top=300)]), "T").text == " ".join(RENT)


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ("Rental handbook", "Rental handbook"),
        ("Microsoft Word - rent.docx", "T"),
        ("Untitled", "T"),
        ("rent.indd", "T"),
    ],
)
def test_the_title_in_the_metadata_counts_unless_a_program_made_it_up(metadata: str, title: str) -> None:
    assert parse_pdf(pdf(paragraph(RENT, top=100), title=metadata), "T").title == title


def test_a_protected_pdf_is_refused() -> None:
    with pytest.raises(Refusal, match="protected by a password; save it without one"):
        parse_pdf(pdf(paragraph(RENT, top=100), key="secret"), "T")


def test_a_scanned_pdf_is_refused() -> None:
    with pytest.raises(Refusal, match="scanned: its pages are pictures; run OCR"):
        parse_pdf(pdf([], [Text("3", 750)], paragraph(RENT, top=100), picture=True), "T")


def test_pictures_beside_text_are_no_scan() -> None:
    assert parse_pdf(pdf(paragraph(RENT, top=100), picture=True), "T").text == " ".join(RENT)


def test_a_damaged_pdf_is_refused() -> None:
    with pytest.raises(Refusal, match="no PDF, or damaged"):
        parse_pdf(b"%PDF-1.7\nnothing", "T")


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf_lines, "MAX_PAGES", 1)
    with pytest.raises(Refusal, match="more than 1 pages"):
        parse_pdf(pdf([], []), "T")
