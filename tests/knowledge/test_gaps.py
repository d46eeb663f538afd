from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from knowledge.database import Database
from knowledge.embedders.fake import FakeEmbedder
from knowledge.gaps import MAX_QUESTION_CHARACTERS, GapPassage, GapStore
from knowledge.store import Store
from knowledge.vectors import Model
from tests.knowledge.corpus import Corpus

pytestmark = pytest.mark.integration

PASSAGE = GapPassage(str(UUID(int=1)), "Pool", "/pool.md", 0, 4, 0.4)
OTHER = GapPassage(str(UUID(int=2)), "Sauna", "/sauna.md", 0, 4, 0.3)


@pytest.fixture
def gaps(store: Store, database: Database) -> GapStore:
    return GapStore(database)


@pytest.fixture
def corpus(store: Store, database: Database, embedder: FakeEmbedder, model: Model, lexical_dir: Path) -> Corpus:
    return Corpus(database, embedder, model, lexical_dir)


async def vector_of(question: str) -> tuple[str, np.ndarray]:
    (vector,) = await FakeEmbedder().embed([question])
    return "fake", vector


async def record(
    gaps: GapStore,
    question: str,
    *passages: GapPassage,
    collection: str = "default",
    is_embedded: bool = True,
    call_id: str | None = None,
) -> UUID:
    vector = await vector_of(question) if is_embedded else None
    return await gaps.record(question, passages, collection=collection, vector=vector, call_id=call_id)


async def test_a_question_is_kept_with_what_did_not_answer_it(gaps: GapStore) -> None:
    gap_id = await record(gaps, " Is there\n a zeppelin? ", PASSAGE, OTHER)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert (gap.question, gap.passages, gap.count, gap.state) == ("Is there a zeppelin?", (PASSAGE, OTHER), 1, "open")
    assert gap.first_at == gap.last_at


@pytest.mark.parametrize(
    ("first", "again", "is_embedded"),
    [
        ("Is there a zeppelin?", "is there a ZEPPELIN?", False),
        ("Is there a zeppelin?", "is there a zeppelin", True),
        ("when does the big old pool open", "when does the big old pool open today", True),
    ],
    ids=["case", "punctuation", "other words"],
)
async def test_one_question_is_counted_once_however_it_is_put(
    gaps: GapStore, first: str, again: str, is_embedded: bool
) -> None:
    ids = [await record(gaps, text, is_embedded=is_embedded) for text in (first, again)]
    (gap,) = await gaps.list()
    assert (ids, gap.question, gap.count) == ([gap.id, gap.id], first, 2)
    assert gap.last_at > gap.first_at


async def test_the_same_words_are_one_question_with_and_without_a_vector(gaps: GapStore) -> None:
    await record(gaps, "Is there a zeppelin?")
    await record(gaps, "is there a zeppelin?", is_embedded=False)
    assert [gap.count for gap in await gaps.list()] == [2]


@pytest.mark.parametrize("other", ["when does the gym open", "zeppelin"])
async def test_another_question_is_another_gap(gaps: GapStore, other: str) -> None:
    await record(gaps, "when does the pool open")
    await record(gaps, other)
    assert {gap.question: gap.count for gap in await gaps.list()} == {"when does the pool open": 1, other: 1}


async def test_a_question_is_a_gap_of_the_collection_it_was_asked_in(gaps: GapStore, store: Store) -> None:
    await store.make_collection("manuals")
    await record(gaps, "when does the pool open")
    await record(gaps, "when does the pool open", collection="manuals")
    assert [gap.count for gap in await gaps.list()] == [1, 1]
    assert [gap.collection for gap in await gaps.list(collection="manuals")] == ["manuals"]


async def test_vectors_of_another_model_are_not_compared(gaps: GapStore) -> None:
    _, vector = await vector_of("when does the pool open")
    await gaps.record("when does the pool open", [], collection="default", vector=("fake", vector))
    await gaps.record("when is it open", [], collection="default", vector=("other", vector[:100]))
    assert len(await gaps.list()) == 2


async def test_the_passages_are_those_of_the_last_time(gaps: GapStore) -> None:
    await record(gaps, "Is there a zeppelin?", PASSAGE)
    gap_id = await record(gaps, "is there a zeppelin", OTHER)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert gap.passages == (OTHER,)


async def test_the_most_asked_comes_first_and_closed_ones_last(gaps: GapStore) -> None:
    await record(gaps, "one time")
    ids = [await record(gaps, question) for question in ["three calls about this"] * 3 + ["two of them"] * 2]
    await gaps.close(ids[0])
    listed = await gaps.list(state=None)
    assert [(gap.question, gap.state) for gap in listed] == [
        ("two of them", "open"),
        ("one time", "open"),
        ("three calls about this", "closed"),
    ]


async def test_only_so_many_are_listed(gaps: GapStore) -> None:
    for question in ("a", "b", "c"):
        await record(gaps, question)
    assert len(await gaps.list(limit=2)) == 2


async def test_a_gap_is_closed_without_a_document(gaps: GapStore) -> None:
    gap_id = await record(gaps, "Is there a zeppelin?")
    assert await gaps.close(gap_id)
    assert ([gap.id for gap in await gaps.list()], [gap.id for gap in await gaps.list(state="closed")]) == (
        [],
        [gap_id],
    )


async def test_a_gap_is_closed_by_the_document_that_answers_it(gaps: GapStore, corpus: Corpus) -> None:
    document_id = await corpus.put("zeppelin.md", "# Zeppelin\n\nThere is one.")
    gap_id = await record(gaps, "Is there a zeppelin?")
    await gaps.close(gap_id, document_id=document_id)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert (gap.state, gap.document_id) == ("closed", document_id)


async def test_a_gap_stays_when_its_document_goes(gaps: GapStore, corpus: Corpus) -> None:
    document_id = await corpus.put("zeppelin.md", "# Zeppelin\n\nThere is one.")
    gap_id = await record(gaps, "Is there a zeppelin?")
    await gaps.close(gap_id, document_id=document_id)
    await corpus.store.remove_document(document_id)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert (gap.state, gap.document_id) == ("closed", None)


@pytest.mark.parametrize("again", ["Is there a zeppelin?", "is there a zeppelin"], ids=["words", "vector"])
async def test_a_closed_gap_opens_when_it_is_asked_again_in_vain(gaps: GapStore, corpus: Corpus, again: str) -> None:
    document_id = await corpus.put("zeppelin.md", "# Zeppelin\n\nThere is one.")
    gap_id = await record(gaps, "Is there a zeppelin?")
    await gaps.close(gap_id, document_id=document_id)
    await record(gaps, again)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert (gap.state, gap.document_id, gap.count) == ("open", None, 2)


async def test_a_gap_that_is_not_there_is_not_closed(gaps: GapStore) -> None:
    assert (await gaps.close(uuid4()), await gaps.get(uuid4())) == (False, None)


async def test_a_long_question_is_kept_as_far_as_it_can_be_read(gaps: GapStore) -> None:
    gap_id = await record(gaps, "word " * 1_000)
    gap = await gaps.get(gap_id)
    assert gap is not None
    assert len(gap.question) == MAX_QUESTION_CHARACTERS


async def test_a_gap_goes_with_the_only_call_that_asked_it(gaps: GapStore) -> None:
    await record(gaps, "Is there a zeppelin?", call_id="a")
    await record(gaps, "when does the pool open", call_id="b")
    await gaps.forget_calls(["a", "c"])
    assert [gap.question for gap in await gaps.list()] == ["when does the pool open"]


async def test_a_gap_that_others_asked_too_stays_in_their_words_and_counts_their_times(gaps: GapStore) -> None:
    first, again = "when does the big old pool open", "when does the big old pool open today"
    await record(gaps, first, call_id="a")
    for call_id in ("a", "b", None):
        await record(gaps, again, call_id=call_id)
    await gaps.forget_calls(["a"])
    assert [(gap.question, gap.count) for gap in await gaps.list()] == [(again, 2)]


async def test_a_gap_put_in_others_words_is_found_by_them(gaps: GapStore) -> None:
    await record(gaps, "when does the big old pool open", call_id="a")
    gap_id = await record(gaps, "when does the big old pool open today", call_id="b")
    await gaps.forget_calls(["a"])
    assert await record(gaps, "today when does the big old pool open", call_id="c") == gap_id


async def test_a_gap_whose_other_words_are_a_gap_already_goes(gaps: GapStore) -> None:
    first, again = "when does the big old pool open", "when does the big old pool open today"
    await record(gaps, again, is_embedded=False)
    gap_id = await record(gaps, first, call_id="a")
    async with gaps._database.transaction() as statements:
        words = {"question": again, "embedding": None, "model_id": None}
        await statements.run("add_asking", gap_id=gap_id, call_id="b", **words)
    await gaps.forget_calls(["a"])
    assert [gap.question for gap in await gaps.list()] == [again]


async def test_what_a_call_asked_in_other_words_later_is_what_is_known_of_it(gaps: GapStore) -> None:
    for question in ("when does the big old pool open", "when does the big old pool open today"):
        await record(gaps, question, call_id="a")
    (gap,) = await gaps.list()
    assert gap.count == 2
    await gaps.forget_calls(["a"])
    assert await gaps.list() == []


async def test_what_was_asked_before_a_day_is_forgotten_bit_by_bit(gaps: GapStore) -> None:
    for question in ("one time", "three calls about this", "two of them"):
        await record(gaps, question)
    now = datetime.now(UTC)
    assert not await gaps.forget_before(now - timedelta(days=1), limit=2)
    assert len(await gaps.list()) == 3
    assert [await gaps.forget_before(now, limit=2) for _ in range(3)] == [True, True, False]
    assert await gaps.list() == []
