"""Markers in the LLM's text become checked sources, spoken once and shown."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pipecat.frames.frames import (
    Frame,
    FunctionCallsStartedFrame,
    InterruptionFrame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSSpeakFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

from knowledge.types import Passage
from processors.claims import Evidence, Fault, evidence, faults
from processors.clauses import is_clause
from processors.frames import PassagesFrame, UnansweredFrame
from processors.last_answer import Answers
from processors.naming import ENGLISH, Source, SourceWords
from processors.quotes import best_quote, stand_in

_MARKER = re.compile(r"\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_MARKER_BEGUN = re.compile(r"\s*\[[\d,\s]{0,20}\Z|\s+\Z")
# Less than this, and a voice that waits for the next sentence falls silent before that is written.
_FEW_CHARACTERS = 80
_FIRST_WORD = re.compile(r"\s*[^\W\d_]\S*\s\Z")
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
    """What one piece of the LLM's text comes to: words for the voice, sources for the page, markers dropped.

    `unsupported` has, of each sentence that was not said since its sources don't say it, what they lack.
    """

    spoken: str = ""
    citations: list[Citation] = field(default_factory=list)
    dropped: int = 0
    unsupported: list[set[Fault]] = field(default_factory=list)


class MarkerReader:
    """Takes the markers out of one answer as its text streams in, and holds its sentences against what they cite.

    A sentence that cites what does not say so is not said; the nearest sentence of its sources is, or that it could not
    be confirmed. So sentences are given out whole, which is how voices take them, but for what a voice begins with: an
    answer's first clause, where passages state all that it claims, and while little was said the first word behind a
    sentence without a source, by which a voice knows that that one is over. `known` is a text of which names may be
    said, too, and numbers beside those of a passage.

    A marker may come in pieces, so text that could begin one is held back until it is told. The first time a document
    is cited, its name is said behind the sentence: "… within thirty days. That's from the returns policy." An answer
    that cites more than one document names their dates, too, where they are known; one that was named before the
    second was known of gets its date said with the second's.
    """

    def __init__(self, passages: Mapping[int, Passage], *, words: SourceWords = ENGLISH, known: str = ""):
        self._passages = passages
        self._words = words
        self._known = Evidence(known)
        self._held = ""
        self._sentence = self._unsaid = ""
        self._numbers: list[int] = []
        self._stopped = self._ended = self._untold = False
        self._said_characters = 0
        self._named: set[Source] = set()
        self._to_name: list[Source] = []
        self._undated: list[Source] = []
        self._documents: set[UUID] = set()
        self._instead: set[str] = set()

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
        self._finish(result)
        if self._to_name:
            result.spoken += ("" if self._stopped else ".") + (" " if not self._ended else "") + self._attribution()
        return result

    def _read(self, text: str, result: CitedText) -> None:
        at = 0
        markers = [(marker, [int(n) for n in marker[1].split(",")]) for marker in _MARKER.finditer(text)]
        self._documents |= {self._passages[n].document_id for _, ns in markers for n in ns if n in self._passages}
        for marker, numbers in markers:
            self._speak(text[at : marker.start()].rstrip(), result)
            self._numbers += [number for number in numbers if number in self._passages]
            result.dropped += sum(number not in self._passages for number in numbers)
            at = marker.end()
        self._speak(text[at:], result)

    def _speak(self, text: str, result: CitedText) -> None:
        for character in text:
            if character.isspace():
                self._ended = self._ended or self._stopped
            elif self._ended and not character.islower():
                self._finish(result)
                if self._to_name:
                    result.spoken += self._attribution() + " "
                self._sentence, self._ended, self._stopped = "", False, character in _STOPS
            elif character not in _CLOSERS:
                self._ended, self._stopped = False, character in _STOPS
            if not self._said_characters and character.isalpha() and is_clause(self._unsaid):
                self._begin(result)
            self._unsaid += character
            self._sentence += character
            if self._untold and _FIRST_WORD.match(self._unsaid):
                self._untold = False
                self._begin(result)
        if not self._passages:
            self._say(result)

    def _begin(self, result: CitedText) -> None:
        """Gives out the beginning of a sentence, where passages say all that it claims."""
        if not faults(self._sentence, [_evidence(each) for each in self._passages.values()], known=self._known):
            self._say(result)

    def _finish(self, result: CitedText) -> None:
        """Ends a sentence: it is said, or what its sources have to say in its place."""
        numbers, self._numbers = self._numbers, []
        passages = [_evidence(self._passages[number]) for number in numbers]
        if passages and (lacking := faults(self._sentence.strip(), passages, known=self._known)):
            result.unsupported.append(lacking)
            self._replace(numbers, result)
        else:
            for number in numbers:
                self._cite(number, result)
        self._untold = not numbers and bool(self._unsaid.strip())
        self._say(result)
        self._untold = self._untold and self._said_characters < _FEW_CHARACTERS

    def _replace(self, numbers: Sequence[int], result: CitedText) -> None:
        """Puts what can be said of these passages in the place of what of the sentence was not said."""
        after = self._unsaid[len(self._unsaid.rstrip()) :]
        begun = self._sentence[: len(self._sentence) - len(self._unsaid)]
        nearest = stand_in(self._sentence, {number: self._passages[number].text for number in numbers})
        if nearest is None or nearest[1] in self._instead:
            instead = "" if self._words.not_confirmed in self._instead and not begun else self._words.not_confirmed
            self._instead.add(self._words.not_confirmed)
        else:
            number, quote = nearest
            source = Source(self._passages[number].title, self._passages[number].effective_date)
            self._instead.add(quote)
            self._sentence = quote
            self._cite(number, result)
            self._to_name = [each for each in self._to_name if each != source]
            instead = self._words.quoted(source, quote, dated=len(self._documents) > 1)
            instead = instead if begun else instead[0].upper() + instead[1:]
        if begun and not is_clause(begun):
            instead = self._words.rather.format(sentence=instead)
        self._unsaid = instead + after if instead else ""
        self._stopped = True

    def _say(self, result: CitedText) -> None:
        self._said_characters += len(self._unsaid.strip())
        result.spoken += self._unsaid
        self._unsaid = ""

    def _cite(self, number: int, result: CitedText) -> None:
        passage = self._passages[number]
        quote, start = best_quote(self._sentence, passage.text)
        start += passage.start
        result.citations.append(Citation(number, passage, quote, start, start + len(quote)))
        source = Source(passage.title, passage.effective_date)
        if source not in self._named:
            self._named.add(source)
            self._to_name.append(source)

    def _attribution(self) -> str:
        sources, self._to_name = self._to_name, []
        if len(self._documents) < 2:
            self._undated += [source for source in sources if source.effective_date]
            return self._words.attribution(sources, dated=False)
        earlier, self._undated = self._undated, []
        return self._words.attribution(sources, dated=True, earlier=earlier)


def _evidence(passage: Passage) -> Evidence:
    """All that a sentence may say of a passage: what it says, where it stands, and from when on it holds."""
    known = [passage.title, *passage.heading_path, passage.text]
    if passage.effective_date:
        known.append(passage.effective_date.isoformat())
    if passage.page:
        known.append(f"page {passage.page}")
    return evidence("\n".join(known))


def shown_source(source: str) -> str:
    """A document's place as the page shows it: a web page's address, the name of a file."""
    return source if source.startswith(("http://", "https://")) else PurePath(source).name


class CitationProcessor(FrameProcessor):
    """Stands between the LLM and the voice: `[n]` never reaches the voice, a source that was not injected never a page.

    Events: `on_citation(processor, citation)` for each source sent to the page, `on_marker_dropped(processor, count)`
    for markers that name no passage of this turn, `on_unsupported(processor, lacking)` for a sentence that was not said
    since its sources don't say it, `on_unanswered(processor, question, passages)` for an answer to what
    was looked up that was said to its end and cites nothing, or was announced by an `UnansweredFrame`. `answers` keeps
    what it says and cites; `words` name its sources. `known` is what the bot may say of itself, its name for one.
    """

    def __init__(self, *, answers: Answers | None = None, words: SourceWords = ENGLISH, known: str = "", **kwargs: Any):
        super().__init__(**kwargs)
        self._words = words
        self._known = known
        self._answers = answers or Answers()
        self._turn = PassagesFrame()
        self._unanswered = self._spoke = False
        self._reader = MarkerReader({}, words=words)
        self._shown: set[tuple[int, str]] = set()
        self._register_event_handler("on_citation")
        self._register_event_handler("on_marker_dropped")
        self._register_event_handler("on_unsupported")
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
                self._turn = PassagesFrame(passages=self._turn.passages, caller=self._turn.caller)
            passages, known = dict(enumerate(self._turn.passages, start=1)), f"{self._known}\n{self._turn.caller}"
            self._reader, self._shown = MarkerReader(passages, words=self._words, known=known), set()
            self._answers.begin(frame.id)
        elif isinstance(frame, FunctionCallsStartedFrame):
            # The answer is still to come, with passages of its own.
            self._turn = PassagesFrame(passages=self._turn.passages)
        elif isinstance(frame, TTSSpeakFrame):
            self._answers.speak(frame.text)
        elif isinstance(frame, LLMFullResponseEndFrame):
            await self._push(self._reader.end())
            await self._tell_unanswered()
        await self.push_frame(frame, direction)

    async def _tell_unanswered(self) -> None:
        question = self._turn.question
        self._turn = PassagesFrame(passages=self._turn.passages, caller=self._turn.caller)
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
        for lacking in text.unsupported:
            await self._call_event_handler("on_unsupported", lacking)
        if text.spoken:
            self._spoke = True
            self._answers.say(text.spoken)
            spoken = LLMTextFrame(text.spoken)
            if like is not None:
                spoken.skip_tts = like.skip_tts
            await self.push_frame(spoken)
