from collections.abc import Sequence
from pathlib import Path

import pytest

from knowledge.database import Database
from knowledge.embedders.fake import FakeEmbedder
from knowledge.retriever import Retriever
from knowledge.store import Store
from knowledge.titles import TitleIndex, title_weight
from knowledge.types import Turn
from knowledge.vectors import Model
from tests.knowledge.corpus import Corpus, found, places
from tests.knowledge.venues import FAQ, NAMES, markdown, titles


@pytest.mark.parametrize(
    ("similarity", "per_title", "weight"),
    [
        (0.81, 18.0, 1.0),
        (0.74, 17.0, 1.0),
        (0.70, 18.0, 0.5),
        (0.81, 8.0, 0.5),
        (0.70, 8.0, 0.25),
        (0.68, 18.0, 0.0),
        (0.81, 6.0, 0.0),
        (0.30, 4.2, 0.0),
        (-1.0, 0.0, 0.0),
        (None, 18.0, 0.0),
        (0.81, None, 0.0),
        (None, None, 0.0),
    ],
)
def test_a_collection_goes_by_titles_as_its_chunks_are_alike_and_many_a_title(
    similarity: float | None, per_title: float | None, weight: float
) -> None:
    assert title_weight(similarity=similarity, per_title=per_title) == pytest.approx(weight)


@pytest.fixture(scope="module")
def index() -> TitleIndex:
    return TitleIndex(titles())


def user(text: str) -> Turn:
    return Turn("user", text)


def named(index: TitleIndex, question: str, *history: Turn) -> str:
    """The title that the conversation names most."""
    best = index.best(question, history, limit=5)
    return NAMES[max(best, key=lambda chunk_id: best[chunk_id]) // 100]


@pytest.mark.parametrize(
    ("said", "title"),
    [
        ("can I park at the Gandhi Lodge", "Gandhi Lodge"),
        ("can i park at the gandy lodge", "Gandhi Lodge"),
        ("i am staying at the pull aski inn", "Pulaski Inn"),
        ("the lark spur hotel please", "Larkspur Hotel"),
        ("chai kofski guest house", "Tchaikovsky Guest House"),
        ("it's called the okonko guest house", "Okonkwo Guest House"),
        ("the rake yavik lodge or reykyavik", "Reykjavik Lodge"),
        ("we booked thorn bury lodge", "Thornbury Lodge"),
    ],
)
def test_a_title_is_known_however_it_was_heard(index: TitleIndex, said: str, title: str) -> None:
    assert named(index, said) == title


def test_a_title_that_was_named_earlier_is_still_the_one(index: TitleIndex) -> None:
    history = [user("I booked the pull aski inn"), Turn("assistant", "Lovely."), user("When is breakfast?")]
    assert named(index, "and can I bring my dog", *history) == "Pulaski Inn"


def test_the_title_that_was_named_last_is_the_one(index: TitleIndex) -> None:
    history = [user("Does the Gandhi Lodge have a gym?"), user("And the Larkspur Hotel?")]
    assert named(index, "is there a pool", *history) == "Larkspur Hotel"


def test_a_title_counts_a_tenth_less_a_turn(index: TitleIndex) -> None:
    now = index.best("Gandhi Lodge", [], limit=1)[0]
    later = index.best("is there a pool", [user("Gandhi Lodge"), user("what of it")], limit=1)[0]
    assert (now, later) == (pytest.approx(1.0), pytest.approx(0.81))


def test_all_chunks_of_the_best_titles_come_and_no_others(index: TitleIndex) -> None:
    best = index.best("Gandhi Lodge", [], limit=2)
    assert sum(share == pytest.approx(1.0) for share in best.values()) == len(FAQ)
    assert len(best) == 2 * len(FAQ)


@pytest.mark.parametrize("said", ["is it warm", "🎉", "", "ok " * 1_000])
def test_no_title_comes_that_nothing_names(index: TitleIndex, said: str) -> None:
    assert all(share < 0.2 for share in index.best(said, [], limit=5).values())


def test_titles_without_words_are_never_named() -> None:
    assert TitleIndex({"🎉": [1], "": [2], "Pool": [3]}).best("pool 🎉", [], limit=5) == {3: pytest.approx(1.0)}


def test_no_titles_name_nothing() -> None:
    assert TitleIndex({}).best("pool", [], limit=5) == {}


@pytest.fixture
def corpus(store: Store, database: Database, embedder: FakeEmbedder, model: Model, lexical_dir: Path) -> Corpus:
    return Corpus(database, embedder, model, lexical_dir)


async def venues(corpus: Corpus, *, restricted: Sequence[int] = ()) -> Retriever:
    """A retriever of ten venues' FAQs, which goes by titles."""
    for number in range(10):
        access = ["staff"] if number in restricted else []
        await corpus.put(f"{number}.md", markdown(number), access=access)
    await corpus.store.set_title_weight(
        collection="default", title_weight=1.0, title_similarity=0.8, chunks_per_title=12
    )
    await corpus.sync()
    return await corpus.retriever(corpus.embedder)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("named", "title"),
    [
        ("I am staying at the Pulaski Inn", "Pulaski Inn"),
        ("we booked the pull aski inn", "Pulaski Inn"),
        ("the gandy lodge", "Gandhi Lodge"),
        ("it's the lark spur hotel", "Larkspur Hotel"),
    ],
)
async def test_of_many_like_documents_that_of_the_named_thing_answers(corpus: Corpus, named: str, title: str) -> None:
    retriever = await venues(corpus)
    history = [Turn("user", named), Turn("assistant", "Lovely."), Turn("user", "Is there a gym?")]
    passages = await found(retriever, "from when is breakfast served in the morning", history=history, explain=True)
    assert places(passages)[0] == (title, "Breakfast")
    assert passages[0].legs is not None
    assert passages[0].legs["titles"].raw > 0.3


@pytest.mark.integration
async def test_a_title_that_a_caller_may_not_hear_of_leaves_the_places_to_others(corpus: Corpus) -> None:
    retriever = await venues(corpus, restricted=[0, 1, 2, 3, 4])
    passages = await found(retriever, "when is breakfast at the Gandhi Lodge", limit=6)
    assert len(passages) == 6
    assert {passage.title for passage in passages} <= set(NAMES[5:10])
