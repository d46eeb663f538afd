"""The generic English trigrams that come with pocketsphinx, read from its binary trie.

The file holds: a header; the order and the n-gram counts; tables of quantised weights (logarithms to base 1.0001);
the unigrams with pointers into the bigrams; bigrams and trigrams as packed bits, keyed last word first; the words.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bot.speech.errors import SpeechError
from bot.speech.language_model import NgramModel

HEADER = b"Trie Language Model"
LOG_BASE = 1.0001
WEIGHT_BITS = 16
WEIGHTS = 1 << WEIGHT_BITS
UNIGRAM = np.dtype([("probability", "<f4"), ("backoff", "<f4"), ("bigrams_from", "<u4")])


@dataclass(frozen=True)
class GenericEnglish:
    """Every n-gram of the file: probabilities, back-off weights, and words as positions in `words`."""

    words: list[str]
    unigrams: np.ndarray
    unigram_backoffs: np.ndarray
    bigram_words: tuple[np.ndarray, np.ndarray]
    bigrams: np.ndarray
    bigram_backoffs: np.ndarray
    trigram_words: tuple[np.ndarray, np.ndarray, np.ndarray]
    trigrams: np.ndarray

    def most_frequent(self, count: int) -> list[str]:
        """The likeliest words; no boundaries, no noises."""
        ranked = (self.words[index] for index in np.argsort(-self.unigrams))
        spoken = (word for word in ranked if word[0].isalpha() or word[0] == "'")
        return [word for _, word in zip(range(count), spoken, strict=False)]

    def restricted_to(self, words: Sequence[str]) -> NgramModel:
        """The n-grams of the given words only, with the ids of their order."""
        ids = {word: number for number, word in enumerate(words)}
        id_of = np.array([ids.get(word, -1) for word in self.words], np.int64)
        size = len(words)
        known = np.nonzero(id_of >= 0)[0]
        unigrams, backoffs = np.zeros(size), np.ones(size)
        unigrams[id_of[known]], backoffs[id_of[known]] = self.unigrams[known], self.unigram_backoffs[known]
        unigrams[0] = 0.0
        bigram_keys, chosen = _keys([id_of[word] for word in self.bigram_words], size)
        trigram_keys, chosen_trigrams = _keys([id_of[word] for word in self.trigram_words], size)
        return NgramModel(
            size,
            unigrams / unigrams.sum(),
            backoffs,
            bigram_keys,
            self.bigrams[chosen],
            self.bigram_backoffs[chosen],
            trigram_keys,
            self.trigrams[chosen_trigrams],
        )


def read(path: Path) -> GenericEnglish:
    """Read a trigram model that pocketsphinx wrote as a trie."""
    data = path.read_bytes()
    if not data.startswith(HEADER) or data[len(HEADER)] != 3:
        raise SpeechError("The generic language model is not a trigram trie; reinstall pocketsphinx.")
    counts = struct.unpack_from("<3I", data, len(HEADER) + 1)
    offset = len(HEADER) + 1 + struct.calcsize("<3Ii")
    weights = np.power(LOG_BASE, np.frombuffer(data, "<f4", 3 * WEIGHTS, offset).astype(float))
    offset += 3 * 4 * WEIGHTS
    unigrams = np.frombuffer(data, UNIGRAM, counts[0] + 1, offset)
    offset += UNIGRAM.itemsize * (counts[0] + 1)
    word_bits, pointer_bits = counts[0].bit_length(), counts[2].bit_length()
    bigram_bits, trigram_bits = word_bits + 2 * WEIGHT_BITS + pointer_bits, word_bits + WEIGHT_BITS
    bigram_bytes, trigram_bytes = _packed_bytes(counts[1], bigram_bits), _packed_bytes(counts[2], trigram_bits)
    packed_bigrams = np.frombuffer(data, np.uint8, bigram_bytes, offset)
    packed_trigrams = np.frombuffer(data, np.uint8, trigram_bytes, offset + bigram_bytes)
    offset += bigram_bytes + trigram_bytes
    words = data[offset + 4 :].decode("latin-1").split("\0")[: counts[0]]

    bigrams_from = unigrams["bigrams_from"].astype(np.int64)
    bigram_count = int(bigrams_from[-1])
    first = _unpacked(packed_bigrams, bigram_count, bigram_bits, 0, word_bits)
    second = np.repeat(np.arange(counts[0]), np.diff(bigrams_from))
    backoff = _unpacked(packed_bigrams, bigram_count, bigram_bits, word_bits, WEIGHT_BITS)
    weight = _unpacked(packed_bigrams, bigram_count, bigram_bits, word_bits + WEIGHT_BITS, WEIGHT_BITS)
    trigrams_from = _unpacked(packed_bigrams, bigram_count + 1, bigram_bits, word_bits + 2 * WEIGHT_BITS, pointer_bits)
    trigram_count = int(trigrams_from[-1])
    bigram_of = np.repeat(np.arange(bigram_count), np.diff(trigrams_from))
    trigram_first = _unpacked(packed_trigrams, trigram_count, trigram_bits, 0, word_bits)
    trigram_weight = _unpacked(packed_trigrams, trigram_count, trigram_bits, word_bits, WEIGHT_BITS)
    return GenericEnglish(
        words=words,
        unigrams=np.power(LOG_BASE, unigrams["probability"][:-1].astype(float)),
        unigram_backoffs=np.power(LOG_BASE, unigrams["backoff"][:-1].astype(float)),
        bigram_words=(first, second),
        bigrams=weights[:WEIGHTS][weight],
        bigram_backoffs=weights[WEIGHTS : 2 * WEIGHTS][backoff],
        trigram_words=(trigram_first, first[bigram_of], second[bigram_of]),
        trigrams=weights[2 * WEIGHTS :][trigram_weight],
    )


def _packed_bytes(count: int, bits: int) -> int:
    return ((1 + count) * bits + 7) // 8 + 8


def _unpacked(packed: np.ndarray, count: int, record_bits: int, from_bit: int, bits: int) -> np.ndarray:
    position = np.arange(count, dtype=np.int64) * record_bits + from_bit
    value = np.zeros(count, np.int64)
    for index in range((bits + 14) // 8):
        value |= packed[(position >> 3) + index].astype(np.int64) << (8 * index)
    return (value >> (position & 7)) & ((1 << bits) - 1)


def _keys(ids: list[np.ndarray], size: int) -> tuple[np.ndarray, np.ndarray]:
    known = np.nonzero(np.logical_and.reduce([column >= 0 for column in ids]))[0]
    key = np.zeros(len(known), np.int64)
    for column in ids:
        key = key * size + column[known]
    order = np.argsort(key)
    return key[order], known[order]
