"""`jarvis eval`."""

import asyncio
import itertools
import json
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from bot.speech.client import SpeechClient
from bot.speech.errors import SpeechError
from knowledge.client import KnowledgeClient
from server.commands.problems import stop_on_setup_error
from server.commands.speech import own_speech
from server.errors import SetupError
from server.logging import configure
from server.processes import ONE_THREAD, SupervisedProcess
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from evals.answers import AnswersResult
    from evals.wer import VoiceResult

SAMPLE = Path(__file__).parents[2] / "evals" / "sample"
RECORDINGS = Path(__file__).parents[2] / "tests" / "fixtures" / "speech"
QUESTIONS, UNANSWERABLE = SAMPLE / "questions.jsonl", SAMPLE / "unanswerable.jsonl"
# What each voice has recorded.
VOICES = {"slt": (QUESTIONS, UNANSWERABLE), "rms": (QUESTIONS,)}
# Quality is measured here, not speed: no question is lost to a busy machine.
SEARCH_SECS = 10.0
PATH = "recogniser, answerer: embedded; no vendor in the path"


Progress = Callable[[str], None]


class Part(StrEnum):
    """What can be measured."""

    WER = "wer"
    ANSWERS = "answers"
    ALL = "all"


def evaluate(
    part: Annotated[Part, typer.Argument(help="How well it hears, how well it answers, or both.")] = Part.ALL,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Measure how well the embedded recogniser hears and the embedded answerer answers, on the sample handbook.

    Starts what it needs beside a server that may run, on a database of its own that it throws away.
    """
    os.environ.update(ONE_THREAD)
    console = Console(stderr=True)
    started = time.monotonic()
    with stop_on_setup_error(console):
        settings = read_settings()
        configure("WARNING")
        wer, answers = asyncio.run(_evaluate(settings, part, console))
    secs = time.monotonic() - started
    if as_json:
        typer.echo(json.dumps(_json(wer, answers) | {"secs": secs}))
    else:
        _print(wer, answers, secs)


async def _evaluate(
    settings: Settings, part: Part, console: Console
) -> "tuple[list[VoiceResult], list[AnswersResult]]":
    try:
        with console.status("Teaching the recogniser the words of the handbook") as status:
            async with own_speech() as speech:
                await speech.set_vocabulary(await asyncio.to_thread(_handbook_texts))
                wer = [] if part is Part.ANSWERS else await _wer(speech, status.update)
                answers = [] if part is Part.WER else await _answers(settings, speech, status.update)
    except SpeechError as error:
        raise SetupError(str(error)) from error
    return wer, answers


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

    retrieval = settings.bot_settings().retrieval
    progress("Indexing the handbook in a database of its own")
    async with (
        own_knowledge(settings) as knowledge,
        answering(
            search=knowledge,
            similarity=knowledge,
            limit=retrieval.passages,
            min_similarity=retrieval.min_similarity,
        ) as ask,
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


@asynccontextmanager
async def own_knowledge(settings: Settings) -> AsyncIterator[KnowledgeClient]:
    """A retrieval process on a database that holds the handbook and nothing else."""
    from knowledge.embedders.minilm import MiniLmEmbedder, ensure_built
    from knowledge.ingest import ingest
    from knowledge.store import Store
    from server.resources import open_database

    with tempfile.TemporaryDirectory(prefix="jarvis-eval-") as folder:
        # Postgres may run as an account that must be let in.
        Path(folder).chmod(0o755)
        own = settings.model_copy(update={"data_dir": Path(folder), "database_url": None})
        own.prepare_dirs()
        await ensure_built(own.models_dir)
        async with open_database(own) as (database_url, pool):
            store = Store(pool)
            await store.migrate()
            embedder = await asyncio.to_thread(MiniLmEmbedder, models_dir=own.models_dir)
            await ingest([SAMPLE / "handbook"], store=store, embedder=embedder)
            process = SupervisedProcess(
                "retrieval",
                module="knowledge.process",
                settings={
                    "socket": str(own.knowledge_socket),
                    "database_url": database_url,
                    "models_dir": str(own.models_dir),
                },
                environment=os.environ,
            )
            await process.start()
            client = KnowledgeClient(own.knowledge_socket, timeout_secs=SEARCH_SECS)
            try:
                yield client
            finally:
                await client.aclose()
                await process.stop()


def _handbook_texts() -> list[str]:
    """Titles and texts, as `Store.all_texts` gives them."""
    from knowledge.loaders import load

    documents = [load(path, path.read_bytes()) for path in sorted((SAMPLE / "handbook").iterdir())]
    return [text for document in documents for text in (document.title, document.text)]


def _counter(progress: Progress, doing: str, total: int) -> Callable[[], None]:
    numbers = itertools.count(1)
    return lambda: progress(f"{doing}: {next(numbers)} of {total}")


def _json(wer: "Sequence[VoiceResult]", answers: "Sequence[AnswersResult]") -> dict[str, Any]:
    return {
        "recogniser": "embedded",
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
            for result in wer
        ],
        "answers": [result.to_json() for result in answers],
    }


def _print(wer: "Sequence[VoiceResult]", answers: "Sequence[AnswersResult]", secs: float) -> None:
    from evals.answers import tables
    from evals.wer import table

    console = Console()
    console.print(PATH, highlight=False)
    if wer:
        console.print(f"\nWords heard wrong\n{table(wer)}", end="", highlight=False, soft_wrap=True)
    for each in tables(answers) if answers else ():
        console.print()
        console.print(each)
    console.print(f"\nmeasured in {secs:.0f} s", highlight=False)
