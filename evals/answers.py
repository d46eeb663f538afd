"""How many questions the embedded answerer answers right, typed and as the recogniser hears them."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path, PurePath
from typing import Any

import soundfile
from pipecat.frames.frames import ErrorFrame, Frame, LLMContextFrame, LLMFullResponseEndFrame, LLMTextFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner
from pydantic import AliasChoices, BaseModel, Field, field_validator
from rich.table import Table

from bot.extractive.service import ExtractiveLLMService, Similarity
from bot.speech.client import Speech
from bot.speech.stt import MIN_CONFIDENCE
from bot.wording.table import wording
from evals.retrieval import DataSet
from knowledge.errors import KnowledgeUnavailableError
from knowledge.types import Passage, SearchResult, Turn, Verdict
from processors.frames import PassagesFrame
from processors.retrieval import RetrievalProcessor, Search

ANSWER_SECS = 20.0
MOST_PASSAGES = 40
_MARKUP = dict.fromkeys(map(ord, "`*"))
_CITED = re.compile(r"\s*(.+?) \[(\d+)\]", re.DOTALL)


class Question(BaseModel):
    """A question; without documents there is no answer in the collection.

    A right answer is from one of the `documents`, contains all of `must_contain`, and one of `any_of` where there are
    any.
    """

    id: str
    question: str
    documents: frozenset[str] = Field(default=frozenset(), validation_alias=AliasChoices("documents", "document"))
    must_contain: tuple[str, ...] = ()
    any_of: tuple[str, ...] = ()

    @field_validator("documents", mode="before")
    @classmethod
    def _one_is_a_set(cls, documents: Any) -> Any:
        return frozenset() if documents is None else [documents] if isinstance(documents, str) else documents

    @property
    def is_answerable(self) -> bool:
        """Whether the collection holds an answer."""
        return bool(self.documents)


class Outcome(StrEnum):
    """What became of a question."""

    RIGHT = "right"
    OTHER_SENTENCE = "other sentence"
    WRONG_DOCUMENT = "wrong document"
    NEAREST_RIGHT = "right as nearest"
    NEAREST_OTHER = "other as nearest"
    REFUSED = "nothing found"
    NOT_UNDERSTOOD = "not understood"


@dataclass(frozen=True)
class Quote:
    """A spoken sentence and the passage that its marker names, None where it names none of this turn's."""

    text: str
    passage: Passage | None

    @property
    def is_verbatim(self) -> bool:
        """Whether the sentence stands in the passage word for word but for markup, line ends and a full stop."""
        if self.passage is None:
            return False
        spoken, written = (" ".join(text.translate(_MARKUP).split()) for text in (self.text, self.passage.text))
        return spoken in written or spoken.removesuffix(".") in written


@dataclass(frozen=True)
class Answer:
    """What was quoted; unless `is_sure`, behind the words that it is only the nearest there is."""

    quotes: tuple[Quote, ...] = ()
    is_sure: bool = True


Ask = Callable[[str], Awaitable[Answer]]


@dataclass(frozen=True)
class AskedQuestion:
    """A question and what came of it."""

    question: Question
    outcome: Outcome
    answer: Answer


@dataclass(frozen=True)
class AnswersResult:
    """All questions, asked in one way: "typed" or by a recorded voice."""

    asked_by: str
    asked: tuple[AskedQuestion, ...]

    def __add__(self, other: "AnswersResult") -> "AnswersResult":
        """Both results as one."""
        return AnswersResult(self.asked_by, self.asked + other.asked)

    def counts(self, *, answerable: bool) -> Counter[Outcome]:
        """Questions by outcome, of those that have an answer or of those that have none."""
        return Counter(a.outcome for a in self.asked if a.question.is_answerable == answerable)

    @property
    def quotes(self) -> list[Quote]:
        """Every spoken sentence."""
        return [quote for asked in self.asked for quote in asked.answer.quotes]

    def to_json(self) -> dict[str, Any]:
        """The counts and each question's outcome."""
        return {
            "asked_by": self.asked_by,
            "answerable": _named(self.counts(answerable=True)),
            "unanswerable": _named(self.counts(answerable=False)),
            "spoken_sentences": len(self.quotes),
            "verbatim_sentences": sum(quote.is_verbatim for quote in self.quotes),
            "outcomes": {asked.question.id: asked.outcome.value for asked in self.asked},
        }


def judge(question: Question, answer: Answer) -> Outcome:
    """What an answer is worth; for a question that has none in the collection every quote is from a wrong document."""
    if not answer.quotes:
        return Outcome.REFUSED
    cited = {q.passage.source for q in answer.quotes if q.passage is not None}
    is_of_document = bool(question.documents & (cited | {PurePath(source).name for source in cited}))
    said = " ".join(quote.text for quote in answer.quotes).lower()
    holds_fact = all(fact.lower() in said for fact in question.must_contain)
    holds_fact = holds_fact and (not question.any_of or any(fact.lower() in said for fact in question.any_of))
    if not answer.is_sure:
        return Outcome.NEAREST_RIGHT if is_of_document and holds_fact else Outcome.NEAREST_OTHER
    if not is_of_document:
        return Outcome.WRONG_DOCUMENT
    return Outcome.RIGHT if holds_fact else Outcome.OTHER_SENTENCE


def read_answer(text: str, passages: Sequence[Passage]) -> Answer:
    """The sentences of an answer that carry a marker `[n]`, each with the n-th passage."""
    numbered = dict(enumerate(passages, start=1))
    quoted = text.removeprefix(wording("en").nearest)
    quotes = tuple(Quote(m[1], numbered.get(int(m[2]))) for m in _CITED.finditer(quoted))
    return Answer(quotes, is_sure=quoted == text)


class WithoutGold:
    """A search whose collection lacks what would answer: the nearest there is, and not the right one."""

    def __init__(self, search: Search, *, gold: Mapping[str, frozenset[str]]) -> None:
        """`gold` gives the documents to leave out, by question."""
        self._search = search
        self._gold = gold

    async def search(self, question: str, *, history: Sequence[Turn] = (), limit: int = 4) -> SearchResult:
        """The best passages of the other documents."""
        found = await self._search.search(question, history=history, limit=MOST_PASSAGES)
        if found.verdict is not Verdict.FOUND:
            return found
        gold = self._gold.get(question, frozenset())
        left = tuple(passage for passage in found.passages if passage.source not in gold)[:limit]
        return SearchResult(Verdict.FOUND if left else Verdict.OFF_TOPIC, left)


def questions_of(data: DataSet) -> tuple[list[Question], list[Question]]:
    """The judged questions of a data set that begin a conversation, and the same as questions without an answer."""
    first = [query for query in data.judged if not query.history]
    answerable = [
        Question(id=query.id, question=query.text, documents=data.gold[query.id], any_of=tuple(query.answers))
        for query in first
    ]
    return answerable, [Question(id=query.id, question=query.text) for query in first]


def read_questions(path: Path) -> list[Question]:
    """The questions of a JSONL file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [Question.model_validate_json(line) for line in lines if line.strip()]


@asynccontextmanager
async def answering(*, search: Search, similarity: Similarity, limit: int) -> AsyncIterator[Ask]:
    """The retrieval and answerer of a call, asked in text; each question begins a call of its own.

    What it yields asks one question; that raises KnowledgeUnavailableError when the knowledge does not answer.
    """
    collector = _Collector()
    retrieval = RetrievalProcessor(search=search, limit=limit)
    answerer = ExtractiveLLMService(similarity=similarity, words=wording("en"))
    worker = PipelineWorker(
        Pipeline([retrieval, answerer, collector]),
        enable_rtvi=False,
        enable_turn_tracking=False,
        idle_timeout_secs=None,
    )
    started, failed = asyncio.Event(), asyncio.Event()

    async def on_started(_: PipelineWorker, frame: Frame) -> None:
        started.set()

    async def on_error(_: FrameProcessor, error: ErrorFrame) -> None:
        failed.set()

    worker.add_event_handler("on_pipeline_started", on_started)
    for processor in (retrieval, answerer):
        processor.add_event_handler("on_error", on_error)
    runner = WorkerRunner(handle_sigint=False, handle_sigterm=False)
    await runner.add_workers(worker)
    running = asyncio.create_task(runner.run(), name="answering")

    async def ask(question: str) -> Answer:
        context = LLMContext(messages=[{"role": "user", "content": question}])
        await worker.queue_frame(LLMContextFrame(context=context))
        answer = await asyncio.wait_for(collector.answers.get(), ANSWER_SECS)
        if failed.is_set():
            raise KnowledgeUnavailableError(
                "The knowledge did not answer in time; see that the host is not overloaded."
            )
        return answer

    try:
        await asyncio.wait_for(started.wait(), ANSWER_SECS)
        yield ask
    finally:
        await runner.cancel("end")
        await running


async def ask_typed(
    questions: Sequence[Question], *, ask: Ask, on_asked: Callable[[], None], asked_by: str = "typed"
) -> AnswersResult:
    """The questions as they are written."""
    asked: list[AskedQuestion] = []
    for question in questions:
        answer = await ask(question.question)
        asked.append(AskedQuestion(question, judge(question, answer), answer))
        on_asked()
    return AnswersResult(asked_by, tuple(asked))


async def ask_recorded(
    questions: Sequence[Question], *, ask: Ask, speech: Speech, recordings: Path, on_asked: Callable[[], None]
) -> AnswersResult:
    """The questions as the recogniser hears `recordings/{id}.flac`; what a call would not take is not asked."""
    asked: list[AskedQuestion] = []
    for question in questions:
        samples, rate_hz = await asyncio.to_thread(soundfile.read, recordings / f"{question.id}.flac", dtype="int16")
        recognition = await speech.recognise(samples.tobytes(), rate_hz)
        if recognition.text.strip() and recognition.confidence >= MIN_CONFIDENCE:
            answer = await ask(recognition.text)
            asked.append(AskedQuestion(question, judge(question, answer), answer))
        else:
            asked.append(AskedQuestion(question, Outcome.NOT_UNDERSTOOD, Answer()))
        on_asked()
    return AnswersResult(recordings.name, tuple(asked))


def tables(results: Sequence[AnswersResult]) -> list[Table]:
    """The results as tables: questions with an answer, questions without, sentences."""
    answerable = Table("asked by", "asked", *Outcome, title="Questions that have an answer")
    answerable.caption = (
        "other sentence: one of the right document; as nearest: behind words that it is no exact answer"
    )
    unanswerable = Table("asked by", "asked", "told so", "of them with the nearest", "not understood", "answered")
    unanswerable.title = "Questions that have none"
    sentences = Table("asked by", "spoken", "word for word in the cited passage", title="Sentences")
    for result in results:
        counts = result.counts(answerable=True)
        answerable.add_row(result.asked_by, str(counts.total()), *(str(counts[outcome]) for outcome in Outcome))
        counts = result.counts(answerable=False)
        if counts:
            nearest = counts[Outcome.NEAREST_RIGHT] + counts[Outcome.NEAREST_OTHER]
            told, unclear = counts[Outcome.REFUSED] + nearest, counts[Outcome.NOT_UNDERSTOOD]
            numbers = (counts.total(), told, nearest, unclear, counts.total() - told - unclear)
            unanswerable.add_row(result.asked_by, *map(str, numbers))
        verbatim = sum(quote.is_verbatim for quote in result.quotes)
        sentences.add_row(result.asked_by, str(len(result.quotes)), str(verbatim))
    for table in (answerable, unanswerable, sentences):
        table.title_justify = table.caption_justify = "left"
        for column in table.columns[1:]:
            column.justify = "right"
    return [answerable, unanswerable, sentences]


def _named(counts: Mapping[Outcome, int]) -> dict[str, int]:
    return {outcome.value: counts[outcome] for outcome in Outcome}


class _Collector(FrameProcessor):
    """Puts each answer's quotes in `answers`."""

    def __init__(self, **kwargs: Any):
        super().__init__(**kwargs)
        self.answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._passages: tuple[Passage, ...] = ()
        self._text = ""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Notes passages and text; passes on all."""
        await super().process_frame(frame, direction)
        if isinstance(frame, PassagesFrame):
            self._passages = frame.passages
        elif isinstance(frame, LLMTextFrame):
            self._text += frame.text
        elif isinstance(frame, LLMFullResponseEndFrame):
            self.answers.put_nowait(read_answer(self._text, self._passages))
            self._text = ""
        await self.push_frame(frame, direction)
