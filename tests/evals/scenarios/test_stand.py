"""The Jarvis that scenarios are held with."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from evals.kept import Kept
from evals.program import Jarvis, Outcome, ProgramError
from evals.scenarios.errors import SuiteError
from evals.scenarios.format import read
from evals.scenarios.stand import Stand, Wanted, check_dotenv, doubles_of, shared, stand
from tests.evals.scenarios.given import scenario, written


class PlayedJarvis:
    """Runs nothing, and notes what is asked of it."""

    def __init__(
        self, data_dir: Path, variables: dict[str, str], *, trouble: Exception | None = None, indexes: int = 0
    ) -> None:
        self.environment = {"DATABASE_URL": "postgres://operator", "JARVIS_DATA_DIR": str(data_dir), **variables}
        self.asked: list[Any] = []
        self.began_with = [each.name for each in data_dir.iterdir()]
        self.log = data_dir / "server.log"
        self._trouble, self._indexes = trouble, indexes

    def command(self, *arguments: str, seconds: float) -> Outcome:
        self.asked.append(arguments)
        return Outcome(self._indexes, "", "no such folder")

    def start(self) -> None:
        self.asked.append("start")
        if self._trouble:
            raise self._trouble

    def stop(self) -> None:
        self.asked.append("stop")


class Sample:
    """What a Jarvis begins with that answers from the sample handbook."""

    async def copy(self, place: Path) -> None:
        place.mkdir()
        (place / "indexed").touch()


def wanted(**more: Any) -> Wanted:
    return Wanted(**({"providers": "embedded", "settings": ()} | more))


async def stood(asked: Wanted, *, live: dict[str, str] | None = None, lines: int = 1, **options: Any) -> PlayedJarvis:
    """One that was started and stopped."""
    made: list[PlayedJarvis] = []

    def make(data_dir: Path, **variables: str) -> Jarvis:
        made.append(PlayedJarvis(data_dir, variables, **options))
        return cast(Jarvis, made[0])

    async with stand(asked, live=live or {}, lines=lines, sample=cast(Kept, Sample()), make=make):
        assert Path(made[0].environment["JARVIS_DATA_DIR"]).is_dir()
    assert not Path(made[0].environment["JARVIS_DATA_DIR"]).exists()
    return made[0]


def test_a_double_beside_the_drills_is_there_where_it_is_named():
    settings = (("JARVIS_TTS", "openai"),)
    beside = {*doubles_of(wanted(providers="doubles", settings=settings))} - {*doubles_of(wanted(providers="doubles"))}
    assert beside == {"tts/openai"}


def test_a_shop_is_there_for_scenarios_with_tools():
    settings = {"JARVIS_TOOLS": "tools.yaml"}
    beside = {*doubles_of(wanted(providers="doubles", settings=settings))} - {*doubles_of(wanted(providers="doubles"))}
    assert beside == {"shop"}


async def test_embedded_providers_are_asked_by_name():
    jarvis = await stood(wanted())
    named = {name: jarvis.environment[f"JARVIS_{name}"] for name in ("STT", "LLM", "TTS")}
    assert named == {"STT": "embedded", "LLM": "extractive", "TTS": "embedded"}


async def test_what_the_operator_works_with_is_left_alone():
    assert "DATABASE_URL" not in (await stood(wanted())).environment


async def test_a_scenarios_settings_go_before_the_suites():
    jarvis = await stood(wanted(settings=(("JARVIS_STT", "moonshine"), ("JARVIS_MAX_SESSIONS", "1"))))
    assert (jarvis.environment["JARVIS_STT"], jarvis.environment["JARVIS_MAX_SESSIONS"]) == ("moonshine", "1")


async def test_there_are_as_many_lines_as_calls_at_once():
    assert (await stood(wanted(), lines=9)).environment["JARVIS_MAX_SESSIONS"] == "9"


async def test_live_vendors_have_their_variables_and_no_embedded_one_is_named():
    environment = (await stood(wanted(providers="live"), live={"OPENAI_API_KEY": "k"})).environment
    assert (environment["OPENAI_API_KEY"], "JARVIS_LLM" in environment) == ("k", False)


async def test_one_whose_traces_are_looked_at_sends_them(tmp_path: Path):
    keys = "x_privacy: {patterns: ['4111'], sinks: [trace]}"
    traced = Wanted.of([scenario(tmp_path), scenario(tmp_path, keys=keys)])
    assert (await stood(traced)).environment["OTEL_EXPORTER_OTLP_ENDPOINT"].startswith("http://127.0.0.1:")
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" not in (await stood(Wanted.of([scenario(tmp_path)]))).environment


async def test_each_begins_with_the_sample_that_was_kept():
    assert (await stood(wanted())).began_with == ["indexed"]


async def test_other_documents_are_a_collection_of_their_own(tmp_path: Path):
    jarvis = await stood(wanted(folders=(tmp_path,)))
    assert jarvis.asked == ["start", ("index", "--quiet", "--collection", "folder-0", str(tmp_path)), "stop"]


def test_questions_are_answered_from_the_collection_of_their_scenario(tmp_path: Path):
    one = scenario(tmp_path)
    setup = one.keys.x_jarvis.model_copy(update={"knowledge": None})
    other = replace(one, keys=one.keys.model_copy(update={"x_jarvis": setup}))
    shared_by = Wanted.of([one, other])
    assert [shared_by.collection(each.knowledge) for each in (one, other)] == ["folder-0", "default"]


@pytest.mark.parametrize(
    ("options", "told"),
    [({"indexes": 1}, "could not be indexed: no such folder"), ({"trouble": ProgramError("no port")}, "no port")],
)
async def test_one_that_does_not_start_is_told_and_stopped(tmp_path: Path, options: dict[str, Any], told: str):
    with pytest.raises(SuiteError, match=told):
        await stood(wanted(folders=(tmp_path,)), **options)


def test_what_happens_to_a_host_happens_to_no_other_scenarios(tmp_path: Path):
    one = scenario(tmp_path, keys="x_host: {turn: 0, event: drain}")
    assert shared(one) != shared(scenario(tmp_path))
    assert Wanted.of([one]).alone.endswith("tried.yaml:tried/one")


class Answering:
    """Answers each path with a status."""

    def __init__(self, **statuses: int) -> None:
        self._statuses = statuses

    @asynccontextmanager
    async def _asked(self, url: str, **_: Any) -> AsyncIterator[Any]:
        yield SimpleNamespace(status=self._statuses[url.rpartition("/")[2]], text=self._text)

    get = post = _asked

    async def _text(self) -> str:
        return "{}"


@pytest.mark.parametrize(("ready", "search", "whole"), [(200, 200, True), (503, 200, False), (200, 503, False)])
async def test_one_is_whole_where_it_is_ready_and_finds_what_it_knows(ready: int, search: int, whole: bool):
    jarvis = SimpleNamespace(url="http://127.0.0.1:1", operator_key=lambda: "key")
    http = Answering(readyz=ready, search=search)
    assert await Stand(wanted(), cast(Jarvis, jarvis), cast(Any, http)).is_whole() is whole


async def test_one_that_is_started_again_has_logged_all_that_it_did(tmp_path: Path):
    jarvis = PlayedJarvis(tmp_path, {})
    served = Stand(wanted(), cast(Jarvis, jarvis), cast(Any, None))
    jarvis.log.write_text("first, ")
    logged = served.logged()
    jarvis.log.write_text("first, second, ")
    served.start_again()
    jarvis.log.write_text("third")
    assert (served.log_since(logged), served.logged()) == ("second, third", 20)


def test_scenarios_with_the_same_settings_share_one(tmp_path: Path):
    one, other = scenario(tmp_path), scenario(tmp_path, "x_says: [18 dollars]")
    assert shared(one) == shared(other)
    assert shared(one) != shared(scenario(tmp_path, jarvis=", settings: {JARVIS_NAME: Robin}"))


def test_a_file_of_settings_that_names_the_operators_database_is_refused(tmp_path: Path):
    file = tmp_path / ".env"
    file.write_text("JARVIS_NAME=Robin\nDATABASE_URL=\n")
    check_dotenv(file)
    file.write_text("DATABASE_URL=postgres://operator\n")
    with pytest.raises(SuiteError, match="sets DATABASE_URL"):
        check_dotenv(file)


def test_a_jarvis_whose_persona_is_called_knows_those_of_its_folder(tmp_path: Path):
    text = (
        "name: tried\nx_jarvis: {version: 1, persona: who/shop.toml}\nscenarios:\n"
        "  - name: one\n    turns: [{user: Hello., expect: [{event: response}]}]\n"
    )
    (scenario,) = read(written(tmp_path, text)).scenarios
    assert shared(scenario)[1] == (("JARVIS_PERSONAS", str(tmp_path / "who")),)
