import pytest

from knowledge.chunking import MAX_CHUNK_CHARACTERS, MAX_TOKENS, MIN_TOKENS, chunk, indexed_text
from knowledge.types import LoadedDocument, Section
from tests.knowledge.conftest import word_spans as words


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


def windows(text: str) -> list[str]:
    return [each.text[start:end] for each in chunk(document(text), token_spans=words) for start, end in each.windows]


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_chunk_is_exactly_its_span_of_the_document(text: str) -> None:
    for each in chunk(document(text), token_spans=words):
        assert each.text == text[each.start : each.end] == each.text.strip()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_windows_lie_within_their_chunk_one_behind_the_other(text: str) -> None:
    for each in chunk(document(text), token_spans=words):
        bounds = [bound for window in each.windows for bound in window]
        assert bounds == sorted(bounds)
        assert (bounds[0], bounds[-1]) == (0, len(each.text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_long_section_is_cut_into_windows_of_even_size(text: str) -> None:
    assert all(MIN_TOKENS <= len(words(window)) <= MAX_TOKENS for window in windows(text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_window_has_no_white_space_around_it(text: str) -> None:
    assert all(window == window.strip() for window in windows(text))


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_no_word_is_lost_between_windows(text: str) -> None:
    assert "".join("".join(windows(text)).split()) == "".join(text.split())


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_a_chunk_is_about_as_long_as_it_should_be(text: str) -> None:
    longest = max(map(len, windows(text)))
    for each in chunk(document(text), token_spans=words):
        assert len(each.text) <= MAX_CHUNK_CHARACTERS + longest


def test_chunks_are_numbered_in_reading_order() -> None:
    chunks = chunk(document(sentences(200)), token_spans=words)
    assert [each.ordinal for each in chunks] == list(range(len(chunks)))
    assert [each.start for each in chunks] == sorted(each.start for each in chunks)


def test_a_short_section_is_one_chunk_of_one_window() -> None:
    (only,) = chunk(document("Thirty days."), token_spans=words)
    assert only.windows == ((0, 12),)


def test_a_section_of_white_space_has_no_chunk() -> None:
    assert chunk(document(" \n\n "), token_spans=words) == ()


def test_windows_end_where_sentences_end() -> None:
    assert all(window.endswith(".") for window in windows(sentences(100)))


def test_windows_end_where_paragraphs_end() -> None:
    paragraph = sentences(7)
    assert set(windows("\n\n".join([paragraph] * 10))) <= {paragraph, paragraph + "\n\n" + paragraph}


def test_no_chunk_crosses_a_heading() -> None:
    text = "Refunds are free.\n\nDeadline\n\nThirty days."
    loaded = LoadedDocument("Refunds", text, (Section((), 0, 17), Section(("Deadline",), 29, len(text))))
    chunks = chunk(loaded, token_spans=words)
    assert [(each.heading_path, each.text, each.start) for each in chunks] == [
        ((), "Refunds are free.", 0),
        (("Deadline",), "Thirty days.", 29),
    ]


def test_a_window_is_found_by_its_title_and_headings_too() -> None:
    assert indexed_text("Refunds", ("Shoes",), "Thirty days.") == "Refunds - Shoes\nThirty days."
