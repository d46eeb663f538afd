import pytest

from bot.speech.recogniser import Recogniser, utterance_confidence
from bot.speech.vocabulary import build, newest

TEXTS = ["The swimming pool is open from 7 am to 9 pm.", "Parking at Harbourside costs 18 dollars per night."]


def test_confidence_is_a_probability_that_grows_with_the_posteriors():
    confidences = [utterance_confidence([posterior] * 6) for posterior in (0.1, 0.5, 0.9)]
    assert confidences == sorted(confidences)
    assert 0 < confidences[0] < 0.2
    assert 0.8 < confidences[-1] < 1


def test_a_single_word_must_be_surer_than_a_sentence():
    assert utterance_confidence([0.6]) < utterance_confidence([0.6] * 6)


def test_no_words_are_no_confidence():
    assert utterance_confidence([]) == 0.0


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    return folder, build(texts=TEXTS, folder=folder)


def test_the_vocabulary_holds_the_knowledge_and_generic_words(model):
    folder, built = model
    dictionary = (folder / built.name / "words.dict").read_text()
    assert "\nharbourside HH AA R B ER S AY D\n" in dictionary
    assert "\nwhen W EH N\n" in dictionary
    assert built.unknown == 1


def test_the_same_texts_make_the_same_model(model):
    folder, built = model
    assert build(texts=TEXTS, folder=folder) == built
    assert newest(folder) == folder / built.name


def test_silence_has_no_words(model):
    folder, built = model
    recognition = Recogniser(model=folder / built.name).recognise(bytes(32_000), sample_rate=16_000)
    assert (recognition.text, recognition.confidence, recognition.words) == ("", 0.0, ())
