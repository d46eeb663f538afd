import asyncio
from contextlib import aclosing

import numpy as np
import pytest

from bot.providers.embedded import EmbeddedTTS
from bot.speech.errors import SpeechRequestError
from bot.speech.synthesis import MAX_PIECE_CHARS, SpokenWord, Synthesiser, pieces
from bot.speech.voice import Speaking
from bot.wording.table import LANGUAGES

SPEAKING = Speaking(voice="en-us+f2", words_per_minute=165, pitch=50)
LONG_TEXT = "The workshop repairs bicycles of every make. " * 100


@pytest.fixture
async def synthesiser():
    synthesiser = Synthesiser()
    await synthesiser.start()
    yield synthesiser
    synthesiser.close()


async def spoken(synthesiser: Synthesiser, text: str, *, sample_rate: int = 24_000):
    parts = [part async for part in synthesiser.stream(text, SPEAKING, sample_rate=sample_rate)]
    words = [part for part in parts if isinstance(part, SpokenWord)]
    audio = b"".join(part for part in parts if isinstance(part, bytes))
    return np.frombuffer(audio, np.int16).astype(int), words


def test_a_short_text_is_one_piece():
    assert pieces("Hello. How can I help?") == ["Hello. How can I help?"]


def test_a_long_text_is_cut_between_sentences_and_loses_no_word():
    parts = pieces(LONG_TEXT)
    assert all(len(part) <= MAX_PIECE_CHARS and part.endswith(".") for part in parts)
    assert " ".join(parts) == LONG_TEXT.strip()


def test_a_long_sentence_is_cut_between_words():
    parts = pieces("word " * 200)
    assert all(len(part) <= MAX_PIECE_CHARS for part in parts)
    assert sum(part.count("word") for part in parts) == 200


@pytest.mark.parametrize("sample_rate", [8_000, 16_000, 22_050, 24_000, 48_000])
async def test_speech_lasts_the_same_at_every_rate(synthesiser, sample_rate):
    samples, _ = await spoken(synthesiser, "The pool opens at seven.", sample_rate=sample_rate)
    assert 1.2 < len(samples) / sample_rate < 2.2


async def test_speech_begins_at_once(synthesiser):
    samples, _ = await spoken(synthesiser, "Hello there.")
    assert np.flatnonzero(np.abs(samples) > 64)[0] <= 0.012 * 24_000


async def test_every_written_word_is_told_in_order(synthesiser):
    text = 'It costs $150 - see [2]. Dr. Smith opens at 9:30 am; "thanks"!'
    samples, words = await spoken(synthesiser, text)
    assert [word.word for word in words] == text.split()
    times = [word.start_secs for word in words]
    assert times == sorted(times)
    assert times[-1] < len(samples) / 24_000


async def test_words_of_a_later_piece_count_from_the_first_sample(synthesiser):
    samples, words = await spoken(synthesiser, LONG_TEXT)
    assert len(words) == len(LONG_TEXT.split())
    assert words[-1].start_secs == pytest.approx(len(samples) / 24_000, abs=1.5)


async def test_an_unknown_voice_is_refused(synthesiser):
    with pytest.raises(SpeechRequestError, match="no voice"):
        await anext(synthesiser.stream("Hello.", Speaking("xx-none", 165, 50), sample_rate=24_000))


async def test_a_long_text_that_nobody_takes_does_not_hold_up_another(synthesiser):
    async with aclosing(synthesiser.stream(LONG_TEXT, SPEAKING, sample_rate=24_000)) as stalled:
        await anext(stalled)
        async with asyncio.timeout(2):
            samples, _ = await spoken(synthesiser, "Hello there.")
    assert len(samples) > 0


async def test_a_closed_stream_leaves_the_voice_to_others(synthesiser):
    async with aclosing(synthesiser.stream(LONG_TEXT, SPEAKING, sample_rate=24_000)) as stream:
        await anext(stream)
    _, words = await spoken(synthesiser, "Hello there.")
    assert [word.word for word in words] == ["Hello", "there."]


async def test_each_language_of_a_persona_has_a_voice_on_this_host(synthesiser: Synthesiser):
    for language in LANGUAGES:
        speaking = Speaking(voice=EmbeddedTTS().in_language(language).voice, words_per_minute=400, pitch=50)
        assert [part async for part in synthesiser.stream("Eins.", speaking, sample_rate=16_000)] != []
