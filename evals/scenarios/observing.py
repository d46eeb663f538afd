"""What a held conversation came to, turn by turn, and on a timeline: pure functions of its messages and its sound."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from evals.caller.audio import (
    RATE_HZ,
    Run,
    Samples,
    answer_to,
    longest_gap_samples,
    ms,
    speech_of,
    voiced_runs,
    within,
    yield_samples,
)
from evals.caller.recording import Recording
from evals.scenarios.keys import FaultAt, HostAt
from evals.scenarios.observed import Cited, ObservedTurn, Passage
from evals.scenarios.overhearing import Message
from evals.scenarios.tones import tone_in

# The caller's voice reaches the bot's ears, and is known for one, within this.
NOTICED_MS = 1_500.0
# The first words of a turn are sent as it begins, and were spoken so long before.
FRAME_MS = 40.0


@dataclass(frozen=True, slots=True)
class Span:
    """What went on in a lane; `to_ms` is None for a moment."""

    lane: str
    from_ms: float
    to_ms: float | None
    label: str


@dataclass(frozen=True)
class Spoken:
    """Where both sides of a recording are voiced, in samples; `questions` has each turn's, None without one.

    `heard` is the bot's side itself.
    """

    caller: Sequence[Run]
    bot: Sequence[Run]
    questions: Sequence[Run | None]
    heard: Samples = field(default_factory=lambda: np.zeros(0, np.int16), repr=False)


def spoken(recording: Recording, began_ms: Sequence[float | None]) -> Spoken:
    """The voiced stretches of a call whose turns began then. Blocks."""
    caller, bot = voiced_runs(recording.caller), voiced_runs(recording.bot)
    end = max(recording.caller.size, recording.bot.size) + 1
    questions: list[Run | None] = []
    for number, began in enumerate(began_ms):
        nexts = [each for each in began_ms[number + 1 :] if each is not None]
        until = _samples(nexts[0]) if nexts else end
        questions.append(None if began is None else within(caller, _samples(began - FRAME_MS), until))
    return Spoken(caller, bot, questions, recording.bot)


def turns(
    users: Sequence[str | None], messages: Sequence[Sequence[Message]], sound: Spoken | None
) -> tuple[ObservedTurn, ...]:
    """Each turn by its messages; `users` is what the caller said in it."""
    return tuple(
        _turn(user, each, sound, number) for number, (user, each) in enumerate(zip(users, messages, strict=True))
    )


def by_turn(messages: Sequence[Message], began_ms: Sequence[float | None]) -> list[list[Message]]:
    """The messages of each turn, in their order; what comes before the first one is of it.

    A citation is of the turn whose passages were told last: it may come after the answer that it stands in, when the
    next turn has begun. Where passages are not told, it is of the turn that was understood last.
    """
    found: list[list[Message]] = [[] for _ in began_ms]
    searched = 0
    are_told = any(each.type == "server-message" and each.data.get("type") == "passages" for each in messages)
    for message in messages:
        reached = [number for number, at in enumerate(began_ms) if at is not None and at <= message.at_ms]
        number = reached[-1] if reached else 0
        kind = message.data.get("type") if message.type == "server-message" else None
        if kind == "passages" or (not are_told and _is_understood(message)):
            searched = number
        if found:
            found[searched if kind == "citation" else number].append(message)
    return found


def _is_understood(message: Message) -> bool:
    return message.type == "user-transcription" and bool(message.data.get("final"))


def false_interrupts(messages: Sequence[Message], sound: Spoken) -> int:
    """How often the bot gave way to a caller who had said nothing for a while."""
    voiced = [(ms(run.start), ms(run.stop)) for run in sound.caller]
    at = [each.at_ms for each in messages if each.type == "bot-interrupted"]
    return sum(not any(start <= moment <= stop + NOTICED_MS for start, stop in voiced) for moment in at)


def missed_turns(sound: Spoken) -> int:
    """How many questions that were heard on the line got no answer."""
    asked = [each for each in sound.questions if each is not None]
    return sum(answer_to(question, sound.bot, until=until) is None for question, until in _followed(asked))


def timeline(
    messages: Sequence[Message],
    began_ms: Sequence[float | None],
    users: Sequence[str | None],
    sound: Spoken | None,
    faults: Sequence[FaultAt | HostAt] = (),
) -> list[Span]:
    """All that went on, in the order in which it began; a fault where its turn did."""
    found = [
        Span("caller", at, None, user) for at, user in zip(began_ms, users, strict=True) if at is not None and user
    ]
    if sound is not None:
        found = [Span("caller", ms(run.start), ms(run.stop), "") for run in speech_of(sound.caller)]
        found += [Span("bot", ms(run.start), ms(run.stop), "") for run in speech_of(sound.bot)]
    found += [Span("turn", at, None, f"turn {number + 1}") for number, at in enumerate(began_ms) if at is not None]
    for each in faults:
        if each.turn < len(began_ms) and (at := began_ms[each.turn]) is not None:
            what = f"host: {each.event}" if isinstance(each, HostAt) else f"{each.stage}: {each.fault}"
            found.append(Span("fault", at, None, what))
    for lane, begin, end in _PAIRS:
        found += _pairs(messages, lane, begin, end)
    for each in messages:
        found += _moments(each)
    return sorted(found, key=lambda span: span.from_ms)


_PAIRS = (
    ("vad", "vad-user-started-speaking", "vad-user-stopped-speaking"),
    ("turn", "user-started-speaking", "user-stopped-speaking"),
    ("llm", "bot-llm-started", "bot-llm-stopped"),
    ("tts", "bot-tts-started", "bot-tts-stopped"),
)


def _pairs(messages: Sequence[Message], lane: str, begin: str, end: str) -> Iterator[Span]:
    began: float | None = None
    for each in messages:
        if each.type == begin and began is None:
            began = each.at_ms
        elif each.type == end and began is not None:
            yield Span(lane, began, each.at_ms, "caller's turn" if lane == "turn" else "")
            began = None
    if began is not None:
        yield Span(lane, began, None, "")


def _moments(message: Message) -> Iterator[Span]:
    data, at = message.data, message.at_ms
    match message.type, data.get("type"):
        case "bot-interrupted", _:
            yield Span("turn", at, None, "interrupted")
        case "user-transcription", _ if data.get("final"):
            yield Span("stt", at, None, str(data.get("text", "")))
        case "server-message", "passages" if data.get("question") is not None:
            took = float(data.get("ms") or 0.0)
            titles = dict.fromkeys(str(each.get("title")) for each in data.get("passages", ()))
            yield Span("retrieval", round(at - took, 1), at, ", ".join(titles) or "nothing found")
        case "server-message", "citation":
            yield Span("llm", at, None, f"cites {data.get('title')}")
        case "server-message", "notice":
            yield Span("fault", at, None, str(data.get("text", "")))


def _turn(user: str | None, messages: Sequence[Message], sound: Spoken | None, number: int) -> ObservedTurn:
    told = [each.data for each in messages if each.type == "server-message"]
    searches = [each for each in told if each.get("type") == "passages" and each.get("question") is not None]
    heard = " ".join(
        str(each.data.get("text", ""))
        for each in messages
        if each.type == "user-transcription" and each.data.get("final")
    )
    v2v_ms, yield_ms, gap_ms, tone_hz = _measured(sound, number)
    return ObservedTurn(
        user=user,
        heard=heard if sound is not None else heard or user or "",
        said=said(messages),
        passages=tuple(_passage(p) for s in searches for p in s.get("passages", ())) if searches else None,
        cited=tuple(_cited(each) for each in told if each.get("type") == "citation"),
        v2v_ms=v2v_ms,
        yield_ms=yield_ms,
        longest_gap_ms=gap_ms,
        tone_hz=tone_hz,
    )


def said(messages: Sequence[Message]) -> str:
    """The words that were given to the voice; an answer that was cut off ends where it did."""
    parts: list[str] = []
    for each in messages:
        if each.type == "bot-llm-text":
            parts.append(str(each.data.get("text", "")))
        elif each.type == "bot-llm-started":
            parts.append(" ")
    return " ".join("".join(parts).split())


def _passage(data: Mapping[str, Any]) -> Passage:
    return Passage(str(data.get("title", "")), str(data.get("source", "")), str(data.get("text", "")))


def _cited(data: Mapping[str, Any]) -> Cited:
    return Cited(str(data.get("title", "")), str(data.get("quote", "")), str(data.get("passage", "")))


def _measured(sound: Spoken | None, number: int) -> tuple[float | None, float | None, float | None, float | None]:
    """v2v, yield and the longest gap of a turn, in milliseconds, and its answer's tone in Hz."""
    if sound is None or number >= len(sound.questions) or (question := sound.questions[number]) is None:
        return None, None, None, None
    later = [each for each in sound.questions[number + 1 :] if each is not None]
    until = later[0].start if later else _end(sound)
    answer = answer_to(question, sound.bot, until=until)
    if answer is None:
        return None, None, None, None
    overlap = yield_samples(until, sound.bot) if later else None
    gap = longest_gap_samples(sound.bot, start=answer.start, stop=until)
    tone_hz = tone_in(sound.heard[answer.start : answer.stop])
    return ms(answer.start - question.stop), None if overlap is None else ms(overlap), ms(gap), tone_hz


def _followed(asked: Sequence[Run]) -> Iterator[tuple[Run, int]]:
    """Each question, and where the next begins."""
    yield from ((question, after.start) for question, after in pairwise(asked))
    if asked:
        yield asked[-1], 2**62


def _end(sound: Spoken) -> int:
    return max((run.stop for run in (*sound.bot, *sound.caller)), default=0) + 1


def _samples(at_ms: float) -> int:
    return round(at_ms * RATE_HZ / 1000)
