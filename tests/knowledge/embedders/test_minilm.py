import asyncio
from pathlib import Path

import numpy as np
import pytest

from knowledge.embedders.minilm import MAX_TOKENS, MiniLmEmbedder, load_tokenizer, token_spans
from knowledge.errors import ModelError


def test_a_model_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="minilm_build"):
        MiniLmEmbedder(models_dir=tmp_path)


def test_token_spans_point_into_the_text() -> None:
    text = "Größe: café 東京"
    assert "".join(text[start:end] for start, end in token_spans(load_tokenizer(), text)) == text.replace(" ", "")


@pytest.mark.integration
async def test_vectors_have_unit_length(models_dir: Path) -> None:
    vectors = await MiniLmEmbedder(models_dir=models_dir).embed(["one", "a much longer text about nothing", ""])
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)


@pytest.mark.integration
async def test_a_question_is_nearest_to_its_answer(models_dir: Path) -> None:
    question, answer, other = await MiniLmEmbedder(models_dir=models_dir).embed(
        ["When can I swim?", "The pool is open from seven to ten.", "Refunds take five working days."]
    )
    assert question @ answer > question @ other + 0.2


@pytest.mark.integration
async def test_a_vector_does_not_depend_on_its_neighbours(models_dir: Path) -> None:
    embedder = MiniLmEmbedder(models_dir=models_dir)
    alone, together = await embedder.embed(["one"]), await embedder.embed(["a much longer text about nothing", "one"])
    assert (alone[0] == together[1]).all()


@pytest.mark.integration
async def test_what_lies_past_the_last_token_does_not_count(models_dir: Path) -> None:
    long = "word " * MAX_TOKENS
    first, second = await MiniLmEmbedder(models_dir=models_dir).embed([long, long + "pool"])
    assert (first == second).all()


@pytest.mark.integration
async def test_the_loop_goes_on_while_texts_are_embedded(models_dir: Path) -> None:
    embedding = asyncio.create_task(MiniLmEmbedder(models_dir=models_dir).embed(["word " * 200] * 5))
    turns = 0
    while not embedding.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > 100
