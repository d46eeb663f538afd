from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest
from openai import AsyncOpenAI
from pydantic import SecretStr

from knowledge.embedders import openai
from knowledge.embedders.openai import BATCH, OpenAIEmbedder
from knowledge.embedders.settings import OpenAI
from knowledge.errors import EmbeddingError
from knowledge.question_vectors import QuestionVectors
from tests.vendors.openai_embeddings import KEY, OpenAIEmbeddings


@asynccontextmanager
async def connected(server: OpenAIEmbeddings, *, dimensions: int | None = None) -> AsyncIterator[OpenAIEmbedder]:
    """The embedder of a server that answers until the block begins; `asked` begins with it, too."""
    async with server.serving() as url:
        settings = OpenAI(api_key=SecretStr(KEY), base_url=url, model="small", dimensions=dimensions)
        embedder = await OpenAIEmbedder.connect(settings)
        server.asked.clear()
        try:
            yield embedder
        finally:
            await embedder.aclose()


@asynccontextmanager
async def impatient(server: OpenAIEmbeddings, *, timeout_secs: float = 5.0) -> AsyncIterator[OpenAIEmbedder]:
    """An embedder that asks once."""
    async with server.serving() as url:
        settings = OpenAI(api_key=SecretStr(KEY), base_url=url, model="small")
        client = AsyncOpenAI(api_key=KEY, base_url=url, max_retries=0, timeout=timeout_secs)
        embedder = OpenAIEmbedder(client=client, settings=settings, dimensions=16)
        try:
            yield embedder
        finally:
            await embedder.aclose()


async def test_each_text_gets_a_unit_vector() -> None:
    async with connected(OpenAIEmbeddings()) as embedder:
        vectors = await embedder.embed(["the heated pool", "a sauna"])
    assert (vectors.shape, vectors.dtype) == ((2, 16), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])


@pytest.mark.parametrize(("asked_for", "length"), [(None, 16), (256, 256)])
async def test_it_knows_how_long_its_vectors_are(asked_for: int | None, length: int) -> None:
    server = OpenAIEmbeddings()
    async with connected(server, dimensions=asked_for) as embedder:
        await embedder.embed(["a pool"])
        assert embedder.dimensions == length
    assert server.asked[0].get("dimensions") == asked_for


async def test_many_texts_go_in_few_requests_and_come_back_in_order() -> None:
    server = OpenAIEmbeddings(is_shuffled=True)
    texts = [f"text {number}" for number in range(BATCH + 3)]
    async with connected(server) as embedder:
        vectors = await embedder.embed(texts)
        last = await embedder.embed(texts[-1:])
    assert [len(body["input"]) for body in server.asked] == [BATCH, 3, 1]
    assert np.array_equal(vectors[-1], last[0])


async def test_no_texts_are_no_vectors_and_no_request() -> None:
    server = OpenAIEmbeddings()
    async with connected(server) as embedder:
        vectors = await embedder.embed([])
    assert (vectors.shape, server.asked) == ((0, 16), [])


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    server = OpenAIEmbeddings(retry_after="0.01")
    async with connected(server) as embedder:
        server.statuses = [429]
        await embedder.embed(["a pool"])
    assert len(server.asked) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_that_goes_on_failing_is_said_with_what_to_check(status: int) -> None:
    async with impatient(OpenAIEmbeddings(statuses=[status])) as embedder:
        with pytest.raises(EmbeddingError, match="check OPENAI_BASE_URL"):
            await embedder.embed(["a pool"])


async def test_a_server_that_takes_too_long_is_not_waited_for() -> None:
    async with impatient(OpenAIEmbeddings(delay_secs=1.0), timeout_secs=0.05) as embedder:
        with pytest.raises(EmbeddingError, match="APITimeoutError"):
            await embedder.embed(["a pool"])


async def test_a_server_that_is_not_there_is_said_with_what_to_check() -> None:
    client = AsyncOpenAI(api_key=KEY, base_url="http://127.0.0.1:1/v1", max_retries=0)
    settings = OpenAI(api_key=SecretStr(KEY), model="small")
    embedder = OpenAIEmbedder(client=client, settings=settings, dimensions=16)
    with pytest.raises(EmbeddingError, match="APIConnectionError"):
        await embedder.embed(["a pool"])
    await embedder.aclose()


async def test_a_wrong_key_is_named_and_not_shown() -> None:
    async with OpenAIEmbeddings().serving() as url:
        with pytest.raises(EmbeddingError, match="OPENAI_API_KEY") as error:
            await OpenAIEmbedder.connect(OpenAI(api_key=SecretStr("sk-wrong"), base_url=url))
    assert "sk-wrong" not in str(error.value)


async def test_a_server_that_takes_too_long_is_not_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "CONNECT_SECS", 0.05)
    async with OpenAIEmbeddings(delay_secs=1.0).serving() as url:
        with pytest.raises(EmbeddingError, match="too slow"):
            await OpenAIEmbedder.connect(OpenAI(api_key=SecretStr(KEY), base_url=url))


@pytest.mark.parametrize(
    "server",
    [
        OpenAIEmbeddings(missing=1),
        OpenAIEmbeddings(answers_with={"object": "list", "data": [], "model": "small"}),
        OpenAIEmbeddings(answers_with={"object": "list", "model": "small"}),
        OpenAIEmbeddings(answers_with=["no answer"]),
        OpenAIEmbeddings(
            answers_with={
                "data": [{"index": 0, "embedding": [1.0, 0.0]}, {"index": 1, "embedding": [1.0]}],
                "model": "small",
            }
        ),
    ],
    ids=["fewer", "none", "no-data", "no-object", "lengths"],
)
async def test_an_answer_that_does_not_fit_the_texts_is_refused(server: OpenAIEmbeddings) -> None:
    async with impatient(server) as embedder:
        with pytest.raises(EmbeddingError):
            await embedder.embed(["a pool", "a sauna"])


async def test_a_question_has_no_more_time_than_its_budget() -> None:
    server = OpenAIEmbeddings()
    async with connected(server) as embedder:
        server.delay_secs, embedder.budget_secs = 0.5, 0.02
        assert await QuestionVectors(embedder).get(["a pool"]) is None
