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
    """A bot with one defect; `target` is `module:attribute`, and `broken` makes what stands there from what stood.

    One of `scenarios` must fail for it, at one of `checks`: a failure elsewhere may be a busy host's.
    """

    name: str
    defect: str
    target: str
    broken: Callable[[Any], Any]
    checks: tuple[str, ...]
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


def _cites_another_document(cite: Any) -> Any:
    @wraps(cite)
    def unchecked(self: Any, number: int, result: Any) -> None:
        passages = self._passages
        own = passages[number].document_id if number in passages else None
        cite(self, next((n for n, each in passages.items() if each.document_id != own), number), result)

    return unchecked


def _finds_no_fault(faults: Any) -> Any:
    @wraps(faults)
    def blind(*_arguments: Any, **_options: Any) -> set[str]:
        return set()

    return blind


def _goes_on_speaking(user_params: Any) -> Any:
    @wraps(user_params)
    def deaf(*arguments: Any, **options: Any) -> Any:
        params = user_params(*arguments, **options)
        for strategy in params.user_turn_strategies.start:
            strategy._enable_interruptions = False
        return params

    return deaf


def _gives_nothing_up(_start_interruption: Any) -> Any:
    async def nothing(_self: Any) -> None:
        return

    return nothing


def _words_before_their_sound(handle_timed_frame: Any) -> Any:
    @wraps(handle_timed_frame)
    async def at_once(self: Any, frame: Any) -> None:
        await self._transport.push_frame(frame)

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


def _one_voice_for_all(place: Any) -> Any:
    @wraps(place)
    def voiceless(self: Any, text: str, *, settings: Any, **more: Any) -> Any:
        return place(self, text, settings={name: each for name, each in settings.items() if name != "voice"}, **more)

    return voiceless


def _apologising_twice(nearest: Callable[..., str]) -> Callable[..., str]:
    def broken(quoted: str, words: Any) -> str:
        return f"{words.nearest} {nearest(quoted, words)}"

    return broken


_ALL = (
    Mutant(
        name="retrieval-finds-nothing",
        defect="the search finds nothing",
        target="knowledge.client:KnowledgeClient.search",
        broken=_finds_nothing,
        checks=("x_retrieval",),
        scenarios=("facts/puncture", "facts/mechanic"),
    ),
    Mutant(
        name="retrieval-finds-another",
        defect="the search finds the passages of another question",
        target="knowledge.client:KnowledgeClient.search",
        broken=_finds_something_else,
        checks=("x_retrieval",),
        scenarios=("facts/puncture", "facts/mechanic"),
    ),
    Mutant(
        name="citations-unchecked",
        defect="a sentence is taken for that of another document",
        target="processors.citations:MarkerReader._cite",
        broken=_cites_another_document,
        checks=("x_source", "x_supported"),
        scenarios=("facts/puncture", "facts/mechanic"),
    ),
    Mutant(
        name="claims-unchecked",
        defect="what a language model says is not held against its source",
        target="processors.citations:faults",
        broken=_finds_no_fault,
        checks=("x_says", "x_never_says", "x_supported", "x_state"),
        scenarios=("claims/another_number_than_the_source_has", "claims/nothing_that_the_source_has"),
    ),
    Mutant(
        name="interruption-ignored",
        defect="the bot goes on while the caller speaks over it",
        target="bot.pipeline:user_params",
        broken=_goes_on_speaking,
        checks=("bot_interrupted", "x_measure"),
        scenarios=("spoken/speaks_over_an_answer",),
    ),
    Mutant(
        name="answer-goes-on",
        defect="what was to be said goes on after an interruption",
        target="pipecat.processors.frame_processor:FrameProcessor._start_interruption",
        broken=_gives_nothing_up,
        checks=("x_never_says",),
        scenarios=("interrupted/by_another_question",),
    ),
    Mutant(
        name="unheard-words-kept",
        defect="the context keeps words that the caller cut off",
        target="pipecat.transports.base_output:BaseOutputTransport.MediaSender.handle_timed_frame",
        broken=_words_before_their_sound,
        checks=("x_never_says", "x_state"),
        scenarios=("barge_in/knows_what_was_heard",),
    ),
    Mutant(
        name="words-in-the-log",
        defect="what is said in a call is logged",
        target="bot.said:Said._tell",
        broken=_tells_what_was_said,
        checks=("x_privacy",),
        scenarios=("privacy/a_card_number_in_no_log_metric_or_trace",),
    ),
    Mutant(
        name="cache-of-another-voice",
        defect="the cache says what another voice said",
        target="processors.takes:VoiceCache.place",
        broken=_one_voice_for_all,
        checks=("x_voice",),
        scenarios=("voices/another_voice_for_the_same_words",),
    ),
    Mutant(
        name="failover-off",
        defect="no provider takes over a turn of one that failed",
        target="processors.failover.providers:Providers.next",
        broken=_nobody_takes_over,
        checks=("x_says",),
        scenarios=("faults/a_language_model_with_an_error", "faults/a_key_that_is_refused"),
    ),
    Mutant(
        name="gate-off",
        defect="what is nearest counts as an answer",
        target="bot.extractive.choice:_answers",
        broken=_anything_answers,
        checks=("x_refuses",),
        scenarios=("unanswerable/scooters", "unanswerable/strollers", "unanswerable/accountant"),
    ),
    Mutant(
        name="source-not-spoken",
        defect="sources are shown, and not named aloud",
        target="processors.citations:MarkerReader._attribution",
        broken=_source_in_silence,
        checks=("x_source",),
        scenarios=("facts/puncture", "facts/mechanic"),
    ),
    Mutant(
        name="apology-said-twice",
        defect="the apology before a nearest answer is said twice",
        target="bot.extractive.service:as_nearest",
        broken=_apologising_twice,
        checks=("x_never_says",),
        scenarios=("unanswerable/accountant",),
    ),
)
MUTANTS = {mutant.name: mutant for mutant in _ALL}
