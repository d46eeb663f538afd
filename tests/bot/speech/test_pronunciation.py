import pytest

from bot.speech.pronunciation import arpabet


@pytest.mark.parametrize(
    ("phonemes", "phones"),
    [
        (["h", "'A@", "b", "3", "s", ",aI", "d"], "HH AA R B ER S AY D"),
        (["v", ",i:", "p", ",i:", ";", "'E", "n"], "V IY P IY EH N"),
        (["d", "'e@", "r", "I", "N"], "D EH R IH NG"),
        (["k", ",u:", "b", "3", "n", "'E", "t#", "i:", "z"], "K UW B ER N EH T IY Z"),
    ],
)
def test_phonemes_become_the_phones_of_the_acoustic_model(phonemes, phones):
    assert " ".join(arpabet(phonemes)) == phones


def test_a_word_with_a_foreign_phoneme_has_no_pronunciation():
    assert arpabet(["h", "y:"]) == []
