import numpy as np
import pytest

from bot.speech import language_model
from bot.speech.language_model import SENTENCE_END, SENTENCE_START, WeightedSentence

SENTENCES = [
    WeightedSentence(("the", "pool", "opens", "at", "seven"), 1.0),
    WeightedSentence(("the", "pool", "closes", "at", "nine"), 1.0),
    WeightedSentence(("when", "does", "the", "…"), 2.0),
]
WORDS = language_model.word_list(SENTENCES, ["gym"])


def model_of(sentences=SENTENCES, words=WORDS):
    return language_model.from_sentences(sentences, words)


def key(*words):
    number = 0
    for word in words:
        number = number * len(WORDS) + WORDS.index(word)
    return np.array([number])


def generic():
    size = len(WORDS)
    unigrams = np.full(size, 1.0)
    unigrams[WORDS.index(SENTENCE_START)] = 0.0
    return language_model.NgramModel(size, unigrams / unigrams.sum(), np.ones(size))


def test_the_words_begin_with_the_boundaries_and_hold_no_open_end():
    assert WORDS[:2] == [SENTENCE_START, SENTENCE_END]
    assert "…" not in WORDS
    assert "gym" in WORDS


def test_knowledge_counts_in_lower_case_and_phrases_weigh_their_share_of_it():
    sentences = language_model.training_sentences([["The", "Pool", *["opens"] * 18]], [["hello", "there"]])
    assert sentences[0].words[:2] == ("the", "pool")
    assert sentences[1] == WeightedSentence(("hello", "there"), 5.0)


def test_a_seen_continuation_is_likelier_than_one_that_was_not():
    model = model_of()
    assert model.trigram(key("the", "pool", "opens")) > 4 * model.trigram(key("the", "pool", "when"))


def test_an_open_end_does_not_end_the_sentence():
    model = model_of()
    assert model.bigram(key("the", SENTENCE_END)) < model.bigram(key("nine", SENTENCE_END))


def test_a_phrase_with_an_open_beginning_does_not_begin_the_sentence():
    words = language_model.word_list([WeightedSentence(("…", "cost"), 1.0)], [])
    model = language_model.from_sentences(
        [WeightedSentence(("…", "cost"), 1.0), WeightedSentence(("hello",), 1.0)], [*words, "hello"]
    )
    starts = {int(history) for history in model.bigram_keys if history // model.size == 0}
    assert starts == {len(words)}


@pytest.mark.parametrize("history", [("the", "pool"), (SENTENCE_START, "the"), ("gym", "gym"), ("does", "the")])
def test_the_mixture_is_a_probability_distribution(history):
    model = language_model.mixture(model_of(), generic())
    total = sum(float(model.trigram(key(*history, word))[0]) for word in WORDS if word != SENTENCE_START)
    assert total == pytest.approx(1.0, abs=0.02)


def test_the_mixture_keeps_words_that_only_one_side_knows():
    model = language_model.mixture(model_of(), generic())
    assert model.unigrams[WORDS.index("gym")] > 0


def test_the_arpa_text_declares_what_it_holds():
    text = language_model.arpa(model_of(), WORDS)
    lines = text.splitlines()
    bigrams = lines[lines.index("\\2-grams:") + 1 : lines.index("\\3-grams:") - 1]
    assert f"ngram 1={len(WORDS)}" in lines
    assert f"ngram 2={len(bigrams)}" in lines
    assert lines[-1] == "\\end\\"
