import re

import pytest

from knowledge.chunking import MAX_TOKENS, MIN_TOKENS, chunk, indexed_text
from knowledge.types import LoadedDocument, Section


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def document(text: str) -> LoadedDocument:
    return LoadedDocument("Title", text, (Section((), 0, len(text)),))


def sentences(count: int, *, length: int = 10) -> str:
    return " ".join(" ".join(f"w{n}" for n in range(length - 1)) + "." for _ in range(count))


TEXTS = {
    "sentences": sentences(100),
    "one endless sentence": " ".join(["word"] * 1_005),
    "paragraphs": "\n\n".join([sentences(4)] * 30),
    "just over one window": sentences(20) + " x",
    "no spaces at all": "a," * 700,
    "white space around": "\n\n  " + sentences(50) + "  \n",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_chunk_is_exactly_its_span_of_the_document(text: str) -> None:
    for each in chunk(document(text), token_spans=words):
        assert each.text == text[each.start : each.end] == each.text.strip()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_long_section_is_cut_into_windows_of_even_size(text: str) -> None:
    for each in chunk(document(text), token_spans=words):
        assert MIN_TOKENS <= len(words(each.text)) <= MAX_TOKENS


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_no_word_is_lost_between_chunks(text: str) -> None:
    kept = "".join(each.text for each in chunk(document(text), token_spans=words))
    assert "".join(kept.split()) == "".join(text.split())


def test_a_short_section_is_one_chunk() -> None:
    assert len(chunk(document("Thirty days."), token_spans=words)) == 1


def test_windows_end_where_sentences_end() -> None:
    assert all(each.text.endswith(".") for each in chunk(document(sentences(100)), token_spans=words))


def test_windows_end_where_paragraphs_end() -> None:
    paragraph = sentences(7)
    chunks = chunk(document("\n\n".join([paragraph] * 10)), token_spans=words)
    assert {each.text for each in chunks} <= {paragraph, paragraph + "\n\n" + paragraph}


def test_no_chunk_crosses_a_heading() -> None:
    text = "Refunds are free.\n\nDeadline\n\nThirty days."
    loaded = LoadedDocument("Refunds", text, (Section((), 0, 17), Section(("Deadline",), 29, len(text))))
    chunks = chunk(loaded, token_spans=words)
    assert [(each.heading_path, each.text, each.section) for each in chunks] == [
        ((), "Refunds are free.", 0),
        (("Deadline",), "Thirty days.", 1),
    ]


def test_a_chunk_is_found_by_its_title_and_headings_too() -> None:
    assert indexed_text("Refunds", ("Shoes",), "Thirty days.") == "Refunds - Shoes\nThirty days."
