"""A Jarvis of its own for what is measured, with doubles in the vendors' places or without vendors."""

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from evals.bench.errors import BenchError
from evals.bench.report import Providers
from evals.drill.doubles import Doubles, doubles
from evals.drill.errors import DrillError
from evals.program import Jarvis, ProgramError

# Two kinds of recogniser: one makes its words final when it is asked for them, the other finds the end by itself.
RECOGNISERS = ("deepgram", "deepgram_flux")
LLM, TTS = "llm/openai", "tts/cartesia"
# What the doubles take: from the last voice to final words, to the first token, and to the first sound.
FINAL_SECS, TOKEN_SECS, SOUND_SECS = 0.25, 0.3, 0.12
# Eighty tokens a second, where the double's own pace is twenty; speech comes four times as fast as it is spoken.
TOKENS_PACE = SPEECH_PACE = 4.0
# What callers say is short and has no pause: the doubles are told whole questions.
WORDS = "How much is it to join your club each year?"
ANSWER = "We close at six on weekdays, and at four on Saturdays."
# Measured calls do not end because nobody speaks, are no longer than an hour, and none of them is kept. What is heard
# first after a question is its answer.
MANNERS = {
    "JARVIS_GREETING": "Hello.",
    "JARVIS_IDLE_SECS": "3600",
    "JARVIS_FILLER_SECS": "0",
    "JARVIS_MAX_DURATION_SECS": "86400",
    "JARVIS_KEEP_CALLS_DAYS": "0",
}


@contextmanager
def data_dir() -> Iterator[Path]:
    """A fresh data directory, below /tmp since Postgres may run as another account."""
    path = Path(tempfile.mkdtemp(prefix="jarvis-bench-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@asynccontextmanager
async def running(path: Path, **variables: str) -> AsyncIterator[Jarvis]:
    """A server that runs, and is gone afterwards whatever happens; raises `BenchError` where it does not start."""
    jarvis = Jarvis(path, **variables)
    try:
        try:
            await asyncio.to_thread(jarvis.start)
        except ProgramError as error:
            raise BenchError(f"Jarvis did not start: {error}") from None
        yield jarvis
    finally:
        await stopped(jarvis)


async def stopped(jarvis: Jarvis) -> None:
    """Ends it, by force where it does not end by itself."""
    await asyncio.to_thread(_stop, jarvis)


@asynccontextmanager
async def vendors(providers: Providers, *, recogniser: str) -> AsyncIterator[Doubles | None]:
    """Doubles that take what `FINAL_SECS` and the others say; None where no vendor is asked."""
    if providers == "embedded":
        yield None
        return
    stt = f"stt/{recogniser}"
    try:
        async with doubles([stt, LLM, TTS]) as served:
            served.tell(double=LLM, delay_secs=TOKEN_SECS, pace=TOKENS_PACE)
            served.tell(double=TTS, delay_secs=SOUND_SECS, pace=SPEECH_PACE)
            # Flux has an end of its own, after 260 ms.
            served.tell(double=stt, delay_secs=0.0, **({"final_secs": FINAL_SECS} if recogniser == "deepgram" else {}))
            await served.tell(hear_always=WORDS, answer=ANSWER)
            yield served
    except DrillError as error:
        raise BenchError(str(error)) from None


def variables(served: Doubles | None, **more: str) -> Mapping[str, str]:
    """The environment of a Jarvis that is measured."""
    return {**MANNERS, **(served.variables if served is not None else {}), **more}


def _stop(jarvis: Jarvis) -> None:
    try:
        jarvis.stop()
    except subprocess.TimeoutExpired:
        jarvis.kill()
