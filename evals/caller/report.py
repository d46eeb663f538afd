"""What a call came to."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from evals.caller.audio import (
    Run,
    answer_to,
    longest_gap_samples,
    ms,
    voiced_runs,
    within,
    yield_samples,
)
from evals.caller.recording import Recording
from evals.caller.transcript import Citation, Ending, Exchange, Transcript


@dataclass(frozen=True)
class Greeting:
    """What the bot said first, and how long after media connected its first voiced sample came."""

    said: str
    after_ms: float


@dataclass(frozen=True)
class TurnReport:
    """One question and its answer.

    `v2v_ms` runs from the question's last voiced sample to the answer's first, negative when the bot began too
    early, None when it gave no answer. `yield_ms` runs from the first voiced sample of the next question, spoken
    over this answer, to the answer's last; None when nothing was spoken over it. `longest_gap_ms` is the longest
    silence inside the answer.
    """

    asked: str
    heard: str
    said: str
    citations: tuple[Citation, ...]
    v2v_ms: float | None
    interrupted: bool
    yield_ms: float | None
    longest_gap_ms: float
    answered: bool


@dataclass(frozen=True)
class CallReport:
    """A whole call. `ending` is set when the bot's side ended it; `wav` is where the recording lies."""

    session_id: str
    greeting: Greeting | None
    turns: tuple[TurnReport, ...]
    ending: Ending | None
    notices: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()
    wav: Path | None = field(default=None)

    @property
    def exit_code(self) -> int:
        """1 when a question got no answer, else 0."""
        return 0 if all(turn.answered for turn in self.turns) else 1

    @property
    def median_v2v_ms(self) -> float | None:
        """Over the turns that got an answer; None if none did."""
        answered = [turn.v2v_ms for turn in self.turns if turn.v2v_ms is not None]
        return round(median(answered), 1) if answered else None

    def to_json(self) -> dict[str, Any]:
        """The report in JSON's types."""
        turns = [
            asdict(turn) | {"citations": [citation.model_dump(mode="json") for citation in turn.citations]}
            for turn in self.turns
        ]
        return asdict(self) | {
            "turns": turns,
            "median_v2v_ms": self.median_v2v_ms,
            "wav": str(self.wav) if self.wav else None,
            "exit_code": self.exit_code,
        }


def report_call(
    *,
    session_id: str,
    recording: Recording,
    transcript: Transcript,
    questions: Sequence[str],
    asked: Sequence[Run],
    wav: Path | None,
) -> CallReport:
    """Measure a call that is over. `asked` places the questions that were asked, the first of all `questions`."""
    bot = voiced_runs(recording.bot)
    caller = voiced_runs(recording.caller)
    voiced = [within(caller, place.start, place.stop) or place for place in asked]
    end = max(recording.bot.size, recording.caller.size) + 1
    nexts = [*(question.start for question in voiced[1:]), None]
    greeted = within(bot, 0, voiced[0].start if voiced else end)
    turns = [
        _report_turn(shown, exchange, question, next_start, bot=bot, end=end)
        for shown, exchange, question, next_start in zip(
            questions, transcript.exchanges[1:], voiced, nexts, strict=False
        )
    ]
    turns += [_unasked(shown) for shown in questions[len(asked) :]]
    return CallReport(
        session_id=session_id,
        greeting=Greeting(transcript.exchanges[0].said, ms(greeted.start)) if greeted else None,
        turns=tuple(turns),
        ending=transcript.ending,
        notices=tuple(transcript.notices),
        errors=tuple(transcript.errors),
        wav=wav,
    )


def _report_turn(
    shown: str, exchange: Exchange, question: Run, next_start: int | None, *, bot: Sequence[Run], end: int
) -> TurnReport:
    until = next_start if next_start is not None else end
    answer = answer_to(question, bot, until=until)
    overlap = yield_samples(next_start, bot) if answer and next_start is not None else None
    return TurnReport(
        asked=shown,
        heard=exchange.heard,
        said=exchange.said,
        citations=tuple(exchange.citations),
        v2v_ms=ms(answer.start - question.stop) if answer else None,
        interrupted=overlap is not None,
        yield_ms=ms(overlap) if overlap is not None else None,
        longest_gap_ms=ms(longest_gap_samples(bot, start=answer.start, stop=until)) if answer else 0.0,
        answered=answer is not None,
    )


def _unasked(shown: str) -> TurnReport:
    return TurnReport(
        asked=shown,
        heard="",
        said="",
        citations=(),
        v2v_ms=None,
        interrupted=False,
        yield_ms=None,
        longest_gap_ms=0.0,
        answered=False,
    )
