"""Markers in the LLM's text become checked sources, spoken once and shown."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pipecat.frames.frames import (
    Frame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.types import Passage
from processors.frames import PassagesFrame, UnansweredFrame
from processors.last_answer import Answers
from processors.naming import ENGLISH, Source, SourceWords

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_MARKER_BEGUN = re.compile(r"\s*\[[\d,\s]{0,20}\Z|\s+\Z")
_SENTENCE = re.compile(r"[^.!?\n]+(?:[.!?]+(?=\s|\Z)|[.!?](?=\S)[^.!?\n]*)*[.!?]*")
_WORD = re.compile(r"[^\W_]+")
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
            "source": shown_source(self.passage.source),
            "document_id": str(self.passage.document_id),
            "page": self.passage.page,
            "effective_date": self.passage.effective_date and self.passage.effective_date.isoformat(),
            "score": self.passage.score,
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
    is cited, its name is said behind the sentence: "… within thirty days. That's from the returns policy." An answer
    that cites more than one document names their dates, too, where they are known; one that was named before the
    second was known of gets its date said with the second's.
    """

    def __init__(self, passages: Mapping[int, Passage], *, words: SourceWords = ENGLISH):
        self._passages = passages
        self._words = words
        self._held = ""
        self._sentence = ""
        self._stopped = self._ended = False
        self._named: set[Source] = set()
        self._to_name: list[Source] = []
        self._undated: list[Source] = []
        self._documents: set[UUID] = set()

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
        markers = [(marker, [int(n) for n in marker[1].split(",")]) for marker in _MARKER.finditer(text)]
        self._documents |= {self._passages[n].document_id for _, ns in markers for n in ns if n in self._passages}
        for marker, numbers in markers:
            self._speak(text[at : marker.start()].rstrip(), result)
            for number in numbers:
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
        source = Source(passage.title, passage.effective_date)
        if source not in self._named:
            self._named.add(source)
            self._to_name.append(source)

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
        sources, self._to_name = self._to_name, []
        if len(self._documents) < 2:
            self._undated += [source for source in sources if source.effective_date]
            return self._words.attribution(sources, dated=False)
        earlier, self._undated = self._undated, []
        return self._words.attribution(sources, dated=True, earlier=earlier)


def shown_source(source: str) -> str:
    """A document's place as the page shows it: a web page's address, the name of a file."""
    return source if source.startswith(("http://", "https://")) else PurePath(source).name


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
    for markers that name no passage of this turn, `on_unanswered(processor, question, passages)` for an answer to what
    was looked up that was said to its end and cites nothing, or was announced by an `UnansweredFrame`. `answers` keeps
    what it says and cites; `words` name its sources.
    """

    def __init__(self, *, answers: Answers | None = None, words: SourceWords = ENGLISH, **kwargs: Any):
        super().__init__(**kwargs)
        self._words = words
        self._answers = answers or Answers()
        self._turn = PassagesFrame()
        self._unanswered = self._spoke = False
        self._reader = MarkerReader({}, words=words)
        self._shown: set[tuple[int, str]] = set()
        self._register_event_handler("on_citation")
        self._register_event_handler("on_marker_dropped")
        self._register_event_handler("on_unanswered")

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Replaces the LLM's text frames by spoken ones; takes the passages frame; passes on all else."""
        await super().process_frame(frame, direction)
        if isinstance(frame, PassagesFrame):
            self._turn, self._unanswered, self._spoke = frame, False, False
            return
        if isinstance(frame, UnansweredFrame):
            self._unanswered = True
            return
        if isinstance(frame, LLMTextFrame):
            await self._push(self._reader.feed(frame.text), like=frame)
            return
        if isinstance(frame, LLMFullResponseStartFrame | InterruptionFrame):
            if isinstance(frame, InterruptionFrame):
                self._turn = PassagesFrame(passages=self._turn.passages)
            self._reader, self._shown = (
                MarkerReader(dict(enumerate(self._turn.passages, start=1)), words=self._words),
                set(),
            )
            self._answers.begin(frame.id)
        elif isinstance(frame, TTSSpeakFrame):
            self._answers.speak(frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame):
            await self._push(self._reader.end())
            await self._tell_unanswered()
        await self.push_frame(frame, direction)

    async def _tell_unanswered(self) -> None:
        question = self._turn.question
        self._turn = PassagesFrame(passages=self._turn.passages)
        if question is not None and self._spoke and (self._unanswered or not self._shown):
            await self._call_event_handler("on_unanswered", question, self._turn.passages)

    async def _push(self, text: CitedText, *, like: LLMTextFrame | None = None) -> None:
        for citation in text.citations:
            if (key := (citation.number, citation.quote)) not in self._shown:
                self._shown.add(key)
                self._answers.cite(message := citation.to_message())
                await self.push_frame(RTVIServerMessageFrame(data=message))
                await self._call_event_handler("on_citation", citation)
        if text.dropped:
            await self._call_event_handler("on_marker_dropped", text.dropped)
        if text.spoken:
            self._spoke = True
            self._answers.say(text.spoken)
            spoken = LLMTextFrame(text.spoken)
            if like is not None:
                spoken.skip_tts = like.skip_tts
            await self.push_frame(spoken)
