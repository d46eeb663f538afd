from pathlib import Path

import pytest
from pydantic import SecretStr, TypeAdapter, ValidationError

from knowledge.embedders.minilm import MODEL_ID
from knowledge.embedders.settings import REVEAL, EmbedderSettings, MiniLm, OpenAI
from knowledge.errors import EmbeddingError
from tests.vendors.openai_embeddings import KEY, OpenAIEmbeddings

SETTINGS: TypeAdapter[EmbedderSettings] = TypeAdapter(EmbedderSettings)
REMOTE = OpenAI(api_key=SecretStr("sk-secret"), base_url="http://127.0.0.1:1/v1", model="small", dimensions=256)


@pytest.mark.parametrize("settings", [MiniLm(), REMOTE])
def test_a_child_reads_what_its_parent_wrote(settings: MiniLm | OpenAI) -> None:
    written = settings.model_dump_json(context=REVEAL)
    assert SETTINGS.validate_json(written) == settings


def test_a_key_is_hidden_wherever_nobody_asks_to_reveal_it() -> None:
    assert "sk-secret" not in f"{REMOTE!r} {REMOTE.model_dump_json()} {REMOTE.model_dump(mode='json')}"


@pytest.mark.parametrize(
    ("settings", "model_id"),
    [
        (MiniLm(), MODEL_ID),
        (OpenAI(api_key=SecretStr("x")), "openai/text-embedding-3-small"),
        (REMOTE, "openai/small@256"),
    ],
)
def test_vectors_of_another_length_are_another_models(settings: MiniLm | OpenAI, model_id: str) -> None:
    assert settings.model_id == model_id


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"provider": "nobody"},
        {"provider": "openai"},
        {"provider": "openai", "api_key": "x", "dimensions": 0},
        {"provider": "openai", "api_key": "x", "dimensions": 4001},
        {"provider": "openai", "api_key": "x", "budget_secs": 0},
    ],
    ids=["nothing", "provider", "key", "short", "long", "budget"],
)
def test_what_cannot_embed_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        SETTINGS.validate_python(wrong)


async def test_a_remote_embedder_is_asked_once_how_long_its_vectors_are(tmp_path: Path) -> None:
    server = OpenAIEmbeddings(dimensions=32)
    async with server.serving() as url:
        embedder = await OpenAI(api_key=SecretStr(KEY), base_url=url).build(models_dir=tmp_path)
        await embedder.aclose()
    assert (embedder.dimensions, embedder.model_id) == (32, "openai/text-embedding-3-small")
    assert len(server.asked) == 1


async def test_a_remote_embedder_that_refuses_the_key_is_not_built(tmp_path: Path) -> None:
    async with OpenAIEmbeddings().serving() as url:
        with pytest.raises(EmbeddingError, match="OPENAI_API_KEY"):
            await OpenAI(api_key=SecretStr("sk-wrong"), base_url=url).build(models_dir=tmp_path)


@pytest.mark.integration
async def test_the_local_embedder_is_built_where_its_model_is(models_dir: Path) -> None:
    embedder = await MiniLm().build(models_dir=models_dir)
    assert (embedder.model_id, embedder.budget_secs) == (MODEL_ID, None)
    await embedder.aclose()
