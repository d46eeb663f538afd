"""A trigram language model of what callers may ask: the knowledge's own words mixed with generic English.

Pure functions of values. The knowledge supplies its names and terms, the common phrases the openings of questions, and
generic English everything that people say around them. All n-grams are kept as sorted integer keys of word ids.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

SENTENCE_START = "<s>"
SENTENCE_END = "</s>"
OPEN = "…"

DISCOUNT = 0.7
KNOWLEDGE_SHARE = 0.5
PHRASE_SHARE = 0.5
MAX_KNOWLEDGE_WORDS = 20_000
MAX_GENERIC_NGRAMS = 200_000
TINY = 1e-30


@dataclass(frozen=True)
class WeightedSentence:
    """A sentence in lower case and how often it counts; `OPEN` at either end means that speech goes on there."""

    words: tuple[str, ...]
    weight: float


@dataclass(frozen=True)
class NgramModel:
    """A back-off trigram model over word ids 0 to `size` - 1; keys are `(first * size + second) * size + third`."""

    size: int
    unigrams: np.ndarray
    unigram_backoffs: np.ndarray
    bigram_keys: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    bigrams: np.ndarray = field(default_factory=lambda: np.zeros(0))
    bigram_backoffs: np.ndarray = field(default_factory=lambda: np.zeros(0))
    trigram_keys: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    trigrams: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def bigram(self, keys: np.ndarray) -> np.ndarray:
        """P(second | first) of bigram keys."""
        backed_off = self.unigram_backoffs[keys // self.size] * self.unigrams[keys % self.size]
        return _looked_up(self.bigram_keys, self.bigrams, keys, backed_off)

    def trigram(self, keys: np.ndarray) -> np.ndarray:
        """P(third | first second) of trigram keys."""
        return _looked_up(self.trigram_keys, self.trigrams, keys, self.trigram_backed_off(keys))

    def trigram_backed_off(self, keys: np.ndarray) -> np.ndarray:
        """P(third | first second) of trigram keys as if the model held no trigrams."""
        history = keys // self.size
        backoff = _looked_up(self.bigram_keys, self.bigram_backoffs, history, np.ones(len(keys)))
        return backoff * self.bigram(history % self.size * self.size + keys % self.size)


def training_sentences(knowledge: Iterable[Sequence[str]], phrases: Sequence[Sequence[str]]) -> list[WeightedSentence]:
    """The knowledge's sentences and the common phrases, these weighted to `PHRASE_SHARE` of the knowledge's words."""
    sentences = [WeightedSentence(tuple(word.lower() for word in words), 1.0) for words in knowledge]
    knowledge_words = sum(len(sentence.words) for sentence in sentences)
    phrase_words = sum(len(phrase) for phrase in phrases)
    weight = max(1.0, PHRASE_SHARE * knowledge_words / max(1, phrase_words))
    return sentences + [WeightedSentence(tuple(phrase), weight) for phrase in phrases]


def word_list(sentences: Sequence[WeightedSentence], generic: Iterable[str]) -> list[str]:
    """What the model can recognise, as its word ids count: the boundaries, the sentences' words, the generic ones."""
    counts: Counter[str] = Counter()
    for sentence in sentences:
        counts.update(dict.fromkeys(sentence.words, sentence.weight))
    del counts[OPEN]
    known = {word for word, _ in counts.most_common(MAX_KNOWLEDGE_WORDS)} | set(generic)
    return [SENTENCE_START, SENTENCE_END, *sorted(known - {SENTENCE_START, SENTENCE_END})]


def from_sentences(sentences: Sequence[WeightedSentence], words: Sequence[str]) -> NgramModel:
    """Absolute discounting, each order interpolated with the one below."""
    size = len(words)
    unigram_keys, unigram_counts = _count(sentences, words, order=1)
    unigrams = np.zeros(size)
    unigrams[unigram_keys] = unigram_counts / max(unigram_counts.sum(), TINY)
    bigram_keys, bigram_counts = _count(sentences, words, order=2)
    bigrams, backoff_of = _discounted(bigram_counts, bigram_keys // size, unigrams[bigram_keys % size])
    unigram_backoffs = np.ones(size)
    unigram_backoffs[bigram_keys // size] = backoff_of
    lower = NgramModel(size, unigrams, unigram_backoffs, bigram_keys, bigrams, np.ones(len(bigram_keys)))
    trigram_keys, trigram_counts = _count(sentences, words, order=3)
    history = trigram_keys // size
    trigrams, backoff_of = _discounted(trigram_counts, history, lower.trigram_backed_off(trigram_keys))
    bigram_backoffs = np.ones(len(bigram_keys))
    bigram_backoffs[np.searchsorted(bigram_keys, history)] = backoff_of
    return NgramModel(size, unigrams, unigram_backoffs, bigram_keys, bigrams, bigram_backoffs, trigram_keys, trigrams)


def mixture(knowledge: NgramModel, generic: NgramModel) -> NgramModel:
    """`KNOWLEDGE_SHARE` of one model and the rest of the other, without the generic n-grams that matter least."""
    models = ((KNOWLEDGE_SHARE, knowledge), (1 - KNOWLEDGE_SHARE, generic))
    size = knowledge.size
    unigrams = _weighted([(share, model.unigrams) for share, model in models])
    kept_bigrams, kept_trigrams = _generic_ngrams_worth_keeping(generic, unigrams)
    trigram_keys = np.union1d(knowledge.trigram_keys, kept_trigrams)
    bigram_keys = np.unique(np.concatenate([knowledge.bigram_keys, kept_bigrams, trigram_keys // size]))
    bigrams = _weighted([(share, model.bigram(bigram_keys)) for share, model in models])
    first = bigram_keys // size
    unigram_backoffs = _backoffs(first, bigrams, unigrams[bigram_keys % size], size)
    lower = NgramModel(size, unigrams, unigram_backoffs, bigram_keys, bigrams, np.ones(len(bigram_keys)))
    trigrams = _weighted([(share, model.trigram(trigram_keys)) for share, model in models])
    history = np.searchsorted(bigram_keys, trigram_keys // size)
    bigram_backoffs = _backoffs(history, trigrams, lower.trigram_backed_off(trigram_keys), len(bigram_keys))
    return NgramModel(size, unigrams, unigram_backoffs, bigram_keys, bigrams, bigram_backoffs, trigram_keys, trigrams)


def arpa(model: NgramModel, words: Sequence[str]) -> str:
    """The model in ARPA format."""
    names = np.array(words, dtype=object)
    size = model.size
    unigrams, backoffs = _log10(model.unigrams), _log10(model.unigram_backoffs)
    unigrams[words.index(SENTENCE_START)] = -99.0
    lines = ["\\data\\", f"ngram 1={size}", f"ngram 2={len(model.bigrams)}", f"ngram 3={len(model.trigrams)}"]
    lines += ["", "\\1-grams:"]
    lines += [f"{row[0]:.4f} {row[1]} {row[2]:.4f}" for row in zip(unigrams, names, backoffs, strict=True)]
    lines += ["", "\\2-grams:"]
    keys = model.bigram_keys
    columns = (_log10(model.bigrams), names[keys // size], names[keys % size], _log10(model.bigram_backoffs))
    lines += [f"{row[0]:.4f} {row[1]} {row[2]} {row[3]:.4f}" for row in zip(*columns, strict=True)]
    lines += ["", "\\3-grams:"]
    keys = model.trigram_keys
    columns = (_log10(model.trigrams), names[keys // size**2], names[keys // size % size], names[keys % size])
    lines += [f"{row[0]:.4f} {row[1]} {row[2]} {row[3]}" for row in zip(*columns, strict=True)]
    return "\n".join([*lines, "", "\\end\\", ""])


def _weighted(columns: Sequence[tuple[float, np.ndarray]]) -> np.ndarray:
    return np.sum([share * column for share, column in columns], axis=0)


def _looked_up(keys: np.ndarray, values: np.ndarray, wanted: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    if not len(keys):
        return otherwise
    index = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[index] == wanted, values[index], otherwise)


def _count(sentences: Sequence[WeightedSentence], words: Sequence[str], *, order: int) -> tuple[np.ndarray, np.ndarray]:
    ids = {word: number for number, word in enumerate(words)}
    start, size = ids[SENTENCE_START], len(words)
    counts: dict[int, float] = defaultdict(float)
    for sentence in sentences:
        for run in _runs(sentence.words, ids):
            for end in range(order - 1, len(run)):
                if run[end] != start:
                    key = 0
                    for word in run[end - order + 1 : end + 1]:
                        key = key * size + word
                    counts[key] += sentence.weight
    keys = np.array(sorted(counts), np.int64)
    return keys, np.array([counts[key] for key in keys.tolist()])


def _runs(words: tuple[str, ...], ids: dict[str, int]) -> list[list[int]]:
    """The sentence with its boundaries as word ids, cut where speech goes on and where a word is unknown."""
    runs: list[list[int]] = [[]]
    for word in (SENTENCE_START, *words, SENTENCE_END):
        if word in ids:
            runs[-1].append(ids[word])
        else:
            runs.append([])
    if words and words[0] == OPEN:
        runs = runs[1:]
    if words and words[-1] == OPEN:
        runs = runs[:-1]
    return runs


def _discounted(counts: np.ndarray, history: np.ndarray, lower: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _, group = np.unique(history, return_inverse=True)
    totals, followers = np.bincount(group, counts), np.bincount(group)
    backoff = np.minimum(DISCOUNT * followers / np.maximum(totals, TINY), 1.0)[group]
    return np.maximum(counts - DISCOUNT, 0.0) / totals[group] + backoff * lower, backoff


def _backoffs(history: np.ndarray, probabilities: np.ndarray, lower: np.ndarray, size: int) -> np.ndarray:
    seen, lower_seen = np.bincount(history, probabilities, size), np.bincount(history, lower, size)
    left = 1 - np.minimum(seen, 0.9999)
    return np.where(np.bincount(history, minlength=size) > 0, left / np.maximum(1 - lower_seen, 1e-6), 1.0)


def _generic_ngrams_worth_keeping(generic: NgramModel, unigrams: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    size = generic.size
    history = unigrams.copy()
    history[0] = unigrams[1]
    keys = generic.bigram_keys
    backed_off = generic.unigram_backoffs[keys // size] * generic.unigrams[keys % size]
    bigrams = _largest(keys, history[keys // size] * _gain(generic.bigrams, backed_off))
    keys = generic.trigram_keys
    history_of = history[keys // size**2] * generic.bigram(keys // size)
    trigrams = _largest(keys, history_of * _gain(generic.trigrams, generic.trigram_backed_off(keys)))
    return bigrams, trigrams


def _gain(probabilities: np.ndarray, backed_off: np.ndarray) -> np.ndarray:
    return probabilities * np.log(np.maximum(probabilities, TINY) / np.maximum(backed_off, TINY))


def _largest(keys: np.ndarray, gains: np.ndarray) -> np.ndarray:
    if len(keys) <= MAX_GENERIC_NGRAMS:
        return keys
    return keys[np.argpartition(gains, -MAX_GENERIC_NGRAMS)[-MAX_GENERIC_NGRAMS:]]


def _log10(probabilities: np.ndarray) -> np.ndarray:
    return np.log10(np.maximum(probabilities, TINY))
