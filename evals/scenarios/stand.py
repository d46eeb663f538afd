"""The Jarvis that scenarios are held with, on a data directory of its own, and what can be seen of it from outside."""

import asyncio
import re
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import psycopg
from dotenv import dotenv_values
from loguru import logger

from bot.providers.stages import STAGES, members, name_of
from evals.collector import Collector
from evals.drill.doubles import Doubles, doubles
from evals.drill.errors import DrillError
from evals.drill.scenarios import VENDORS
from evals.kept import Kept
from evals.program import ROOT, Jarvis, ProgramError
from evals.scenarios.errors import SuiteError
from evals.scenarios.format import Scenario
from evals.scenarios.keys import HANDBOOK, Providers
from knowledge.store import DEFAULT_COLLECTION

ASK_SECS = 5.0
INDEX_SECS = 300.0
# What a call leaves is written within half a second of its end.
KEPT_SECS, LOOK_SECS = 5.0, 0.1
# Doubles that there are only where a scenario names them: `JARVIS_TTS: openai`.
NAMED = {"tts": ("openai",)}
# These would lead a Jarvis under test to what the operator works with.
OPERATORS = ("DATABASE_URL", "REDIS_URL", "OPENAI_EMBEDDING_MODEL")


@dataclass(frozen=True)
class Wanted:
    """What the scenarios of one Jarvis ask of it; `alone` is the one that shares it with none.

    `folders` are the documents that are known beside the sample handbook, each a collection of its own.
    """

    providers: Providers
    settings: tuple[tuple[str, str], ...]
    alone: str = ""
    traced: bool = False
    folders: tuple[Path, ...] = ()

    @classmethod
    def of(cls, scenarios: Sequence[Scenario]) -> "Wanted":
        """What scenarios ask for that can share one."""
        providers, settings, alone = shared(scenarios[0])
        privacies = [each.keys.x_privacy for each in scenarios]
        traced = any(each is not None and "trace" in each.sinks for each in privacies)
        folders = dict.fromkeys(each.knowledge for each in scenarios if each.knowledge != HANDBOOK)
        return cls(providers, settings, alone, traced, tuple(folders))

    def collection(self, folder: Path) -> str:
        """Where those documents are."""
        return DEFAULT_COLLECTION if folder == HANDBOOK else f"folder-{self.folders.index(folder)}"


def shared(scenario: Scenario) -> tuple[Providers, tuple[tuple[str, str], ...], str]:
    """What scenarios that share a Jarvis have in common: its providers, its settings, and the one that shares none."""
    setup = scenario.keys.x_jarvis
    alone = "" if scenario.keys.x_host is None else f"{scenario.file}:{scenario.name}"
    folder = {} if scenario.persona is None else {"JARVIS_PERSONAS": str(scenario.persona.parent)}
    return setup.providers, tuple(sorted((setup.settings | folder).items())), alone


class Stand:
    """A Jarvis that runs; `doubles` are its vendors, where it has simulated ones."""

    def __init__(
        self,
        wanted: Wanted,
        jarvis: Jarvis,
        http: aiohttp.ClientSession,
        vendors: Doubles | None = None,
        collector: Collector | None = None,
    ) -> None:
        self._wanted = wanted
        self._jarvis = jarvis
        self._http = http
        self._collector = collector
        self._logged_before = b""
        self.doubles = vendors

    @property
    def program(self) -> Jarvis:
        """Its process, and all that belongs to it."""
        return self._jarvis

    @property
    def http(self) -> aiohttp.ClientSession:
        """What it is asked with."""
        return self._http

    @property
    def url(self) -> str:
        """Where it is called."""
        return self._jarvis.url

    @property
    def key(self) -> str:
        """What opens its operator's routes."""
        return self._jarvis.operator_key()

    def collection(self, scenario: Scenario) -> str:
        """Where the documents are that a scenario's questions are answered from."""
        return self._wanted.collection(scenario.knowledge)

    def logged(self) -> int:
        """How much it has logged, in bytes."""
        return len(self._logged_before) + self._jarvis.log.stat().st_size

    def log_since(self, at: int) -> str:
        """What it logged from there on."""
        return (self._logged_before + self._jarvis.log.read_bytes())[at:].decode(errors="replace")

    def start_again(self) -> None:
        """Runs it again after it ended, over what it kept. Blocks; raises `ProgramError` where it does not start."""
        self._logged_before += self._jarvis.log.read_bytes()
        self._jarvis.start()

    async def is_whole(self) -> bool:
        """Whether it takes calls and all of its parts answer, and a question finds what is known."""
        return bool(await self._get("/readyz")) and await self._searches()

    async def metrics(self) -> str:
        """All of its metrics as text; empty where it does not tell them."""
        return await self._get("/metrics")

    async def record(self, session: str) -> str:
        """The record of a call that has ended, as JSON; empty where none is kept in time."""
        for _ in range(round(KEPT_SECS / LOOK_SECS)):
            text = await self._get(f"/api/ingress/calls/{session}")
            if '"ended_at":null' not in text.replace(" ", "") and text:
                return text
            await asyncio.sleep(LOOK_SECS)
        return ""

    async def trace(self, session: str) -> str:
        """What the spans of a call that has ended say; empty where they don't come in time."""
        for _ in range(round(KEPT_SECS / LOOK_SECS)):
            if self._collector is not None and (found := self._collector.trace_of(session)):
                return found
            await asyncio.sleep(LOOK_SECS)
        return ""

    async def gaps(self) -> tuple[str, ...]:
        """The questions that are kept as without an answer."""
        found = await self._get("/api/rag/gaps?state=all&limit=500", as_json=True)
        return tuple(each["question"] for each in found.get("gaps", ()))

    async def row(self, sql: str, *, session: str, equals: object) -> object:
        """What a query's only value comes to, as soon as it is what it must be, or when time is up.

        Raises psycopg.Error where the database can't be asked so.
        """
        folder = Path(self._jarvis.environment["JARVIS_DATA_DIR"]) / "postgres"
        port, password = ((folder / name).read_text().strip() for name in ("port", "password"))
        text = re.sub(r"(?<!:):session\b", "%(session)s", sql.replace("%", "%%"))
        value: object = None
        async with await psycopg.AsyncConnection.connect(
            host="127.0.0.1", port=port, user="jarvis", password=password, dbname="jarvis", autocommit=True,
            connect_timeout=round(ASK_SECS), options=f"-c statement_timeout={round(ASK_SECS * 1000)}",
        ) as connection:  # fmt: skip
            await connection.set_read_only(True)
            for _ in range(round(KEPT_SECS / LOOK_SECS)):
                cursor = await connection.execute(text.encode(), {"session": session})
                row = await cursor.fetchone()
                value = None if row is None else row[0]
                if value == equals:
                    break
                await asyncio.sleep(LOOK_SECS)
        return value

    async def _searches(self) -> bool:
        """The first search behind a pause takes longer than one in a call is waited for."""
        try:
            async with self._http.post(
                f"{self.url}/api/rag/search",
                json={"question": "Is anybody there?"},
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=aiohttp.ClientTimeout(total=ASK_SECS),
            ) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def _get(self, path: str, *, as_json: bool = False) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        try:
            async with self._http.get(
                f"{self.url}{path}", headers=headers, timeout=aiohttp.ClientTimeout(total=ASK_SECS)
            ) as response:
                if response.status != 200:
                    return {} if as_json else ""
                return await response.json() if as_json else await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return {} if as_json else ""


@contextmanager
def sample(folder: Path | None = None) -> Iterator[Kept]:
    """What each begins with: the sample handbook is indexed. With a folder, what is in it, and it is kept."""
    kept = Kept(folder, make=lambda place: _of_nobodys(Jarvis(place)))
    try:
        yield kept
    finally:
        kept.close()


@asynccontextmanager
async def stand(
    wanted: Wanted,
    *,
    live: Mapping[str, str],
    lines: int,
    sample: Kept,
    make: Callable[..., Jarvis] = Jarvis,
) -> AsyncIterator[Stand]:
    """One that runs, and is gone afterwards with all that it kept; raises `SuiteError` where it does not start.

    `live` are the vendors' variables for those who are to be asked for real, `lines` how many calls there are at once.
    """
    check_dotenv(ROOT / ".env")
    folder = Path(tempfile.mkdtemp(prefix="jarvis-eval-"))
    folder.chmod(0o755)
    try:
        async with AsyncExitStack() as stack:
            vendors = await stack.enter_async_context(_doubles(wanted)) if wanted.providers == "doubles" else None
            http = await stack.enter_async_context(aiohttp.ClientSession())
            data = await _data(folder / "data", sample)
            variables = _variables(wanted, vendors, live, lines)
            collector = None
            if wanted.traced:
                collector = Collector()
                stack.push_async_callback(asyncio.to_thread, collector.close)
                variables["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url
            jarvis = _of_nobodys(make(data, **variables))
            stack.push_async_callback(_stop, jarvis)
            await _start(jarvis, wanted)
            yield Stand(wanted, jarvis, http, vendors, collector)
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)


def _of_nobodys(jarvis: Jarvis) -> Jarvis:
    """It, led to nothing that the operator works with."""
    for name in OPERATORS:
        jarvis.environment.pop(name, None)
    return jarvis


async def _data(place: Path, sample: Kept) -> Path:
    """Where it keeps what it keeps; the sample handbook is indexed there."""
    try:
        await sample.copy(place)
    except (ProgramError, subprocess.TimeoutExpired) as error:
        raise SuiteError(f"Jarvis did not start for the suite: {error}") from None
    return place


def check_dotenv(file: Path) -> None:
    """Raises `SuiteError` where this file leads every Jarvis of this checkout to the operator's own databases."""
    if file.is_file() and (
        there := sorted({*OPERATORS} & {name for name, value in dotenv_values(file).items() if value})
    ):
        raise SuiteError(
            f"{file} sets {there[0]}, so the suite would work on that. Set it elsewhere, or move the file."
        )


def _variables(wanted: Wanted, vendors: Doubles | None, live: Mapping[str, str], lines: int) -> dict[str, str]:
    # What is heard first after a question is its answer, where a scenario's settings don't ask for something else.
    made = {"JARVIS_WARM_BOTS": "1", "JARVIS_MAX_SESSIONS": str(max(4, lines)), "JARVIS_FILLER_SECS": "0"}
    if wanted.providers == "embedded":
        # By name, so that a vendor whose key is set somewhere is not asked.
        made |= {f"JARVIS_{stage.upper()}": name_of(members(stage)[0]) for stage in STAGES}
    elif wanted.providers == "doubles":
        made |= vendors.variables if vendors else {}
    else:
        made |= live
    return made | dict(wanted.settings)


def doubles_of(wanted: Wanted) -> list[str]:
    """The names of the doubles that there are: the drill's, and those of others that the scenarios ask for."""
    names = [f"{stage}/{name}" for stage, of_stage in VENDORS.items() for name in of_stage]
    for stage, of_stage in NAMED.items():
        asked = dict(wanted.settings).get(f"JARVIS_{stage.upper()}", "").split(",")
        names += [f"{stage}/{name}" for name in of_stage if name in asked]
    return [*names, "shop"] if "JARVIS_TOOLS" in dict(wanted.settings) else names


@asynccontextmanager
async def _doubles(wanted: Wanted) -> AsyncIterator[Doubles]:
    try:
        async with doubles(doubles_of(wanted)) as served:
            yield served
    except DrillError as error:
        raise SuiteError(str(error)) from None


async def _start(jarvis: Jarvis, wanted: Wanted) -> None:
    try:
        await asyncio.to_thread(jarvis.start)
        for folder in wanted.folders:
            arguments = ("index", "--quiet", "--collection", wanted.collection(folder), str(folder))
            indexed = await asyncio.to_thread(jarvis.command, *arguments, seconds=INDEX_SECS)
            if indexed.code != 0:
                raise SuiteError(f"{folder} could not be indexed: {indexed.err.strip()}")
    except (ProgramError, subprocess.TimeoutExpired) as error:
        raise SuiteError(f"Jarvis did not start for the suite: {error}") from None


async def _stop(jarvis: Jarvis) -> None:
    """By force where it does not end by itself."""
    try:
        await asyncio.to_thread(jarvis.stop)
    except subprocess.TimeoutExpired:
        await asyncio.to_thread(jarvis.kill)
    except psutil.Error:
        # It ended; a process of its own went away while it was looked at.
        logger.debug("a process of the Jarvis under test was gone before it was looked at")
