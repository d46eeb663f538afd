"""The defects: each a patch of one attribute of the bot's code, and the scenarios that must fail for it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from importlib import import_module
from typing import Any

# What has nothing to do with any question of the scenarios below.
ELSEWHERE = "Who started this company, and in what year?"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A bot with one defect; `target` is `module:attribute`, and `broken` makes what stands there from what stood."""

    name: str
    defect: str
    target: str
    broken: Callable[[Any], Any]
    scenarios: tuple[str, ...]


def place(target: str) -> tuple[Any, str]:
    """The module or class that has an attribute, and the attribute's name; raises LookupError where it is gone."""
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for each in owners:
        owner = getattr(owner, each, None)
    if not hasattr(owner, name):
        raise LookupError(f"{target} is gone: have the mutant patch what took its place.")
    return owner, name


def put_in(mutant: Mutant) -> None:
    """Breaks this process."""
    owner, name = place(mutant.target)
    setattr(owner, name, mutant.broken(getattr(owner, name)))


def _finds_nothing(_search: Any) -> Any:
    async def search(_self: Any, _question: str, **_: Any) -> Any:
        types = import_module("knowledge.types")
        return types.SearchResult(types.Verdict.OFF_TOPIC)

    return search


def _finds_something_else(search: Any) -> Any:
    @wraps(search)
    async def elsewhere(self: Any, _question: str, **options: Any) -> Any:
        return await search(self, ELSEWHERE, **options | {"history": ()})

    return elsewhere


def _cites_the_last_passage(cite: Any) -> Any:
    @wraps(cite)
    def unchecked(self: Any, number: int, result: Any) -> None:
        cite(self, max(self._passages, default=number), result)

    return unchecked


def _goes_on_speaking(user_params: Any) -> Any:
    @wraps(user_params)
    def deaf(*arguments: Any, **options: Any) -> Any:
        params = user_params(*arguments, **options)
        for strategy in params.user_turn_strategies.start:
            strategy._enable_interruptions = False
        return params

    return deaf


def _all_words_at_once(add_word_timestamps: Any) -> Any:
    @wraps(add_word_timestamps)
    async def at_once(self: Any, words: Any, *arguments: Any, **options: Any) -> None:
        await add_word_timestamps(self, [(word, 0.0) for word, _ in words], *arguments, **options)

    return at_once


def _tells_what_was_said(tell: Any) -> Any:
    logger = import_module("loguru").logger

    @wraps(tell)
    def aloud(self: Any, role: str, text: str, *arguments: Any, **options: Any) -> None:
        logger.info("{} said: {}", role, text)
        tell(self, role, text, *arguments, **options)

    return aloud


def _nobody_takes_over(following: Any) -> Any:
    @wraps(following)
    def first_alone(self: Any, *, besides: Any = ()) -> Any:
        return None if besides else following(self)

    return first_alone


def _anything_answers(_answers: Any) -> Any:
    return lambda _judged: (True, True)


def _source_in_silence(attribution: Any) -> Any:
    @wraps(attribution)
    def silent(self: Any) -> str:
        attribution(self)
        return ""

    return silent


def _twice(text: str) -> str:
    return f"{text} {text}"


_ALL = (
    Mutant(
        "retrieval-finds-nothing", "the search finds nothing", "knowledge.client:KnowledgeClient.search",
        _finds_nothing, ("facts/puncture", "followups/family"),
    ),
    Mutant(
        "retrieval-finds-another", "the search finds the passages of another question",
        "knowledge.client:KnowledgeClient.search", _finds_something_else, ("facts/puncture", "facts/club"),
    ),
    Mutant(
        "citations-unchecked", "whatever passage is at hand is cited for a sentence",
        "processors.citations:MarkerReader._cite", _cites_the_last_passage, ("facts/puncture", "facts/club"),
    ),
    Mutant(
        "interruption-ignored", "the bot goes on while the caller speaks over it", "bot.pipeline:user_params",
        _goes_on_speaking, ("spoken/speaks_over_an_answer",),
    ),
    Mutant(
        "unheard-words-kept", "the context keeps words that the caller cut off",
        "bot.speech.tts:EmbeddedTTSService.add_word_timestamps", _all_words_at_once,
        ("spoken/speaks_over_an_answer",),
    ),
    Mutant(
        "words-in-the-log", "what is said in a call is logged", "bot.said:Said._tell", _tells_what_was_said,
        ("privacy/a_card_number_in_no_log_or_metric",),
    ),
    Mutant(
        "failover-off", "no provider takes over a turn of one that failed",
        "processors.failover.providers:Providers.next", _nobody_takes_over,
        ("faults/a_language_model_with_an_error", "faults/a_key_that_is_refused"),
    ),
    Mutant(
        "gate-off", "what is nearest counts as an answer", "bot.extractive.choice:_answers", _anything_answers,
        ("unanswerable/scooters", "unanswerable/strollers", "unanswerable/accountant"),
    ),
    Mutant(
        "source-not-spoken", "sources are shown, and not named aloud", "processors.citations:MarkerReader._attribution",
        _source_in_silence, ("facts/puncture", "facts/club"),
    ),
    Mutant(
        "apology-said-twice", "the apology before a nearest answer is said twice", "bot.extractive.service:NEAREST",
        _twice, ("unanswerable/accountant",),
    ),
)  # fmt: skip
MUTANTS = {mutant.name: mutant for mutant in _ALL}
