"""The defects that bots are given."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
from loguru import logger
from pipecat.turns.user_start import VADUserTurnStartStrategy

from bot.wording.table import wording
from evals.mutants.defects import MUTANTS, Mutant, place, put_in
from knowledge.types import SearchResult, Verdict
from processors.citations import MarkerReader
from processors.failover.providers import Providers
from processors.naming import Source
from processors.takes import TakeStore, VoiceCache

ENGLISH = wording("en")


def broken(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What stands in the place of the target of that mutant, for this test."""
    owner, attribute = place(MUTANTS[name].target)
    monkeypatch.setattr(owner, attribute, MUTANTS[name].broken(getattr(owner, attribute)))
    return getattr(owner, attribute)


@pytest.mark.parametrize("name", MUTANTS)
def test_what_it_breaks_is_there(name: str):
    owner, attribute = place(MUTANTS[name].target)
    assert hasattr(owner, attribute)


@pytest.mark.parametrize("target", ["bot.said:Said._gone", "bot.said:Gone._tell"])
def test_what_was_renamed_is_told(target: str):
    with pytest.raises(LookupError, match="is gone: have the mutant patch what took its place"):
        place(target)


def test_it_puts_the_broken_in_the_place_of_the_whole(monkeypatch: pytest.MonkeyPatch):
    module = ModuleType("tried")
    module.__dict__["Bot"] = type("Bot", (), {"greeting": "Hello."})
    monkeypatch.setitem(sys.modules, "tried", module)
    put_in(Mutant("loud", "it shouts", "tried:Bot.greeting", str.upper, ("x_says",), ("greeting/one",)))
    assert module.Bot.greeting == "HELLO."


async def test_a_search_finds_nothing(monkeypatch: pytest.MonkeyPatch):
    search = broken("retrieval-finds-nothing", monkeypatch)
    assert await search(None, "What does a puncture cost?", limit=4) == SearchResult(Verdict.OFF_TOPIC)


async def test_a_search_is_for_something_else():
    asked: list[Any] = []

    async def search(_self: Any, question: str, **options: Any) -> None:
        asked.append((question, options))

    elsewhere = MUTANTS["retrieval-finds-another"].broken(search)
    await elsewhere(None, "What does a puncture cost?", history=["Hello."], limit=4)
    (question, options), *_ = asked
    assert ("puncture" in question, options) == (False, {"history": (), "limit": 4})


@pytest.mark.parametrize(("documents", "cited"), [("aab", 3), ("aaa", 1), ("", 1)])
def test_another_document_is_cited_where_there_is_one(documents: str, cited: int):
    numbers: list[int] = []
    cite = MUTANTS["citations-unchecked"].broken(lambda _self, number, _result: numbers.append(number))
    passages = {n: SimpleNamespace(document_id=each) for n, each in enumerate(documents, start=1)}
    cite(SimpleNamespace(_passages=passages), 1, None)
    assert numbers == [cited]


def test_a_wrong_number_has_no_fault(monkeypatch: pytest.MonkeyPatch):
    assert broken("claims-unchecked", monkeypatch)("It costs 25 dollars.", [], known=None) == set()


def test_a_caller_interrupts_nobody():
    strategy = VADUserTurnStartStrategy()
    params = SimpleNamespace(user_turn_strategies=SimpleNamespace(start=[strategy]))
    assert MUTANTS["interruption-ignored"].broken(lambda: params)() is params
    assert not strategy._enable_interruptions


async def test_an_interruption_ends_nothing():
    async def start_interruption(_self: Any) -> None:
        raise AssertionError("it ended what was under way")

    await MUTANTS["answer-goes-on"].broken(start_interruption)(None)


async def test_words_go_on_before_they_sound():
    gone: list[Any] = []

    async def push_frame(frame: Any) -> None:
        gone.append(frame)

    async def held(_self: Any, _frame: Any) -> None:
        raise AssertionError("it was held")

    sender = SimpleNamespace(_transport=SimpleNamespace(push_frame=push_frame))
    await MUTANTS["unheard-words-kept"].broken(held)(sender, "a word")
    assert gone == ["a word"]


def test_what_is_said_goes_into_the_log():
    kept: list[Any] = []
    log: list[str] = []
    sink = logger.add(lambda line: log.append(str(line).strip()), format="{message}")
    tell = MUTANTS["words-in-the-log"].broken(lambda _self, *said, **_more: kept.append(said))
    tell(None, "user", "My card is 4111.", (0.0, 1.0), interrupted=False)
    logger.remove(sink)
    assert kept == [("user", "My card is 4111.", (0.0, 1.0))]
    assert log == ["user said: My card is 4111."]


def test_all_voices_are_one_to_the_cache(monkeypatch: pytest.MonkeyPatch):
    broken("cache-of-another-voice", monkeypatch)
    cache = VoiceCache(takes=cast(TakeStore, None), phrases={}, report=lambda _: None)
    one, other = ({"voice": name, "speed": 1.0} for name in ("marin", "cedar"))
    places = [cache.place("Hello.", kind="answer", settings=each, rate_hz=24_000) for each in (one, other)]
    assert places[0] == places[1]
    assert places[0] != cache.place("Hello.", kind="answer", settings=one | {"speed": 2.0}, rate_hz=24_000)


def test_nobody_takes_over(monkeypatch: pytest.MonkeyPatch):
    broken("failover-off", monkeypatch)
    providers = Providers("llm", ["openai", "extractive"], clock=lambda: 0.0, report=lambda _: None)
    assert (providers.next(), providers.next(besides={"openai"})) == ("openai", None)


def test_whatever_is_nearest_answers(monkeypatch: pytest.MonkeyPatch):
    assert broken("gate-off", monkeypatch)([]) == (True, True)


def test_no_source_is_named(monkeypatch: pytest.MonkeyPatch):
    broken("source-not-spoken", monkeypatch)
    reader = MarkerReader({})
    reader._to_name = [Source("Workshop", None)]
    assert (reader._attribution(), reader._to_name) == ("", [])


def test_the_apology_is_said_twice(monkeypatch: pytest.MonkeyPatch):
    said = broken("apology-said-twice", monkeypatch)("We open at nine.", ENGLISH)
    assert said == f"{ENGLISH.nearest} {ENGLISH.nearest} We open at nine."
