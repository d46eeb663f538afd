"""Moonshine tiny on one whole utterance: a neural network for English that writes case and punctuation.

The weights are those that the `moonshine-voice` wheel carries (MIT); its library is not used.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import cast

import numpy as np
import onnxruntime

from bot.speech.recognition import Recognition
from bot.speech.samples import SAMPLE_RATE_HZ, samples_of

PACKAGE, WEIGHTS = "moonshine-voice", "moonshine_voice/assets/tiny-en"
START, END = 1, 2
# In the tokens' file, a length from 128 on takes two bytes.
LONG = 128
SPACE = "▁"

# Less is no word, and too little for the network.
SHORTEST_SECS = 0.1
# Beyond some 45 s it repeats itself, and its memory grows with the square of the length.
LONGEST_SECS = 30
# A longer utterance is cut where it is quietest within the last seconds of a part.
CUT_WITHIN_SECS = 10
CUT_SECS = 0.1
# People don't speak faster; what goes on beyond is a loop.
MOST_TOKENS_PER_SEC = 6.5
MOST_TOKENS_BESIDES = 4

# What it writes for noise, and is sure of.
NOISE = frozenset({"you", "thank you for watching"})

# A logistic regression on 104 utterances (synthetic and human), each clean, over a telephone, quiet and noisy, on 35 of
# them backwards and 8 noises, of whether at most a third of the words were wrong, from the tokens' mean probability.
PROBABILITY_WEIGHT = 21.96
BIAS = -16.91


@dataclass(frozen=True, slots=True)
class Part:
    """What was written for a stretch of audio, and the probability of each token; `ended` is False for a loop."""

    text: str
    probabilities: tuple[float, ...]
    ended: bool


class Moonshine:
    """The model on one thread. Blocks; tells no times of words."""

    def __init__(self) -> None:
        folder = Path(str(distribution(PACKAGE).locate_file(WEIGHTS)))
        self._encoder = _session(folder / "encoder_model.ort")
        self._decoder = _session(folder / "decoder_model_merged.ort")
        self._tokens = list(_tokens((folder / "tokenizer.bin").read_bytes()))
        self._outputs = [each.name for each in self._decoder.get_outputs()]
        self._nothing_past = {
            each.name: np.zeros((1, each.shape[1], 0, each.shape[3]), np.float32)
            for each in self._decoder.get_inputs()
            if each.name.startswith("past_key_values.")
        }

    def recognise(self, pcm: bytes, *, sample_rate: int) -> Recognition:
        """Recognise an utterance of s16le mono PCM."""
        written = [self.written(each) for each in cut(samples_of(pcm, sample_rate=sample_rate))]
        parts = [part for part in written if is_speech(part.text)]
        text = " ".join(part.text for part in parts)
        return Recognition(text, min((utterance_confidence(part) for part in parts), default=0.0), None)

    def written(self, samples: np.ndarray) -> Part:
        """Recognise int16 samples at 16 kHz, at most 45 s."""
        audio = samples.astype(np.float32)[np.newaxis] / 32768
        mask = np.ones(audio.shape, np.int64)
        (hidden,) = _run(self._encoder, {"input_values": audio, "attention_mask": mask})
        fixed = {"encoder_hidden_states": hidden, "encoder_attention_mask": mask}
        past: dict[str, np.ndarray] = dict(self._nothing_past)
        token = START
        tokens: list[int] = []
        probabilities: list[float] = []
        for step in range(int(len(samples) / SAMPLE_RATE_HZ * MOST_TOKENS_PER_SEC) + MOST_TOKENS_BESIDES):
            inputs = {"input_ids": np.array([[token]]), "use_cache_branch": np.array([step > 0])}
            logits, *present = _run(self._decoder, fixed | past | inputs)
            next_token = logits[0, -1]
            token = int(np.argmax(next_token))
            probabilities.append(1 / float(np.sum(np.exp(next_token - next_token[token]))))
            if token == END:
                return Part(self._text(tokens), tuple(probabilities), ended=True)
            tokens.append(token)
            for name, value in zip(self._outputs[1:], present, strict=True):
                # What it makes of the audio is told at the first step only.
                if step == 0 or ".decoder." in name:
                    past[name.replace("present.", "past_key_values.")] = value
        return Part(self._text(tokens), tuple(probabilities), ended=False)

    def _text(self, tokens: Sequence[int]) -> str:
        return b"".join(self._tokens[token] for token in tokens).decode(errors="ignore").replace(SPACE, " ").strip()


def cut(samples: np.ndarray) -> list[np.ndarray]:
    """The int16 samples at 16 kHz in parts of at most 30 s, cut where it is quiet; without an end below 0.1 s."""
    parts: list[np.ndarray] = []
    while len(samples) > LONGEST_SECS * SAMPLE_RATE_HZ:
        begin, size = (LONGEST_SECS - CUT_WITHIN_SECS) * SAMPLE_RATE_HZ, int(CUT_SECS * SAMPLE_RATE_HZ)
        stretches = samples[begin : LONGEST_SECS * SAMPLE_RATE_HZ].astype(np.float64).reshape(-1, size)
        quietest = int(np.argmin(np.mean(stretches**2, axis=1)))
        at = begin + quietest * size + size // 2
        parts.append(samples[:at])
        samples = samples[at:]
    return [*parts, samples] if len(samples) >= SHORTEST_SECS * SAMPLE_RATE_HZ else parts


def is_speech(text: str) -> bool:
    """Whether these are words that callers say, and not notes for music or what is made of noise."""
    words = "".join(char for char in text.lower() if char.isalnum() or char.isspace()).strip()
    return bool(words) and words not in NOISE


def utterance_confidence(part: Part) -> float:
    """The probability, 0 to 1, that what was written was said."""
    if not part.ended:
        return 0.0
    mean = sum(part.probabilities) / len(part.probabilities)
    return 1 / (1 + math.exp(-(PROBABILITY_WEIGHT * mean + BIAS)))


def _session(model: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # The arena would keep what the longest utterance took.
    options.enable_cpu_mem_arena = False
    return onnxruntime.InferenceSession(str(model), options, ["CPUExecutionProvider"])


def _run(session: onnxruntime.InferenceSession, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """Every output, in the session's order."""
    return cast(list[np.ndarray], session.run(None, dict(inputs)))


def _tokens(packed: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(packed):
        length, at = packed[at], at + 1
        if length >= LONG:
            length, at = length - LONG + packed[at] * LONG, at + 1
        yield packed[at : at + length]
        at += length
