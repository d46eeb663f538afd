import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from knowledge.database import Database
from knowledge.embedders import Embedder
from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import (
    EmbeddingError,
    EmptyQuestionError,
    KnowledgeUnavailableError,
    NoSuchCollectionError,
)
from knowledge.gate import PROTOTYPES
from knowledge.retriever import Retriever
from knowledge.store import Store
from knowledge.types import Turn, Verdict
from knowledge.vectors import Model, VectorStore
from tests.knowledge.corpus import Corpus, found, places

pytestmark = pytest.mark.integration

DOCUMENTS = {
    "pool.md": "# Pool\n\n## Hours\n\nThe pool opens at seven.\n\n## Towels\n\nTowels are by the door.",
    "breakfast.md": "# Breakfast\n\n## Hours\n\nBreakfast is served from eight.\n\n## Diets\n\nVegan porridge.",
    "returns.md": "# Returns\n\nUnworn shoes can be sent back to Pulaski Street within thirty days.",
}


@pytest.fixture
def corpus(store: Store, database: Database, embedder: FakeEmbedder, model: Model, lexical_dir: Path) -> Corpus:
    return Corpus(database, embedder, model, lexical_dir)


@pytest.fixture
async def documents(corpus: Corpus) -> dict[str, UUID]:
    """Source → id."""
    ids = {source: await corpus.put(source, text) for source, text in DOCUMENTS.items()}
    await corpus.sync()
    return ids


@pytest.fixture
async def retriever(corpus: Corpus, documents: dict[str, UUID], embedder: FakeEmbedder) -> Retriever:
    return await corpus.retriever(embedder)


async def test_the_best_passage_comes_first(retriever: Retriever) -> None:
    assert places(await found(retriever, "when does the pool open"))[0] == ("Pool", "Hours")


async def test_a_passage_is_the_documents_own_text(retriever: Retriever, store: Store) -> None:
    (passage,) = await found(retriever, "towels by the door", limit=1)
    text = await store.document_text(passage.document_id)
    assert text is not None
    assert text[passage.start : passage.end] == passage.text == "Towels are by the door."


async def test_scores_fall_and_stay_between_one_and_nought(retriever: Retriever) -> None:
    scores = [passage.score for passage in await found(retriever, "when does the pool open")]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1


async def test_similarities_are_cosines_of_the_question(retriever: Retriever, embedder: FakeEmbedder) -> None:
    (passage,) = await found(retriever, "the pool hours", limit=1)
    question, text = await embedder.embed(["the pool hours", "Pool - Hours The pool opens at seven."])
    assert passage.similarity == pytest.approx(float(question @ text), abs=1e-3)


@pytest.mark.parametrize(("question", "title"), [("pull aski street", "Returns"), ("poridge", "Breakfast")])
async def test_a_misheard_word_is_found(retriever: Retriever, question: str, title: str) -> None:
    assert places(await found(retriever, question, limit=1))[0][0] == title


@pytest.mark.parametrize("limit", [1, 2, 4, 5])
async def test_as_many_passages_come_as_asked_for(retriever: Retriever, limit: int) -> None:
    assert len(await found(retriever, "pool", limit=limit)) == limit


async def test_no_more_come_than_there_are(retriever: Retriever) -> None:
    assert len(await found(retriever, "pool", limit=50)) == 5


@pytest.mark.parametrize("question", ["", "  \n"])
async def test_an_empty_question_is_refused(retriever: Retriever, question: str) -> None:
    with pytest.raises(EmptyQuestionError):
        await retriever.search(question)


async def test_each_leg_says_on_request_what_it_made_of_a_passage(retriever: Retriever) -> None:
    (passage,) = await found(retriever, "the pool hours", limit=1, explain=True)
    assert passage.legs is not None
    assert set(passage.legs) == {"meaning", "words", "letters", "sounds"}
    assert passage.legs["words"].stretched == 1.0
    assert passage.legs["meaning"].raw == pytest.approx(passage.similarity)


async def test_legs_are_not_told_unasked(retriever: Retriever) -> None:
    assert [passage.legs for passage in await found(retriever, "the pool hours", limit=2)] == [None, None]


async def test_a_follow_up_is_understood_from_what_was_said(retriever: Retriever) -> None:
    history = [Turn("user", "is there breakfast"), Turn("assistant", "Yes.")]
    assert places(await found(retriever, "and its hours", history=history))[0] == ("Breakfast", "Hours")


async def test_turns_without_words_do_not_count(retriever: Retriever) -> None:
    assert await found(retriever, "shoes", history=[Turn("user", " ")]) == await found(retriever, "shoes")


async def test_a_turn_is_embedded_once_in_a_call(retriever: Retriever, embedder: FakeEmbedder) -> None:
    await found(retriever, "is there a pool")
    embedder.embedded.clear()
    await found(retriever, "and its hours", history=[Turn("user", "is there a pool")])
    assert embedder.embedded == ["and its hours"]


async def test_a_collection_that_is_not_there_is_said_with_those_that_are(retriever: Retriever) -> None:
    with pytest.raises(NoSuchCollectionError, match="there is default") as error:
        await retriever.search("pool", collection="manuals")
    assert (error.value.collection, error.value.there) == ("manuals", ("default",))


async def test_another_collection_never_leaks(corpus: Corpus, documents: dict[str, UUID]) -> None:
    await corpus.put("secret.md", "# Secret\n\nThe pool opens at seven for the zeppelin crew.", collection="other")
    await corpus.sync()
    retriever = await corpus.retriever(corpus.embedder)
    here = await found(retriever, "the zeppelin crew pool", limit=50)
    there = await found(retriever, "the zeppelin crew pool", limit=50, collection="other")
    assert (len(here), {passage.title for passage in here} & {"Secret"}) == (5, set())
    assert places(there) == [("Secret",)]


async def test_an_empty_collection_answers_with_nothing(corpus: Corpus) -> None:
    retriever = await corpus.retriever(corpus.embedder)
    assert await retriever.search("pool", gated=False) == await retriever.search("when does the pool open")


async def test_before_the_first_refresh_the_documents_are_still_being_loaded(
    documents: dict[str, UUID], corpus: Corpus
) -> None:
    async def embedder_of(_model_id: str) -> None:
        return None

    retriever = Retriever(
        store=corpus.store,
        vectors=VectorStore(corpus.database),
        embedder_of=embedder_of,
        lexical_dir=corpus.lexical_dir,
    )
    assert not retriever.ready
    with pytest.raises(KnowledgeUnavailableError, match="still being loaded"):
        await retriever.search("pool")


async def test_where_nothing_was_ever_indexed_there_is_no_collection(
    database: Database, embedder: FakeEmbedder, model: Model, lexical_dir: Path
) -> None:
    retriever = await Corpus(database, embedder, model, lexical_dir).retriever(embedder)
    assert retriever.ready
    with pytest.raises(NoSuchCollectionError, match="none yet"):
        await retriever.search("pool")


@pytest.mark.parametrize(
    ("held", "titles"),
    [
        ((), {"Pool"}),
        (("staff",), {"Pool", "Staff"}),
        (("vip",), {"Pool", "Vip"}),
        (("staff", "vip"), {"Pool", "Staff", "Vip"}),
    ],
)
async def test_a_caller_hears_what_one_of_their_labels_opens(
    corpus: Corpus, held: tuple[str, ...], titles: set[str]
) -> None:
    for title, access in {"Pool": (), "Staff": ("staff",), "Vip": ("vip",)}.items():
        await corpus.put(f"{title}.md", f"# {title}\n\nThe pool code.", access=access)
    await corpus.sync()
    retriever = await corpus.retriever(corpus.embedder)
    assert {passage.title for passage in await found(retriever, "pool code", access=held)} == titles


async def test_what_a_caller_may_not_hear_takes_no_place_from_what_they_may(corpus: Corpus) -> None:
    for number in range(120):
        await corpus.put(f"{number}.md", "# Pool\n\nThe pool code.", access=["staff"])
    for number in range(120, 126):
        await corpus.put(f"{number}.md", "# House\n\nIn the house there is a pool and a lot besides it.")
    await corpus.sync()
    retriever = await corpus.retriever(corpus.embedder)
    assert [passage.title for passage in await found(retriever, "pool code", limit=6)] == ["House"] * 6


async def test_what_a_caller_may_not_hear_takes_no_place_among_the_nearest(corpus: Corpus) -> None:
    for number in range(120):
        await corpus.put(f"{number}.md", "# Pool\n\nWhat is the pool code.", access=["staff"])
    for number in range(120, 126):
        await corpus.put(f"{number}.md", "# House\n\nWhat is the what.")
    await corpus.sync()
    passages = await found(await corpus.retriever(corpus.embedder), "what is the pool code", limit=6, explain=True)
    assert [(passage.title, set(passage.legs or ())) for passage in passages] == [("House", {"meaning"})] * 6


@pytest.mark.parametrize(
    "change",
    [
        {"retired": True},
        {"access": ["staff"]},
        {"effective_date": date.today() + timedelta(days=2), "set_date": True},
    ],
    ids=["retired", "restricted", "future"],
)
@pytest.mark.parametrize("is_synced", [True, False], ids=["synced", "not yet synced"])
async def test_what_does_not_hold_for_a_caller_never_answers(
    corpus: Corpus, documents: dict[str, UUID], change: dict[str, Any], is_synced: bool
) -> None:
    retriever = await corpus.retriever(corpus.embedder)
    await corpus.store.change_document(documents["pool.md"], **change)
    if is_synced:
        await corpus.sync()
        await retriever.refresh()
    passages = await found(retriever, "when does the pool open", limit=50)
    assert (len(passages), "Pool" in {passage.title for passage in passages}) == (3, False)


async def test_a_document_that_holds_since_today_answers(corpus: Corpus, documents: dict[str, UUID]) -> None:
    await corpus.store.change_document(documents["pool.md"], effective_date=date.today(), set_date=True)
    await corpus.sync()
    (passage,) = await found(await corpus.retriever(corpus.embedder), "when does the pool open", limit=1)
    assert (passage.title, passage.effective_date) == ("Pool", date.today())


async def test_a_document_that_could_not_be_read_again_answers_as_before(corpus: Corpus, retriever: Retriever) -> None:
    await corpus.store.fail_document(collection="default", source="pool.md", title="Pool", error="it is empty.")
    await corpus.store.fail_document(collection="default", source="new.md", title="New", error="it is empty.")
    await corpus.sync()
    await retriever.refresh()
    assert places(await found(retriever, "when does the pool open", limit=1)) == [("Pool", "Hours")]
    assert len(await found(retriever, "new", limit=50)) == 5


async def test_changes_are_found_after_a_refresh(corpus: Corpus, retriever: Retriever) -> None:
    await corpus.put("sauna.md", "# Sauna\n\nThe zeppelin sauna is hot.")
    await corpus.sync()
    await retriever.refresh("default")
    assert places(await found(retriever, "zeppelin", limit=1)) == [("Sauna",)]


async def test_a_document_that_was_written_anew_answers_with_its_new_text(corpus: Corpus, retriever: Retriever) -> None:
    await corpus.put("pool.md", "# Pool\n\n## Hours\n\nThe pool opens at nine.")
    await corpus.sync()
    await retriever.refresh()
    passages = await found(retriever, "when does the pool open", limit=50)
    assert [each.text for each in passages if each.title == "Pool"] == ["The pool opens at nine."]


async def test_what_was_removed_is_not_found_even_before_a_refresh(
    corpus: Corpus, retriever: Retriever, documents: dict[str, UUID]
) -> None:
    for document_id in documents.values():
        await corpus.store.remove_document(document_id)
    assert await found(retriever, "pool") == ()


async def test_documents_that_go_while_they_are_searched_do_no_harm(
    corpus: Corpus, retriever: Retriever, documents: dict[str, UUID]
) -> None:
    async def remove() -> None:
        for document_id in documents.values():
            await corpus.store.remove_document(document_id)
            await corpus.sync()
            await retriever.refresh()

    removing = asyncio.create_task(remove())
    seen: list[int] = []
    while not removing.done():
        seen.append(len(await found(retriever, "pool", limit=50)))
    await removing
    assert seen == sorted(seen, reverse=True)
    assert await found(retriever, "pool") == ()


class LateEmbedder(FakeEmbedder):
    """In time for the gate's sentences, and never for a question."""

    budget_secs = 0.001  # type: ignore[assignment]

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        if list(texts) != list(PROTOTYPES):
            await asyncio.Event().wait()
        return await super().embed(texts)


class BrokenEmbedder(FakeEmbedder):
    """Fails as long as `is_broken`."""

    is_broken = True

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        if self.is_broken:
            raise EmbeddingError("The server is away.")
        return await super().embed(texts)


@pytest.mark.parametrize(
    "embedder_now", [None, LateEmbedder(), BrokenEmbedder()], ids=["no embedder", "late", "broken"]
)
async def test_without_a_vector_words_alone_find(
    corpus: Corpus, documents: dict[str, UUID], embedder_now: Embedder | None
) -> None:
    retriever = await corpus.retriever(embedder_now)
    history = [Turn("user", "is there a pool")]
    passages = await found(retriever, "when does it open", history=history, explain=True)
    assert places(passages)[0] == ("Pool", "Hours")
    assert {passage.similarity for passage in passages} == {None}
    assert all("meaning" not in (passage.legs or {}) for passage in passages)


async def test_an_embedder_that_was_away_is_used_once_it_is_back(corpus: Corpus, documents: dict[str, UUID]) -> None:
    embedder = BrokenEmbedder()
    retriever = await corpus.retriever(embedder)
    embedder.is_broken = False
    await retriever.refresh()
    (passage,) = await found(retriever, "when does the pool open", limit=1)
    assert passage.similarity is not None
    assert (await retriever.search("Thank you very much, goodbye!")).verdict is Verdict.SMALL_TALK


async def test_a_slow_start_of_the_embedder_leaves_the_gate_whole(corpus: Corpus, documents: dict[str, UUID]) -> None:
    retriever = await corpus.retriever(LateEmbedder())
    assert (await retriever.search("Thank you very much, goodbye!")).verdict is Verdict.SMALL_TALK


async def test_another_model_is_used_once_it_is_the_current_one(
    corpus: Corpus, retriever: Retriever, vectors: VectorStore
) -> None:
    other = FakeEmbedder(model_id="other")
    model = await vectors.add(model_id="other", dimensions=other.dimensions)
    windows = await vectors.missing(model, limit=100)
    await vectors.fill(model, windows, await other.embed([window.indexed_text for window in windows]))
    await vectors.switch_to(model)
    await retriever.refresh()
    (passage,) = await found(retriever, "when does the pool open", limit=1)
    assert (passage.title, passage.similarity is not None) == ("Pool", True)


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("Thank you very much, goodbye!", Verdict.SMALL_TALK),
        ("Would xylophones outlive zeppelins underwater?", Verdict.OFF_TOPIC),
        ("When does the pool open?", Verdict.FOUND),
    ],
)
async def test_the_gates_verdict_is_the_searchs(retriever: Retriever, said: str, verdict: Verdict) -> None:
    result = await retriever.search(said)
    assert (result.verdict, bool(result.passages)) == (verdict, verdict is Verdict.FOUND)


@pytest.mark.parametrize("said", ["Thank you very much, goodbye!", "Would xylophones outlive zeppelins underwater?"])
async def test_what_is_not_gated_is_looked_up_whatever_it_is(retriever: Retriever, said: str) -> None:
    result = await retriever.search(said, gated=False)
    assert (result.verdict, len(result.passages)) == (Verdict.FOUND, 4)


async def test_sentences_are_compared_with_the_question(retriever: Retriever) -> None:
    same, near, far = await retriever.similarity("pool hours", ["pool hours", "pool", "zeppelin"])
    assert (same, near, far) == (pytest.approx(1.0), pytest.approx(0.5**0.5), pytest.approx(0.0))


async def test_sentences_that_cannot_be_embedded_are_said_to_be_late(corpus: Corpus) -> None:
    with pytest.raises(KnowledgeUnavailableError, match="compare their words"):
        await (await corpus.retriever(None)).similarity("pool", ["pool"])


async def test_a_questions_vector_comes_with_its_model(retriever: Retriever, embedder: FakeEmbedder) -> None:
    named = await retriever.vector("the pool")
    assert named is not None
    assert (named[0], np.array_equal(named[1], (await embedder.embed(["the pool"]))[0])) == ("fake", True)


async def test_a_question_without_an_embedder_has_no_vector(corpus: Corpus) -> None:
    assert await (await corpus.retriever(None)).vector("the pool") is None
