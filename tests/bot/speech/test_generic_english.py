import numpy as np
import pytest

from bot.speech import generic_english
from bot.speech.errors import SpeechError
from bot.speech.language_model import SENTENCE_END, SENTENCE_START
from bot.speech.vocabulary import model_path

WORDS = [SENTENCE_START, SENTENCE_END, "do", "how", "i", "the"]


@pytest.fixture(scope="module")
def english():
    return generic_english.read(model_path("en-us.lm.bin"))


def key(*words):
    number = 0
    for word in words:
        number = number * len(WORDS) + WORDS.index(word)
    return np.array([number])


def test_the_commonest_words_are_english(english):
    assert english.most_frequent(4) == ["the", "to", "i", "and"]


def test_probabilities_are_those_that_pocketsphinx_reads(english):
    model = english.restricted_to(WORDS)
    assert np.log10(model.bigram(key(SENTENCE_START, "how")))[0] == pytest.approx(-2.27, abs=0.01)


def test_questions_begin_like_questions(english):
    model = english.restricted_to(WORDS)
    assert model.trigram(key("how", "do", "i")) > 20 * model.trigram(key("how", "do", "how"))


def test_another_file_is_refused(tmp_path):
    other = tmp_path / "other.bin"
    other.write_bytes(b"not a language model")
    with pytest.raises(SpeechError, match="reinstall pocketsphinx"):
        generic_english.read(other)
