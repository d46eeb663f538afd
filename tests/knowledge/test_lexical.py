from knowledge.lexical import LexicalIndex
from knowledge.store import StoredChunk

CHUNKS = [
    StoredChunk(11, "Refunds", (), "Unworn shoes can be returned."),
    StoredChunk(12, "Pool", ("Opening hours",), "It opens at seven."),
    StoredChunk(13, "Breakfast", (), "Served until ten."),
]


def test_a_chunk_is_found_by_another_form_of_its_word() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "returning a shoe")]).best(10) == [11]


def test_a_chunk_is_found_by_its_heading() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "opening hours")]).best(10) == [12]


def test_only_the_best_are_returned() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "pool pool hours breakfast")]).best(1) == [12]


def test_words_count_as_much_as_their_text_weighs() -> None:
    index = LexicalIndex(CHUNKS)
    whole, half = index.scores([(1.0, "shoes")]), index.scores([(0.5, "shoes")])
    assert half.of(11) == whole.of(11) / 2 > 0


def test_words_that_occur_nowhere_find_nothing() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "zeppelin")]).best(10) == []


def test_stop_words_alone_find_nothing() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "it is the")]).best(10) == []


def test_a_chunk_that_came_later_scores_zero() -> None:
    assert LexicalIndex(CHUNKS).scores([(1.0, "shoes")]).of(99) == 0.0


def test_an_index_of_nothing_finds_nothing() -> None:
    assert LexicalIndex([]).scores([(1.0, "shoes")]).best(10) == []
