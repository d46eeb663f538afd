import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from knowledge import question_vectors
from knowledge.embedders.fake import FakeEmbedder
from knowledge.errors import EmbeddingError
from knowledge.question_vectors import QuestionVectors


class HeldEmbedder(FakeEmbedder):
    """Embeds when `let_go` is set; what comes sooner waits."""

    def __init__(self, *, budget_secs: float | None) -> None:
        super().__init__()
        self.budget_secs = budget_secs  # type: ignore[assignment]
        self.let_go = asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        await self.let_go.wait()
        return await super().embed(texts)


class BrokenEmbedder(FakeEmbedder):
    """Never embeds."""

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        raise EmbeddingError("The server is away.")


async def test_a_text_is_embedded_once() -> None:
    embedder = FakeEmbedder()
    vectors = QuestionVectors(embedder)
    await vectors.get(["a pool", "a pool", "a sauna"])
    await vectors.get(["a sauna", "a gym"])
    assert embedder.embedded == ["a pool", "a sauna", "a gym"]


async def test_each_text_gets_its_own_vector() -> None:
    found = await QuestionVectors(FakeEmbedder()).get(["a pool", "a sauna"])
    assert found is not None
    (expected,) = await FakeEmbedder().embed(["a sauna"])
    assert np.array_equal(found["a sauna"], expected)


async def test_a_slow_embedder_is_not_waited_for() -> None:
    assert await QuestionVectors(HeldEmbedder(budget_secs=0.001)).get(["a pool"]) is None


async def test_what_comes_late_is_there_for_the_next_turn() -> None:
    embedder = HeldEmbedder(budget_secs=0.001)
    vectors = QuestionVectors(embedder)
    await vectors.get(["a pool"])
    (late,) = [task for task in asyncio.all_tasks() if task.get_name() == "embed"]
    embedder.let_go.set()
    await late
    assert await vectors.get(["a pool"]) is not None
    assert embedder.embedded == ["a pool"]


async def test_an_embedder_without_a_budget_is_waited_for() -> None:
    embedder = HeldEmbedder(budget_secs=None)
    asking = asyncio.create_task(QuestionVectors(embedder).get(["a pool"]))
    await asyncio.sleep(0)
    embedder.let_go.set()
    assert await asking is not None


async def test_an_embedder_that_fails_gives_nothing() -> None:
    assert await QuestionVectors(BrokenEmbedder()).get(["a pool"]) is None


async def test_what_is_there_already_needs_no_embedder() -> None:
    embedder = HeldEmbedder(budget_secs=0.001)
    embedder.let_go.set()
    vectors = QuestionVectors(embedder)
    await vectors.get(["a pool"])
    embedder.let_go.clear()
    assert await vectors.get(["a pool"]) is not None


async def test_what_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_vectors, "_CACHED", 2)
    embedder = FakeEmbedder()
    vectors = QuestionVectors(embedder)
    for text in ("a", "b", "a", "c", "a", "b"):
        await vectors.get([text])
    assert embedder.embedded == ["a", "b", "c", "b"]


async def test_more_texts_than_are_kept_come_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(question_vectors, "_CACHED", 2)
    found = await QuestionVectors(FakeEmbedder()).get(["a", "b", "c"])
    assert found is not None
    assert list(found) == ["a", "b", "c"]


async def test_a_text_that_is_forgotten_while_another_is_embedded_still_comes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(question_vectors, "_CACHED", 1)
    embedder = HeldEmbedder(budget_secs=None)
    embedder.let_go.set()
    vectors = QuestionVectors(embedder)
    await vectors.get(["old"])
    embedder.let_go.clear()
    asking = asyncio.create_task(vectors.get(["old", "new"]))
    other = asyncio.create_task(vectors.get(["other", "another"]))
    await asyncio.sleep(0)
    embedder.let_go.set()
    await other
    found = await asking
    assert found is not None
    assert set(found) == {"old", "new"}


async def test_nothing_asked_is_nothing_embedded() -> None:
    assert await QuestionVectors(BrokenEmbedder()).get([]) == {}
