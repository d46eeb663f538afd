"""Markers in the LLM's text become checked sources, spoken once and shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.types import Passage
from processors.frames import PassagesFrame

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_MARKER_BEGUN = re.compile(r"\s*\[[\d,\s]{0,20}\Z|\s+\Z")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|\Z)|[.!?](?=\S)[^.!?\n]*)*[.!?]*")
_WORD = re.compile(r"[^\W_]+")
_DETERMINERS = frozenset({"the", "our", "your", "a", "an"})
_KINDS_OF_DOCUMENT = frozenset({
    "agreement", "brochure", "catalogue", "conditions", "directory", "faq", "guide", "guidelines", "handbook",
    "instructions", "leaflet", "list", "manual", "notice", "page", "plan", "policy", "prices", "report", "rules",
    "schedule", "terms", "timetable",
})  # fmt: skip
_STOPS = frozenset(".!?")
_CLOSERS = frozenset("\"')]”’")


@dataclass(frozen=True, slots=True)
class Citation:
    """A sentence's pointer into a document; `start` and `end` are the quote's character offsets in it."""

    number: int
    passage: Passage
    quote: str
    start: int
    end: int

    def to_message(self) -> dict[str, Any]:
        """What the page gets."""
        return {
            "type": "citation",
            "number": self.number,
            "title": self.passage.title,
            "heading_path": list(self.passage.heading_path),
            "quote": self.quote,
            "passage": self.passage.text,
            "start": self.start,
            "end": self.end,
            "source": PurePath(self.passage.source).name,
        }


@dataclass(slots=True)
class CitedText:
    """What one piece of the LLM's text comes to: words for the voice, sources for the page, markers dropped."""

    spoken: str = ""
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0


class MarkerReader:
    """Takes the markers out of one answer as its text streams in.

    A marker may come in pieces, so text that could begin one is held back until it is told. The first time a document
    is cited, its name is said behind the sentence: "… within thirty days. That's from the returns policy."
    """

    def __init__(self, passages: Mapping[int, Passage]):
        self._passages = passages
        self._held = ""
        self._sentence = ""
        self._stopped = self._ended = False
        self._named: set[str] = set()
        self._to_name: list[str] = []

    def feed(self, text: str) -> CitedText:
        """The text that can be spoken now."""
        result = CitedText()
        text = self._held + text
        begun = _MARKER_BEGUN.search(text)
        self._held = text[begun.start() :] if begun else ""
        self._read(text[: len(text) - len(self._held)], result)
        return result

    def end(self) -> CitedText:
        """What is left at the end of the answer."""
        result = CitedText()
        held, self._held = self._held.rstrip(), ""
        self._read(held, result)
        if self._to_name:
            result.spoken += ("" if self._stopped else ".") + (" " if not self._ended else "") + self._attribution()
        return result

    def _read(self, text: str, result: CitedText) -> None:
        at = 0
        for marker in _MARKER.finditer(text):
            self._speak(text[at : marker.start()].rstrip(), result)
            for number in (int(n) for n in marker[1].split(",")):
                self._cite(number, result)
            at = marker.end()
        self._speak(text[at:], result)

    def _cite(self, number: int, result: CitedText) -> None:
        passage = self._passages.get(number)
        if passage is None:
            result.dropped += 1
            return
        quote, start = best_quote(self._sentence, passage.text)
        start += passage.start
        result.citations.append(Citation(number, passage, quote, start, start + len(quote)))
        name = spoken_name(passage.title)
        if name not in self._named:
            self._named.add(name)
            self._to_name.append(name)

    def _speak(self, text: str, result: CitedText) -> None:
        for character in text:
            if character.isspace():
                self._ended = self._ended or self._stopped
            elif self._ended:
                if self._to_name:
                    result.spoken += self._attribution() + " "
                self._sentence, self._ended, self._stopped = "", False, character in _STOPS
            elif character not in _CLOSERS:
                self._stopped = character in _STOPS
            result.spoken += character
            self._sentence += character

    def _attribution(self) -> str:
        names, self._to_name = self._to_name, []
        return f"That's from {' and '.join(names)}."


def spoken_name(title: str) -> str:
    """A document's title as it is said in mid-sentence: "Returns policy" → "the returns policy".

    A title that names a topic rather than a document is called a page: "Delivery" → "the delivery page".
    """
    words = title.split()
    if words and words[0].lower() in _DETERMINERS:
        return " ".join([words[0].lower(), *words[1:]])
    if words and words[0][:1].isupper() and words[0][1:].islower():
        words[0] = words[0].lower()
    if not words or words[-1].lower() not in _KINDS_OF_DOCUMENT:
        words.append("page")
    return " ".join(["the", *words])


def best_quote(claim: str, text: str) -> tuple[str, int]:
    """The sentence of `text` that shares the most words with `claim`, and its offset in `text`."""
    claimed = set(_WORD.findall(claim.lower()))
    best, best_score = (text.strip(), len(text) - len(text.lstrip())), -1.0
    for match in _SENTENCE.finditer(text):
        sentence = match[0].strip()
        words = set(_WORD.findall(sentence.lower()))
        if not words:
            continue
        score = len(words & claimed) / len(words | claimed)
        if score > best_score:
            best, best_score = (sentence, match.start() + len(match[0]) - len(match[0].lstrip())), score
    return best


class CitationProcessor(FrameProcessor):
    """Stands between the LLM and the voice: `[n]` never reaches the voice, a source that was not injected never a page.

    Events: `on_citation(processor, citation)` for each source sent to the page, `on_marker_dropped(processor, count)`
    for markers that name no passage of this turn.
    """

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self._passages: dict[int, Passage] = {}
        self._reader = MarkerReader({})
        self._shown: set[tuple[int, str]] = set()
        self._register_event_handler("on_citation")
        self._register_event_handler("on_marker_dropped")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Replaces the LLM's text frames by spoken ones; takes the passages frame; passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, PassagesFrame):
            self._passages = dict(enumerate(frame.passages, start=1))
            return
        if isinstance(frame, LLMTextFrame):
            await self._push(self._reader.feed(frame.text), like=frame)
            return
        if isinstance(frame, LLMFullResponseStartFrame | InterruptionFrame):
            self._reader, self._shown = MarkerReader(self._passages), set()
        elif isinstance(frame, LLMFullResponseEndFrame):
            await self._push(self._reader.end())
        await self.push_frame(frame, direction)

    async def _push(self, text: CitedText, *, like: LLMTextFrame | None = None) -> None:
        for citation in text.citations:
            if (key := (citation.number, citation.quote)) not in self._shown:
                self._shown.add(key)
                await self.push_frame(RTVIServerMessageFrame(data=citation.to_message()))
                await self._call_event_handler("on_citation", citation)
        if text.dropped:
            await self._call_event_handler("on_marker_dropped", text.dropped)
        if text.spoken:
            spoken = LLMTextFrame(text.spoken)
            if like is not None:
                spoken.skip_tts = like.skip_tts
            await self.push_frame(spoken)
