import json
import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
import tantivy

from knowledge.lexical import FORMAT, IndexState, LexicalReader, LexicalWriter, read_state
from knowledge.terms import TERMS, Leg, telling_words
from knowledge.types import ChangedDocument, StoredWindow

TODAY = date(2026, 3, 1)
STATE = IndexState(FORMAT, "database", 1)


def document(
    number: int,
    *,
    title: str = "",
    collection: str = "default",
    live: bool = True,
    access: tuple[str, ...] = (),
    effective_date: date | None = None,
) -> ChangedDocument:
    return ChangedDocument(UUID(int=number), collection, number, live, title, access, effective_date)


def window(number: int, text: str, *, chunk: int = 0, heading_path: tuple[str, ...] = ()) -> StoredWindow:
    return StoredWindow(UUID(int=number), chunk or number, number, heading_path, text)


def write(folder: Path, *entries: tuple[ChangedDocument, str]) -> None:
    LexicalWriter(folder).apply(
        [entry for entry, _ in entries], [window(entry.change, text) for entry, text in entries], state=STATE
    )


def ids(
    folder: Path,
    question: str,
    *,
    leg: Leg = "words",
    collection: str = "default",
    access: Sequence[str] = (),
    limit: int = 10,
) -> list[int]:
    """The chunks found, best first."""
    reader = LexicalReader(folder, collection=collection)
    scores = reader.search(leg, [(1.0, telling_words(question))], access=access, today=TODAY, limit=limit)
    return sorted(scores, key=lambda chunk_id: -scores[chunk_id])


@pytest.fixture
def hotel(tmp_path: Path) -> Path:
    write(
        tmp_path,
        (document(1, title="Refunds"), "Unworn shoes can be returned."),
        (document(2, title="Pool"), "It opens at seven."),
        (document(3, title="Breakfast"), "Served until ten."),
    )
    return tmp_path


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("returning a shoe", [1]),
        ("tell me of the pool", [2]),
        ("zeppelin", []),
        ("is it the", [2]),
        ("🎉", []),
        ("", []),
        ("東京タワー", []),
        ('" OR * : ) AND NOT', []),
    ],
)
def test_words_find_the_windows_that_hold_them(hotel: Path, question: str, found: list[int]) -> None:
    assert ids(hotel, question) == found


def test_a_window_is_found_by_its_headings(tmp_path: Path) -> None:
    LexicalWriter(tmp_path).apply(
        [document(1)], [window(1, "At seven.", heading_path=("Spa", "Opening hours"))], state=STATE
    )
    assert ids(tmp_path, "opening hours") == [1]


def test_a_rare_word_counts_more_than_a_frequent_one(tmp_path: Path) -> None:
    write(tmp_path, *((document(n), "the bike shop") for n in range(1, 9)), (document(9), "the scooter shop"))
    assert ids(tmp_path, "bike scooter", limit=1) == [9]


def test_a_short_window_counts_more_than_a_long_one_with_the_same_word(tmp_path: Path) -> None:
    write(tmp_path, (document(1), "sauna " + "and much more about the house " * 20), (document(2), "sauna hours"))
    assert ids(tmp_path, "sauna") == [2, 1]


def test_a_word_said_often_counts_more_but_not_as_often(tmp_path: Path) -> None:
    write(
        tmp_path, (document(1), "sauna sauna sauna sauna"), (document(2), "sauna towel robe pool"), (document(3), "x")
    )
    scores = LexicalReader(tmp_path, collection="default").search(
        "words", [(1.0, ["sauna"])], access=(), today=TODAY, limit=10
    )
    assert scores[2] < scores[1] < 2 * scores[2]


def test_the_score_is_bm25(tmp_path: Path) -> None:
    write(tmp_path, (document(1), "sauna"), (document(2), "pool"), (document(3), "hall"))
    scores = LexicalReader(tmp_path, collection="default").search(
        "words", [(1.0, ["sauna"])], access=(), today=TODAY, limit=10
    )
    # ln(1 + (3 - 1 + 0.5) / (1 + 0.5)) · 2.2 / (1 + 1.2), all windows being of one length.
    assert scores == {1: pytest.approx(0.98083, abs=1e-4)}


def test_a_word_counts_as_its_text_weighs(hotel: Path) -> None:
    reader = LexicalReader(hotel, collection="default")
    whole, half = (
        reader.search("words", [(weight, ["shoes"])], access=(), today=TODAY, limit=10) for weight in (1.0, 0.5)
    )
    assert half[1] == pytest.approx(whole[1] / 2)


def test_what_was_said_before_counts_less_than_what_is_asked(hotel: Path) -> None:
    said = [(1.0, ["breakfast"]), (0.2, ["pool"])]
    scores = LexicalReader(hotel, collection="default").search("words", said, access=(), today=TODAY, limit=10)
    assert scores[3] > scores[2] > 0


def test_a_chunk_scores_as_its_best_window(tmp_path: Path) -> None:
    windows = [window(1, "sauna", chunk=7), StoredWindow(UUID(int=1), 7, 2, (), "sauna and a lot else besides it")]
    LexicalWriter(tmp_path).apply([document(1)], windows, state=STATE)
    assert ids(tmp_path, "sauna") == [7]


@pytest.mark.parametrize(
    ("written", "heard", "leg"),
    [
        ("Pulaski Park", "pull aski", "letters"),
        ("Pulaski Park", "pull aski", "sounds"),
        ("Larkspur Cycles", "lark spur", "letters"),
        ("Larkspur Cycles", "lark spur", "sounds"),
        ("Gandhi Road", "gandy", "letters"),
        ("Gandhi Road", "gandy", "sounds"),
        ("Gandhi Road", "candy", "sounds"),
    ],
)
def test_a_misheard_word_is_found(tmp_path: Path, written: str, heard: str, leg: Leg) -> None:
    write(tmp_path, (document(1), written), (document(2), "Something else entirely"))
    assert (ids(tmp_path, heard), ids(tmp_path, heard, leg=leg)) == ([], [1])


def test_a_changed_document_is_found_by_its_new_words_alone(hotel: Path) -> None:
    write(hotel, (document(2, title="Sauna"), "It is hot."))
    assert (ids(hotel, "pool"), ids(hotel, "sauna"), ids(hotel, "shoes")) == ([], [2], [1])


def test_a_document_that_is_gone_is_not_found(hotel: Path) -> None:
    LexicalWriter(hotel).apply([document(2, live=False)], [], state=STATE)
    reader = LexicalReader(hotel, collection="default")
    assert (ids(hotel, "pool"), reader.windows) == ([], 2)


def test_a_document_that_never_was_there_can_go(tmp_path: Path) -> None:
    LexicalWriter(tmp_path).apply([document(2, live=False)], [], state=STATE)
    assert LexicalReader(tmp_path, collection="default").windows == 0


def test_a_reader_keeps_its_view_until_it_is_opened_again(hotel: Path) -> None:
    reader = LexicalReader(hotel, collection="default")
    write(hotel, (document(2), "Something else"), (document(4), "The pool bar"))
    scores = reader.search("words", [(1.0, ["pool"])], access=(), today=TODAY, limit=10)
    assert (list(scores), ids(hotel, "pool")) == ([2], [4])


def test_a_reader_survives_that_the_indexes_are_made_anew(hotel: Path) -> None:
    reader = LexicalReader(hotel, collection="default")
    LexicalWriter(hotel).clear()
    assert reader.search("words", [(1.0, ["pool"])], access=(), today=TODAY, limit=10)
    assert ids(hotel, "pool") == []


def test_a_collection_is_an_index_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, (document(1), "pool"), (document(2, collection="other"), "pool"))
    assert (ids(tmp_path, "pool"), ids(tmp_path, "pool", collection="other")) == ([1], [2])


@pytest.mark.parametrize(
    ("held", "found"), [((), {1}), (("staff",), {1, 2, 4}), (("vip",), {1, 3, 4}), (("staff", "vip"), {1, 2, 3, 4})]
)
def test_a_window_is_found_by_who_holds_one_of_its_labels(
    tmp_path: Path, held: tuple[str, ...], found: set[int]
) -> None:
    labels = {1: (), 2: ("staff",), 3: ("vip",), 4: ("staff", "vip")}
    write(tmp_path, *((document(n, access=access), "pool") for n, access in labels.items()))
    assert set(ids(tmp_path, "pool", access=held)) == found


@pytest.mark.parametrize("leg", TERMS)
def test_what_may_not_be_seen_takes_no_place_from_what_may(tmp_path: Path, leg: Leg) -> None:
    hidden = [(document(n, access=("staff",)), "pool") for n in range(1, 60)]
    later = [(document(n, effective_date=date(2026, 3, 2)), "pool") for n in range(60, 120)]
    write(tmp_path, *hidden, *later, *((document(n), "the pool of the house") for n in range(120, 130)))
    assert len(ids(tmp_path, "pool", leg=leg, limit=10)) == 10


def test_labels_hold_from_when_they_were_given(tmp_path: Path) -> None:
    write(tmp_path, *((document(n), "pool") for n in range(1, 11)))
    write(tmp_path, *((document(n, access=("staff",)), "pool") for n in range(1, 6)))
    assert set(ids(tmp_path, "pool")) == set(range(6, 11))


@pytest.mark.parametrize(
    ("day", "found"),
    [(None, [1]), (date(2026, 2, 28), [1]), (TODAY, [1]), (date(2026, 3, 2), [])],
    ids=["always", "yesterday", "today", "tomorrow"],
)
def test_a_document_is_found_from_the_day_that_it_holds(tmp_path: Path, day: date | None, found: list[int]) -> None:
    write(tmp_path, (document(1, effective_date=day), "pool"))
    assert ids(tmp_path, "pool") == found


def test_an_index_that_is_not_there_finds_nothing(tmp_path: Path) -> None:
    reader = LexicalReader(tmp_path, collection="default")
    assert (reader.windows, ids(tmp_path, "pool"), reader.coverage("words", [(1.0, ["pool"])], best=1.0)) == (0, [], 0)


def test_an_index_of_another_format_is_empty_until_it_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "default").mkdir()
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("old")
    tantivy.Index(builder.build(), path=str(tmp_path / "default"))
    assert ids(tmp_path, "pool") == []


@pytest.mark.parametrize("leg", TERMS)
def test_a_caller_who_talks_on_is_searched_all_the_same(hotel: Path, leg: Leg) -> None:
    assert ids(hotel, " ".join(f"word{n}" for n in range(1_000)) + " breakfast", leg=leg, limit=1) == [3]


def test_other_scripts_are_found_by_their_words_and_letters(tmp_path: Path) -> None:
    write(tmp_path, (document(1), "Бассейн открыт"), (document(2), "東京タワーの営業時間"))
    assert (ids(tmp_path, "БАССЕЙН"), ids(tmp_path, "京タワーの営業", leg="letters")) == ([1], [2])


@pytest.mark.parametrize(
    ("asked", "low", "high"),
    [("unworn shoes", 0.4, 1.0), ("shoes zeppelin hangar mooring", 0.0, 0.35), ("zeppelin", 0.0, 0.0)],
)
def test_coverage_is_how_much_of_the_words_the_best_window_holds(
    hotel: Path, asked: str, low: float, high: float
) -> None:
    reader, said = LexicalReader(hotel, collection="default"), [(1.0, telling_words(asked))]
    best = max(reader.search("words", said, access=(), today=TODAY, limit=10).values(), default=0.0)
    assert low <= reader.coverage("words", said, best=best) <= high


def test_the_state_is_what_was_written_last(hotel: Path) -> None:
    LexicalWriter(hotel).apply([document(2)], [], state=IndexState(FORMAT, "database", 17))
    assert read_state(hotel) == IndexState(FORMAT, "database", 17)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 1}', json.dumps({"other": 1})])
def test_a_state_that_nobody_can_read_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "state.json").write_text(content)
    assert read_state(tmp_path) is None


def test_clearing_forgets_all_but_what_is_not_an_index(hotel: Path) -> None:
    (hotel / "lock").touch()
    LexicalWriter(hotel).clear()
    assert ([path.name for path in hotel.iterdir()], read_state(hotel)) == (["lock"], None)


def test_a_folder_that_was_lost_is_made_again(hotel: Path) -> None:
    shutil.rmtree(hotel)
    LexicalWriter(hotel).clear()
    write(hotel, (document(1), "pool"))
    assert ids(hotel, "pool") == [1]
