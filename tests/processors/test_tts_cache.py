"""What was said before is said again as if the voice said it, and nothing else is ever kept."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from pipecat.frames.frames import Frame, TTSAudioRawFrame
from pipecat.utils.context.word_timestamp_tracker import WordTimestamp

from processors.frames import RepeatedAudioFrame
from processors.takes import Kind, Place, Take, Word
from processors.tts_cache import LONGEST_SECS, CachedVoice, Recording
from tests.processors.failover.scripted_tts import RATE_HZ, Call, Faults, ScriptedTTS, sound_of
from tests.processors.shelf import Shelf
from tests.virtual_time import in_virtual_time

GREETING = "Hello, this is Jarvis at the pool. How can I help?"
FIRST, SECOND = "The pool opens at nine.", "It closes at ten."
ANSWER = f"{FIRST} {SECOND}"
PHRASES: Mapping[str, Kind] = {GREETING: "greeting"}


class CachedScript(CachedVoice, ScriptedTTS):
    """A voice that plays a script, with a cache."""


class Voices:
    """Voices of one cache, and what they reported."""

    def __init__(self) -> None:
        self.shelf = Shelf(phrases=PHRASES)

    def voice(self, **script: Any) -> CachedScript:
        return CachedScript(cache=self.shelf.cache, **script)

    async def knows(self, *texts: str, **script: Any) -> None:
        """Has them said once, each by itself."""
        async with Call({"first": self.voice(**script), "other": ScriptedTTS()}) as call:
            for text in texts:
                await call.speaks(text)
                await asyncio.sleep(15)
        self.shelf.reports.clear()


def audio_of(call: Call) -> list[Frame]:
    return [frame for frame in call.voiced.frames if isinstance(frame, TTSAudioRawFrame)]


@pytest.mark.parametrize(("timed", "streaming"), [(True, True), (True, False), (False, False)])
@in_virtual_time
async def test_a_text_by_itself_is_asked_for_once_and_heard_and_kept_twice(timed: bool, streaming: bool):
    voices = Voices()
    first = voices.voice(timed=timed, streaming=streaming)
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        for _ in range(2):
            await call.speaks(GREETING)
            await asyncio.sleep(15)
    assert first.asked == [GREETING]
    assert call.heard == f"{GREETING} {GREETING}"
    assert call.said == [GREETING, GREETING]
    assert call.marks == ["TTSStarted", "TTSStopped"] * 2
    assert call.switches == []
    assert voices.shelf.results == [("greeting", "miss"), ("greeting", "hit")]
    assert [report["characters"] for report in voices.shelf.reports] == [len(GREETING)] * 2


@pytest.mark.parametrize(("timed", "streaming"), [(True, True), (False, False)])
@in_virtual_time
async def test_another_call_hears_what_one_had_said(timed: bool, streaming: bool):
    voices = Voices()
    await voices.knows(GREETING, timed=timed, streaming=streaming)
    again = voices.voice(timed=timed, streaming=streaming)
    async with Call({"first": again, "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(15)
    assert (again.asked, call.heard, call.said) == ([], GREETING, [GREETING])


@in_virtual_time
async def test_a_voice_that_is_asked_sentence_by_sentence_repeats_the_sentences_of_answers_in_their_order():
    voices = Voices()
    await voices.knows(SECOND, timed=False)
    first = voices.voice(timed=False)
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        for _ in range(2):
            await call.answers(ANSWER)
            await asyncio.sleep(15)
    # Of texts by themselves and of sentences there is one take.
    assert first.asked == [FIRST]
    assert call.heard == f"{ANSWER} {ANSWER}"
    assert call.said == [ANSWER, ANSWER]
    assert voices.shelf.results == [("answer", "miss"), *[("answer", "hit")] * 3]


@pytest.mark.parametrize("streaming", [False, True])
@in_virtual_time
async def test_a_voice_with_word_times_says_each_answer_anew(streaming: bool):
    voices = Voices()
    first = voices.voice(timed=True, streaming=streaming)
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        for _ in range(2):
            await call.answers(ANSWER)
            await asyncio.sleep(15)
    assert first.asked == [FIRST, SECOND] * 2
    assert (voices.shelf.reports, voices.shelf.takes) == ([], {})


@pytest.mark.parametrize(("timed", "streaming"), [(True, True), (False, False)])
@in_virtual_time
async def test_a_phrase_from_the_cache_between_two_answers_stays_between_them(timed: bool, streaming: bool):
    voices = Voices()
    await voices.knows(GREETING, timed=timed, streaming=streaming)
    async with Call({"first": voices.voice(timed=timed, streaming=streaming), "second": ScriptedTTS()}) as call:
        await call.answers(FIRST)
        await call.speaks(GREETING)
        await call.answers(SECOND)
        await asyncio.sleep(20)
    assert call.heard == f"{FIRST} {GREETING} {SECOND}"
    assert " ".join(call.said) == f"{FIRST} {GREETING} {SECOND}"


@in_virtual_time
async def test_of_a_phrase_that_is_interrupted_the_context_holds_what_was_heard():
    voices = Voices()
    await voices.knows(GREETING, streaming=True)
    async with Call({"first": voices.voice(streaming=True), "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(1.0)
        await call.is_interrupted()
        await asyncio.sleep(5)
        heard = call.heard
        await call.answers(FIRST)
        await asyncio.sleep(10)
    assert 0 < len(heard) < len(GREETING)
    assert call.said[0]
    assert GREETING.startswith(call.said[0])
    assert len(call.said[0]) <= len(heard)
    assert call.heard == f"{heard} {FIRST}"
    assert call.said[-1] == FIRST


@in_virtual_time
async def test_the_vendor_is_told_nothing_of_what_it_did_not_say():
    told: list[str] = []

    class Vendor(ScriptedTTS):
        async def flush_audio(self, context_id: str | None = None) -> None:
            told.append("flush")
            await super().flush_audio(context_id)

        async def on_audio_context_interrupted(self, context_id: str) -> None:
            told.append("interrupted")

        async def on_audio_context_completed(self, context_id: str) -> None:
            told.append("completed")

    class CachedVendor(CachedVoice, Vendor):
        pass

    voices = Voices()
    await voices.knows(GREETING, streaming=True)
    async with Call({"first": CachedVendor(cache=voices.shelf.cache, streaming=True), "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(15)
        await call.speaks(GREETING)
        await asyncio.sleep(0.01)
        await call.is_interrupted()
        await asyncio.sleep(1)
    assert voices.shelf.results == [("greeting", "hit")] * 2
    assert told == []


@pytest.mark.parametrize("streaming", [False, True])
@in_virtual_time
async def test_what_an_interruption_cut_off_is_not_kept(streaming: bool):
    voices = Voices()
    async with Call({"first": voices.voice(streaming=streaming), "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(0.3)
        await call.is_interrupted()
        await asyncio.sleep(10)
    assert voices.shelf.takes == {}


@in_virtual_time
async def test_what_follows_an_interruption_at_once_is_said_and_not_kept():
    voices = Voices()
    async with Call({"first": voices.voice(streaming=True), "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(0.3)
        await call.is_interrupted()
        await call.speaks(FIRST)
        await asyncio.sleep(10)
        kept = len(voices.shelf.takes)
        await call.speaks(FIRST)
        await asyncio.sleep(10)
    assert (kept, len(voices.shelf.takes)) == (0, 1)


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("kind", ["error", "closed", "stalled", "short", "rate", "garbled"])
@in_virtual_time
async def test_a_take_that_failed_is_not_kept(kind: str, timed: bool):
    voices = Voices()
    failing = voices.voice(timed=timed, faults=Faults(kind, 4))
    async with Call({"first": failing, "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(15)
    assert voices.shelf.takes == {}


@pytest.mark.parametrize("kind", ["error", "stalled"])
@in_virtual_time
async def test_after_a_phrase_from_the_cache_a_vendor_that_is_away_is_found_out_and_taken_over(kind: str):
    voices = Voices()
    await voices.knows(GREETING, streaming=True)
    failing = voices.voice(streaming=True, faults=Faults(kind, 0))
    async with Call({"first": failing, "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await asyncio.sleep(10)
        assert call.switches == []
        await call.answers(ANSWER)
        await asyncio.sleep(15)
    assert call.heard == f"{GREETING} {ANSWER}"
    assert call.said == [GREETING, ANSWER]
    assert [(s.source, s.target) for s in call.switches] == [("first", "second")]


@in_virtual_time
async def test_a_phrase_from_the_cache_says_nothing_of_how_the_vendor_does(monkeypatch: pytest.MonkeyPatch):
    voices = Voices()
    await voices.knows(GREETING)
    async with Call({"first": voices.voice(), "second": ScriptedTTS()}) as call:
        worked: list[str] = []
        monkeypatch.setattr(call.providers, "worked", worked.append)
        await call.speaks(GREETING)
        await asyncio.sleep(10)
        of_hits = list(worked)
        await call.answers(FIRST)
        await asyncio.sleep(10)
        assert (of_hits, worked) == ([], ["first"])
        assert all(isinstance(frame, RepeatedAudioFrame) for frame in audio_of(call)[:3])
        assert not isinstance(audio_of(call)[-1], RepeatedAudioFrame)
        # How long its first audio takes is learned from what it said itself.
        assert len(call.tts._first_audio["first"]) == 1


@in_virtual_time
async def test_without_a_cache_a_voice_is_what_it_was():
    first = CachedScript(timed=False)
    async with Call({"first": first, "second": ScriptedTTS()}) as call:
        await call.speaks(GREETING)
        await call.answers(ANSWER)
        await asyncio.sleep(20)
    assert first.asked == [GREETING, FIRST, SECOND]
    assert call.heard == f"{GREETING} {ANSWER}"


PLACE = Place("d", common=False)
PCM = sound_of("Hello") + sound_of("there.")
SECS = len(PCM) / 2 / RATE_HZ
WORDS = (Word("Hello", 0.0), Word("there.", 0.35))


def recorded(
    pcm: bytes, words: tuple[Word, ...] = (), *, text: str = "Hello there. ", timed: bool = False
) -> Take | None:

    recording = Recording(text, place=PLACE, rate_hz=RATE_HZ, timed=timed)
    for word in words:
        recording.hear(WordTimestamp(word.text, word.secs, "c", word.spaced))
    for at in range(0, len(pcm), 999):
        recording.hear(TTSAudioRawFrame(pcm[at : at + 999], RATE_HZ, 1))
    return recording.take()


def test_a_recording_is_all_audio_and_words_of_a_text():
    assert recorded(PCM, WORDS, timed=True) == Take(PCM, WORDS)


@pytest.mark.parametrize(
    ("pcm", "words", "timed"),
    [
        (b"", (), False),
        (bytes(len(PCM)), (), False),
        (PCM[: len(PCM) // 4], (), False),
        (PCM * 20, (), False),
        (PCM, (), True),
        (PCM, WORDS[:1], True),
        (PCM, (WORDS[0], Word("there.", SECS)), True),
    ],
    ids=["nothing", "silent", "short", "long", "without words", "a word is missing", "a word is behind its end"],
)
def test_a_recording_that_is_not_the_whole_text_is_no_take(pcm: bytes, words: tuple[Word, ...], timed: bool):
    assert recorded(pcm, words, timed=timed) is None


def test_a_recording_that_is_too_long_to_keep_is_no_take():
    text = "word " * 100
    pcm = sound_of("word") * 100
    assert len(pcm) / 2 / RATE_HZ > LONGEST_SECS
    assert recorded(pcm, text=text) is None
