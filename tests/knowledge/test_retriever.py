from pathlib import Path

import pytest

from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import EmptyQuestionError, KnowledgeUnavailableError
from knowledge.ingest import ingest
from knowledge.retriever import Retriever
from knowledge.store import Store
from knowledge.types import Turn

pytestmark = pytest.mark.integration

DOCUMENTS = {
    "pool.md": "# Pool\n\n## Hours\n\nThe pool opens at seven.\n\n## Towels\n\nTowels are by the door.",
    "refunds.md": "# Refunds\n\nShoes go back within thirty days.",
    "breakfast.md": "# Breakfast\n\n## Hours\n\nServed from six until ten.",
}


@pytest.fixture
async def retriever(tmp_path: Path, store: Store, embedder: FakeEmbedder) -> Retriever:
    for name, text in DOCUMENTS.items():
        (tmp_path / name).write_text(text)
    await ingest([tmp_path], store=store, embedder=embedder)
    retriever = Retriever(store=store, embedder=embedder)
    await retriever.refresh()
    return retriever


async def test_the_best_passage_comes_first(retriever: Retriever) -> None:
    passages = await retriever.search("when does the pool open")
    assert (passages[0].title, passages[0].heading_path) == ("Pool", ("Hours",))


async def test_scores_fall_from_one_towards_zero(retriever: Retriever) -> None:
    scores = [passage.score for passage in await retriever.search("when does the pool open")]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1


async def test_no_more_passages_come_than_asked_for(retriever: Retriever) -> None:
    assert len(await retriever.search("pool", limit=2)) == 2


@pytest.mark.parametrize("question", ["", "  \n"])
async def test_an_empty_question_is_refused(retriever: Retriever, question: str) -> None:
    with pytest.raises(EmptyQuestionError):
        await retriever.search(question)


async def test_a_follow_up_is_understood_from_what_was_said(retriever: Retriever) -> None:
    history = [Turn("user", "is there breakfast"), Turn("assistant", "Yes.")]
    passages = await retriever.search("and its hours", history=history)
    assert passages[0].title == "Breakfast"


async def test_turns_without_words_do_not_count(retriever: Retriever) -> None:
    assert await retriever.search("shoes", history=[Turn("user", " ")]) == await retriever.search("shoes")


async def test_a_turn_is_embedded_once_in_a_call(retriever: Retriever, embedder: FakeEmbedder) -> None:
    await retriever.search("is there a pool")
    embedder.embedded.clear()
    await retriever.search("and its hours", history=[Turn("user", "is there a pool")])
    assert embedder.embedded == ["and its hours"]


async def test_changes_are_found_after_a_refresh(
    retriever: Retriever, tmp_path: Path, store: Store, embedder: FakeEmbedder
) -> None:
    (tmp_path / "sauna.txt").write_text("The zeppelin sauna is hot.")
    await ingest([tmp_path], store=store, embedder=embedder)
    await retriever.refresh()
    assert (await retriever.search("zeppelin"))[0].title == "Sauna"


async def test_what_was_removed_is_not_found_even_before_a_refresh(retriever: Retriever, store: Store) -> None:
    for document in await store.list_documents(collection="default"):
        await store.remove_document(collection="default", source=document.source)
    assert await retriever.search("pool") == []


async def test_before_the_first_refresh_nothing_can_be_asked(store: Store, embedder: FakeEmbedder) -> None:
    with pytest.raises(KnowledgeUnavailableError, match="still being loaded"):
        await Retriever(store=store, embedder=embedder).search("pool")


async def test_vectors_of_another_model_are_never_compared(retriever: Retriever, store: Store) -> None:
    other = Retriever(store=store, embedder=FakeEmbedder(model_id="other"))
    with pytest.raises(KnowledgeUnavailableError, match="index the documents again"):
        await other.refresh()


async def test_an_empty_store_answers_with_nothing(store: Store, embedder: FakeEmbedder) -> None:
    retriever = Retriever(store=store, embedder=embedder)
    await retriever.refresh()
    assert await retriever.search("pool") == []
