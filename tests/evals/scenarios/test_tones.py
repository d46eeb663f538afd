"""How one voice of a vendor's double is told from another."""

import numpy as np
import pytest

from evals.caller.audio import RATE_HZ, Pcm
from evals.caller.speaker import at_48khz
from evals.scenarios.tones import speaks_as, tone_in, tone_of
from tests.vendors.openai_audio import spoken
from tests.vendors.voice import Speech

TEXTS = ("Repairing a flat tire costs 18 dollars.", "That's from the workshop page.")


@pytest.mark.parametrize("voice", ["marin", "cedar"])
def test_the_tone_of_a_double_tells_its_voice_whatever_it_says(voice: str):
    pcm = b"".join(Speech(text, 24_000, voice=voice).pcm for text in TEXTS)
    for said in (pcm, spoken(TEXTS[0], voice=voice)):
        tone_hz = tone_in(at_48khz(Pcm(np.frombuffer(said, np.int16), 24_000)))
        assert tone_hz is not None
        assert [name for name in ("marin", "cedar") if speaks_as(name, tone_hz)] == [voice]


def test_another_text_of_one_voice_is_another_tone():
    assert tone_of("marin", TEXTS[0]) != tone_of("marin", TEXTS[1])


def test_silence_has_no_tone():
    assert tone_in(np.zeros(RATE_HZ, np.int16)) is None
