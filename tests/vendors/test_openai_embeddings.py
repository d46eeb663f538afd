"""The server in OpenAI's place, asked by OpenAI's own client."""

import pytest
from openai import APIStatusError, APITimeoutError, AsyncOpenAI

from tests.vendors.openai_embeddings import KEY, OpenAIEmbeddings


def client(url: str, *, api_key: str = KEY, timeout: float = 5.0) -> AsyncOpenAI:
    return AsyncOpenAI(api_key=api_key, base_url=url, max_retries=0, timeout=timeout)


async def test_each_text_gets_a_vector_under_its_index() -> None:
    async with OpenAIEmbeddings().serving() as url, client(url) as openai:
        answer = await openai.embeddings.create(model="small", input=["a pool", "a sauna"])
    assert [(each.index, len(each.embedding)) for each in answer.data] == [(0, 16), (1, 16)]
    assert (answer.model, answer.usage.total_tokens) == ("small", 4)


@pytest.mark.parametrize(
    ("server", "api_key", "status"),
    [
        (OpenAIEmbeddings(), "sk-other", 401),
        (OpenAIEmbeddings(statuses=[429]), KEY, 429),
        (OpenAIEmbeddings(statuses=[500]), KEY, 500),
    ],
)
async def test_it_refuses_as_told(server: OpenAIEmbeddings, api_key: str, status: int) -> None:
    async with server.serving() as url, client(url, api_key=api_key) as openai:
        with pytest.raises(APIStatusError) as refusal:
            await openai.embeddings.create(model="small", input="a pool")
    assert refusal.value.status_code == status


@pytest.mark.parametrize("texts", [[], [""], ["x"] * 2_049])
async def test_what_openai_does_not_take_is_refused(texts: list[str]) -> None:
    async with OpenAIEmbeddings().serving() as url, client(url) as openai:
        with pytest.raises(APIStatusError) as refusal:
            await openai.embeddings.create(model="small", input=texts)
    assert refusal.value.status_code == 400


async def test_it_takes_its_time() -> None:
    async with OpenAIEmbeddings(delay_secs=1.0).serving() as url, client(url, timeout=0.05) as openai:
        with pytest.raises(APITimeoutError):
            await openai.embeddings.create(model="small", input="a pool")
