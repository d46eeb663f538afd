"""`jarvis eval`."""

import asyncio
import itertools
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bot.speech.client import SpeechClient
from bot.speech.errors import SpeechError
from bot.speech.recognition import Engine
from server.commands import eval_from_call, eval_judge, eval_mutants, eval_scenarios
from server.commands.problems import stop_on_setup_error
from server.commands.speech import own_speech
from server.errors import SetupError
from server.logging import configure
from server.processes import ONE_THREAD
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from evals.answers import AnswersResult
    from evals.gate import GateResult
    from evals.retrieval import DataSet, Scores
    from evals.wer import VoiceResult
    from knowledge.client import KnowledgeClient

SAMPLE = Path(__file__).parents[2] / "evals" / "sample"
RECORDINGS = Path(__file__).parents[2] / "tests" / "fixtures" / "speech"
QUESTIONS, UNANSWERABLE = SAMPLE / "questions.jsonl", SAMPLE / "unanswerable.jsonl"
TURNS = SAMPLE / "turns.jsonl"
# What each voice has recorded.
VOICES = {"slt": (QUESTIONS, UNANSWERABLE), "rms": (QUESTIONS,)}
PATH = "recogniser: {}; answerer: embedded; no vendor in the path"
EMBEDDED: Engine = "pocketsphinx"
SAMPLE_COLLECTION = "default"

Progress = Callable[[str], None]
DataOption = Annotated[
    list[Path] | None,
    typer.Option("--data", help="A folder of corpus.jsonl, queries.jsonl and qrels.tsv; can be given several times."),
]
KeepOption = Annotated[
    Path | None, typer.Option("--keep", help="Keep what was indexed in this folder, and use what is there already.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

app = typer.Typer(no_args_is_help=False)
app.command("lint")(eval_scenarios.lint)
app.command("run")(eval_scenarios.run)
app.command("judge")(eval_judge.judge)
app.command("from-call")(eval_from_call.from_call)
app.command("mutants")(eval_mutants.mutants)


@app.callback(invoke_without_command=True)
def evaluate(context: typer.Context, as_json: JsonOption = False) -> None:
    """Measure how well the embedded parts hear, find and answer; without a command, on the sample handbook.

    Starts what it needs beside a server that may run, on a database of its own that it throws away.
    """
    if context.invoked_subcommand is None:
        _measure_sample(wants_wer=True, wants_answers=True, as_json=as_json)


@app.command("wer")
def wer(
    engine: Annotated[Engine, typer.Option(help="The recogniser of this host that hears.")] = EMBEDDED,
    as_json: JsonOption = False,
) -> None:
    """Measure how many words a recogniser of this host hears wrong, on the sample's recordings."""
    _measure_sample(wants_wer=True, wants_answers=False, as_json=as_json, engine=engine)


@app.command("answers")
def answers(data: DataOption = None, keep: KeepOption = None, as_json: JsonOption = False) -> None:
    """Measure how well the embedded answerer answers, and whether it says so where there is no answer.

    Of a data set, each question that begins a conversation is asked twice: as it stands, and with the right documents
    left out of what is found, so that there is no answer.
    """
    if not data:
        _measure_sample(wants_wer=False, wants_answers=True, as_json=as_json)
        return
    with _measuring(as_json) as console:
        results = asyncio.run(_answers_over(read_settings(), data, keep, console))
        _show_answers(results, as_json)


@app.command("retrieval")
def retrieval(data: DataOption = None, keep: KeepOption = None, as_json: JsonOption = False) -> None:
    """Measure how well and how fast the search finds; without --data, on the sample handbook's questions."""
    from evals.retrieval import table

    with _measuring(as_json) as console:
        results = asyncio.run(_retrieval_over(read_settings(), data or [], keep, console))
        if as_json:
            typer.echo(json.dumps({"embeddings": "embedded", "sets": [asdict(each) for each in results]}))
        else:
            Console(width=max(120, Console().width)).print(table(results))


@app.command("gate")
def gate(
    turns: Annotated[Path, typer.Option(help="Labelled turns, a JSON object a line.")] = TURNS,
    as_json: JsonOption = False,
) -> None:
    """Measure how many questions are looked up, and how many other turns are not, over the sample handbook."""
    from evals.gate import table

    with _measuring(as_json) as console:
        results = asyncio.run(_gate_over(read_settings(), turns, console))
        if as_json:
            typer.echo(json.dumps({"turns": [asdict(each) | {"right": each.right} for each in results]}))
        else:
            Console().print(table(results))


def _measure_sample(*, wants_wer: bool, wants_answers: bool, as_json: bool, engine: Engine = EMBEDDED) -> None:
    started = time.monotonic()
    with _measuring(as_json) as console:
        wers, answered = asyncio.run(
            _evaluate(read_settings(), console, wants_wer=wants_wer, wants_answers=wants_answers, engine=engine)
        )
        secs = time.monotonic() - started
        if as_json:
            typer.echo(json.dumps(_json(wers, answered, engine) | {"secs": secs}))
        else:
            _print(wers, answered, secs, engine)


@contextmanager
def _measuring(as_json: bool) -> Iterator[Console]:
    """A console for progress, quiet where JSON is wanted; what cannot be measured ends the program with a sentence."""
    from evals.retrieval import DataError

    os.environ.update(ONE_THREAD)
    console = Console(stderr=True, quiet=as_json)
    with stop_on_setup_error(Console(stderr=True)):
        configure("WARNING")
        try:
            yield console
        except DataError as error:
            raise SetupError(str(error)) from error


async def _evaluate(
    settings: Settings, console: Console, *, wants_wer: bool, wants_answers: bool, engine: Engine
) -> "tuple[list[VoiceResult], list[AnswersResult]]":
    try:
        with console.status("Teaching the recogniser the words of the handbook") as status:
            async with own_speech(engine=engine) as speech:
                await speech.set_vocabulary(await asyncio.to_thread(_handbook_texts))
                wers = await _wer(speech, status.update) if wants_wer else []
                answered = await _answers(settings, speech, status.update) if wants_answers else []
    except SpeechError as error:
        raise SetupError(str(error)) from error
    return wers, answered


async def _wer(speech: SpeechClient, progress: Progress) -> "list[VoiceResult]":
    from evals.wer import NARROWBAND_HZ, WIDEBAND_HZ, measure

    results: list[VoiceResult] = []
    for voice in VOICES:
        for sample_rate in (WIDEBAND_HZ, NARROWBAND_HZ):
            progress(f"Recognising {voice} at {sample_rate} Hz")
            results += await measure(
                speech=speech, questions=QUESTIONS, recordings=RECORDINGS, voices=[voice], sample_rates=[sample_rate]
            )
    return results


async def _answers(settings: Settings, speech: SpeechClient, progress: Progress) -> "list[AnswersResult]":
    from evals.answers import answering, ask_recorded, ask_typed, read_questions

    limit = settings.bot_settings().retrieval.passages
    progress("Indexing the handbook in a database of its own")
    async with (
        searchable_handbook(settings) as knowledge,
        answering(search=knowledge, similarity=knowledge, limit=limit) as ask,
    ):
        questions = {path: read_questions(path) for path in (QUESTIONS, UNANSWERABLE)}
        asked = [*questions[QUESTIONS], *questions[UNANSWERABLE]]
        results = [await ask_typed(asked, ask=ask, on_asked=_counter(progress, "Asking, typed", len(asked)))]
        for voice, files in VOICES.items():
            spoken = [question for path in files for question in questions[path]]
            count = _counter(progress, f"Asking, as heard from {voice}", len(spoken))
            results.append(
                await ask_recorded(spoken, ask=ask, speech=speech, recordings=RECORDINGS / voice, on_asked=count)
            )
    return results


async def _answers_over(
    settings: Settings, folders: Sequence[Path], keep: Path | None, console: Console
) -> "list[AnswersResult]":
    from evals.answers import WithoutGold, answering, ask_typed, questions_of
    from evals.retrieval import read_data

    limit = settings.bot_settings().retrieval.passages
    results: list[AnswersResult] = []
    for data in [read_data(folder) for folder in folders]:
        async with _indexed(settings, data, keep, console) as client:
            answerable, unanswerable = questions_of(data)
            gold = {question.question: question.documents for question in answerable}
            with console.status(f"Asking {data.name}") as status:
                count = _counter(status.update, f"Asking {data.name}", len(answerable) + len(unanswerable))
                async with answering(search=client, similarity=client, limit=limit) as ask:
                    asked = await ask_typed(answerable, ask=ask, on_asked=count, asked_by=data.name)
                without = WithoutGold(client, gold=gold)
                async with answering(search=without, similarity=client, limit=limit) as ask:
                    asked += await ask_typed(unanswerable, ask=ask, on_asked=count, asked_by=data.name)
            results.append(asked)
    return results


async def _gate_over(settings: Settings, path: Path, console: Console) -> "list[GateResult]":
    from evals.gate import measure, read_turns

    turns = read_turns(path)
    with console.status("Indexing the handbook in a database of its own") as status:
        async with searchable_handbook(settings) as client:
            return await measure(turns, search=client, on_asked=_counter(status.update, "Asking", len(turns)))


async def _retrieval_over(
    settings: Settings, folders: Sequence[Path], keep: Path | None, console: Console
) -> "list[Scores]":
    from evals.retrieval import measure, read_data

    results: list[Scores] = []
    for data in [read_data(folder) for folder in folders] or [_sample_data()]:
        async with _indexed(settings, data, keep, console) as client:
            with console.status(f"Asking {data.name}") as status:
                count = _counter(status.update, f"Asking {data.name}", len(data.judged))
                scores, _ranked = await measure(data, search=client, collection=SAMPLE_COLLECTION, on_asked=count)
            results.append(scores)
    return results


@asynccontextmanager
async def _indexed(
    settings: Settings, data: "DataSet", keep: Path | None, console: Console
) -> "AsyncIterator[KnowledgeClient]":
    """What searches a data set's corpus, in a database that holds nothing else."""
    from server.commands.own_knowledge import own_knowledge

    folder = None if keep is None else keep / data.name
    async with own_knowledge(settings, folder=folder) as knowledge:
        if not await knowledge.is_indexed(SAMPLE_COLLECTION):
            with console.status(f"Indexing {data.name}") as status:
                await knowledge.index(
                    data.request(SAMPLE_COLLECTION),
                    progress=lambda job: status.update(f"Indexing {data.name}: {job.done:,} of {job.total:,}"),
                )
        client, _process = await knowledge.search()
        yield client


@asynccontextmanager
async def searchable_handbook(settings: Settings) -> "AsyncIterator[KnowledgeClient]":
    """What searches the handbook, in a database that holds nothing else."""
    from knowledge.jobs import IndexRequest
    from server.commands.own_knowledge import own_knowledge

    async with own_knowledge(settings) as knowledge:
        await knowledge.index(IndexRequest(paths=(str(SAMPLE / "handbook"),)))
        client, _process = await knowledge.search()
        yield client


def _sample_data() -> "DataSet":
    """The handbook as a data set: a document a row, and the questions that it answers."""
    from evals.answers import read_questions
    from evals.retrieval import CorpusRow, DataSet, Query
    from knowledge.loaders import load

    documents = {path.name: load(str(path), path.read_bytes()) for path in sorted((SAMPLE / "handbook").iterdir())}
    questions = read_questions(QUESTIONS)
    return DataSet(
        name="handbook",
        corpus=tuple(CorpusRow(id=name, title=each.title, text=each.text) for name, each in documents.items()),
        queries=tuple(Query(id=each.id, text=each.question) for each in questions),
        gold={each.id: each.documents for each in questions if each.documents},
    )


def _handbook_texts() -> list[str]:
    """Titles and texts, as `Store.all_texts` gives them."""
    from knowledge.loaders import load

    documents = [load(str(path), path.read_bytes()) for path in sorted((SAMPLE / "handbook").iterdir())]
    return [text for document in documents for text in (document.title, document.text)]


def _counter(progress: Progress, doing: str, total: int) -> Callable[[], None]:
    numbers = itertools.count(1)
    return lambda: progress(f"{doing}: {next(numbers)} of {total}")


def _json(wers: "Sequence[VoiceResult]", answered: "Sequence[AnswersResult]", engine: Engine) -> dict[str, Any]:
    return {
        "recogniser": engine,
        "answerer": "embedded",
        "vendors": [],
        "wer": [
            {
                "voice": result.voice,
                "sample_rate_hz": result.sample_rate,
                "words": result.total.words,
                "errors": result.total.errors,
                "rate": result.total.rate,
                "secs_per_audio_sec": sum(result.recognise_secs) / result.audio_secs,
            }
            for result in wers
        ],
        "answers": [result.to_json() for result in answered],
    }


def _show_answers(answered: "Sequence[AnswersResult]", as_json: bool) -> None:
    from evals.answers import tables

    if as_json:
        typer.echo(json.dumps(_json([], answered, EMBEDDED)))
        return
    console = Console()
    console.print(PATH.format(EMBEDDED), highlight=False)
    for each in tables(answered):
        console.print()
        console.print(each)


def _print(wers: "Sequence[VoiceResult]", answered: "Sequence[AnswersResult]", secs: float, engine: Engine) -> None:
    from evals.answers import tables
    from evals.wer import table

    console = Console()
    console.print(PATH.format(engine), highlight=False)
    if wers:
        console.print(f"\nWords heard wrong\n{table(wers)}", end="", highlight=False, soft_wrap=True)
    for each in tables(answered) if answered else ():
        console.print()
        console.print(each)
    console.print(f"\nmeasured in {secs:.0f} s", highlight=False)
