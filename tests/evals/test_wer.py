import json

import numpy as np
import pytest
import soundfile

from bot.speech.fake import FakeSpeech
from bot.speech.recognition import Recognition
from evals.wer import NARROWBAND_HZ, WIDEBAND_HZ, WordErrors, measure, table, telephone, word_errors


@pytest.mark.parametrize(
    ("reference", "hypothesis", "errors", "words"),
    [
        ("When do you open?", "when do you open", 0, 4),
        ("It costs $25.", "it costs twenty five dollars", 0, 5),
        ("Is it open at 9:30?", "is it open at nine thirty", 0, 6),
        ("Check-in, please", "check in please", 0, 3),
        ("When do you open?", "when you open", 1, 4),
        ("When do you open?", "when do you not open", 1, 4),
        ("When do you open?", "then do you close", 2, 4),
        ("When do you open?", "", 4, 4),
    ],
)
def test_words_are_compared_as_they_are_spoken(reference, hypothesis, errors, words):
    assert word_errors(reference, hypothesis) == WordErrors(errors, words)


def test_word_errors_add_up():
    assert (WordErrors(1, 4) + WordErrors(2, 6)).rate == pytest.approx(0.3)


def test_the_telephone_halves_the_rate_and_keeps_the_loudness():
    tone = (8000 * np.sin(2 * np.pi * 440 * np.arange(WIDEBAND_HZ) / WIDEBAND_HZ)).astype(np.int16)
    carried = telephone(tone)
    assert len(carried) == NARROWBAND_HZ
    assert np.std(carried) == pytest.approx(np.std(tone), rel=0.05)


async def test_every_recording_is_recognised_over_both_lines(tmp_path):
    questions = tmp_path / "questions.jsonl"
    questions.write_text(json.dumps({"id": "q1", "question": "When do you open?", "document": "hours.md"}) + "\n")
    (tmp_path / "slt").mkdir()
    soundfile.write(tmp_path / "slt" / "q1.flac", np.zeros(WIDEBAND_HZ, np.int16), WIDEBAND_HZ)
    speech = FakeSpeech(recognitions=[Recognition("when do you open", 0.9, ()), Recognition("when you open", 0.5, ())])
    results = await measure(
        speech=speech,
        questions=questions,
        recordings=tmp_path,
        voices=["slt"],
        sample_rates=[WIDEBAND_HZ, NARROWBAND_HZ],
    )
    assert [(len(pcm), rate) for pcm, rate in speech.heard] == [(32_000, 16_000), (16_000, 8_000)]
    assert [result.total for result in results] == [WordErrors(0, 4), WordErrors(1, 4)]
    assert "25.0" in table(results)
