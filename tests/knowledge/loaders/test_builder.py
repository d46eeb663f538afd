import pytest

from knowledge.loaders import builder as module
from knowledge.loaders.builder import DocumentBuilder
from knowledge.loaders.refusal import Refusal
from knowledge.types import page_of


def test_a_page_begins_with_its_first_word() -> None:
    builder = DocumentBuilder()
    builder.page()
    builder.paragraph("One")
    builder.page()
    builder.page()
    builder.paragraph("Three")
    builder.page()
    document = builder.build("T")
    assert (document.text, document.page_starts) == ("One\n\nThree", (0, 5, 5, 10))
    assert page_of(document.text.index("Three"), document.page_starts) == 3


def test_a_paragraph_may_run_over_a_page() -> None:
    builder = DocumentBuilder()
    builder.page()
    builder.paragraph("One and ")
    builder.page()
    builder.extend("two")
    document = builder.build("T")
    assert (document.text, document.page_starts) == ("One and two", (0, 8))


def test_a_cell_beyond_the_columns_is_said_without_a_name() -> None:
    builder = DocumentBuilder()
    builder.row(["Plan", "Price"], ["Pro", "$20", "new"])
    assert builder.build("T").text == "Plan: Pro, Price: $20, new"


def test_a_cell_that_is_a_sentence_needs_no_comma_after_it() -> None:
    builder = DocumentBuilder()
    builder.row(["Question", "Answer"], ["Is it free?", "Yes."])
    assert builder.build("T").text == "Question: Is it free? Answer: Yes."


def test_a_heading_as_long_as_a_paragraph_is_one() -> None:
    builder = DocumentBuilder()
    builder.heading(2, "word " * 100)
    assert [section.heading_path for section in builder.build("T").sections] == [()]


def test_what_cannot_be_stored_is_in_neither_title_nor_headings_nor_text() -> None:
    builder = DocumentBuilder(title="A\0")
    builder.heading(2, "B\ud800")
    builder.paragraph("C\0")
    document = builder.build("T")
    assert (document.title, document.sections[0].heading_path, document.text) == ("A", ("B",), "B\n\nC")


def test_more_text_than_can_be_indexed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHARS", 10)
    builder = DocumentBuilder()
    with pytest.raises(Refusal, match="more than 10 characters"):
        builder.paragraph("eleven chars")
