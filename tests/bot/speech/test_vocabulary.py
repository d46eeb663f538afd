"""A model is made once for the same texts."""

from pathlib import Path

from bot.speech.vocabulary import DICTIONARY_FILE, build, built, newest

TEXTS = ["The saddlebag costs 40 dollars.", "Bring the wheel to the workshop."]


def test_a_model_that_was_made_before_is_found_by_its_texts(tmp_path: Path):
    made = build(texts=TEXTS, folder=tmp_path)
    assert built(texts=TEXTS, folder=tmp_path) == made


def test_other_texts_have_no_model_yet(tmp_path: Path):
    build(texts=TEXTS, folder=tmp_path)
    assert built(texts=TEXTS[:1], folder=tmp_path) is None


def test_a_model_that_is_used_again_is_the_newest(tmp_path: Path):
    first = build(texts=TEXTS, folder=tmp_path)
    build(texts=TEXTS[:1], folder=tmp_path)
    built(texts=TEXTS, folder=tmp_path)
    assert newest(tmp_path) == tmp_path / first.name


def test_the_words_of_the_texts_can_be_heard(tmp_path: Path):
    made = build(texts=TEXTS, folder=tmp_path)
    heard = (tmp_path / made.name / DICTIONARY_FILE).read_text(encoding="utf-8").split()
    assert {"saddlebag", "forty", "wheel"} <= set(heard)
