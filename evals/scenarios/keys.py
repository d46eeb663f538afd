"""The keys that Jarvis adds to Pipecat's scenario format."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from bot.change import Change
from bot.providers.stages import Stage

Tier = Literal["text", "audio", "webrtc"]
TIERS: tuple[Tier, ...] = get_args(Tier)
NO_TELEPHONE = "Jarvis has no telephone yet, so nothing can be held over sip"
Providers = Literal["embedded", "doubles", "live"]
Sink = Literal["log", "metrics", "record", "trace"]
# What `faults` of the vendors' doubles can do, to each request or to the connection.
Fault = Literal[
    "refuse", "unauthorized", "rate_limited", "server_error", "stall", "stall_midway", "drop", "garbage", "empty",
    "half_open",
]  # fmt: skip

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
MOST_LOST_PERCENT = 50
HANDBOOK = Path(__file__).parents[1] / "sample" / "handbook"
# Keys of a scenario that say what is held, and not what must be.
NO_CHECKS = ("x_jarvis", "x_pending", "x_faults", "x_host", "x_caller", "x_audio")
# And those of a turn.
NO_CHECKS_OF_A_TURN = ("x_recording", "x_phrase", "x_writes", "x_recalls", "x_calls", "x_change")
# What any text matches that is said or logged: a pattern that finds itself in all of these says nothing.
_ANYTHING = ("", "a", " ", "1", "The quick brown fox jumps over the lazy dog.")


def _pattern(text: str) -> str:
    try:
        found = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise ValueError(f"it is no regular expression ({error})") from None
    if any(found.search(each) for each in _ANYTHING[:1]) or all(found.search(each) for each in _ANYTHING[1:]):
        raise ValueError("it matches everything")
    return text


Pattern = Annotated[str, StringConstraints(min_length=1), AfterValidator(_pattern)]


def _on_a_line(tier: Any) -> Any:
    if tier == "sip":
        raise ValueError(NO_TELEPHONE)
    return tier


class _Keys(BaseModel):
    """A typo is an error, and a number is not a text."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SetUp(_Keys):
    """`x_jarvis`: the Jarvis that is called.

    `knowledge` is a folder of documents beside the scenario file, `persona` a file of who answers, in a folder of such;
    `settings` are variables of the server. `tiers` are ways to hold the conversation: typed and read, spoken and heard,
    or that over a browser's channel.
    """

    version: Literal[1]
    tiers: list[Annotated[Tier, BeforeValidator(_on_a_line)]] = Field(default=["text"], min_length=1)
    providers: Providers = "embedded"
    knowledge: Text | None = None
    persona: Annotated[Text, StringConstraints(pattern=r"\.toml$")] | None = None
    settings: dict[Annotated[str, StringConstraints(pattern=r"^JARVIS_[A-Z0-9_]+$")], str] = {}


class Row(_Keys):
    """One of `x_state`: what a query's only value must come to within seconds of the call's end.

    `:session` in it is the call's id.
    """

    sql: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"(?is)^select\b")]
    equals: int | float | str | bool | None


class Privacy(_Keys):
    """`x_privacy`: patterns that stand nowhere in these sinks after the call."""

    patterns: list[Pattern] = Field(min_length=1)
    sinks: list[Sink] = Field(default=["log", "metrics"], min_length=1)


class Limits(_Keys):
    """`x_measure`: the most that each turn of a spoken call may come to, in milliseconds; and counts over the call."""

    v2v_ms: Annotated[int, Field(gt=0)] | None = None
    yield_ms: Annotated[int, Field(gt=0)] | None = None
    dead_air_ms: Annotated[int, Field(gt=0)] | None = None
    false_interrupts: Annotated[int, Field(ge=0)] | None = None
    missed_turns: Annotated[int, Field(ge=0)] | None = None

    @model_validator(mode="after")
    def _limits_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("it limits nothing")
        return self


class FaultAt(_Keys):
    """One of `x_faults`: how the first vendor of a stage fails in a turn, counted from 0.

    `gap_ms_max` is the longest silence that the caller of a spoken call may hear for it.
    """

    turn: Annotated[int, Field(ge=0)]
    stage: Stage
    fault: Fault
    gap_ms_max: Annotated[int, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.fault == "half_open" and self.stage == "llm":
            raise ValueError("a language model has a connection for each request, so none stays half open")
        return self


class Another(_Keys):
    """How a caller is answered who calls in the midst of another's call.

    `says` are words of the reason, where no session is made.
    """

    status: Annotated[int, Field(ge=200, le=599)]
    says: Text | None = None

    @model_validator(mode="after")
    def _is_refused_for_a_reason(self) -> Self:
        if self.says is not None and self.status < 400:
            raise ValueError("`says` is of a refusal, and this is none")
        return self


class HostAt(_Keys):
    """`x_host`: what happens to the host before a turn, counted from 0, is asked.

    A database that is down is kept down until the turn `until`, which begins once it is back; without that, to the end
    of the call. `another` is a second caller, right after it happened.
    """

    turn: Annotated[int, Field(ge=0)]
    event: Literal["database_down", "redis_down", "full", "drain", "bot_killed"]
    until: Annotated[int, Field(gt=0)] | None = None
    another: Another | None = None

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.until is not None and not self.event.endswith("_down"):
            raise ValueError("`until` is of a database: nothing else comes back by itself")
        if self.until is not None and self.until <= self.turn:
            raise ValueError("`until` is a turn behind `turn`")
        if self.event == "full" and (self.another is None or self.another.status < 400):
            raise ValueError("nobody in the call notices: say how `another` caller is refused")
        return self


class Noise(_Keys):
    """What is to be heard behind the caller: `snr_db` is how far the speech stands above it."""

    kind: Literal["white", "street", "babble"]
    snr_db: Annotated[float, Field(ge=-5, le=40)]


def _share(text: str) -> str:
    if not 0 < float(text.removesuffix("%")) <= MOST_LOST_PERCENT:
        raise ValueError(f"it is above 0% and at most {MOST_LOST_PERCENT}%")
    return text


class Audio(_Keys):
    """`x_audio`: what lies between the caller's mouth and the bot.

    `gain_db` and `noise` are of the room, `codec` and packets of 20 ms of the line: `loss` is the share of these that
    never come, `burst` how many at a time on average, `jitter_ms` how late one comes at most. All of it follows from
    `seed`.
    """

    gain_db: Annotated[float, Field(ge=-40, le=20)] | None = None
    noise: Noise | None = None
    codec: Literal["g711"] | None = None
    loss: Annotated[str, StringConstraints(pattern=r"^\d+(\.\d+)?%$"), AfterValidator(_share)] | None = None
    burst: Annotated[int, Field(ge=1, le=20)] | None = None
    jitter_ms: Annotated[int, Field(gt=0, le=500)] | None = None
    seed: int = Field(default=1, ge=0)

    @model_validator(mode="after")
    def _degrades_something(self) -> Self:
        if not (self.gain_db or self.noise or self.codec or self.loss or self.jitter_ms):
            raise ValueError("it changes nothing")
        if self.burst is not None and self.loss is None:
            raise ValueError("`burst` is of `loss`: say how much is lost")
        return self

    @property
    def lost(self) -> float:
        """The share of packets that never come, from 0 to 1."""
        return float(self.loss.removesuffix("%")) / 100 if self.loss else 0.0


class Retrieval(_Keys):
    """`x_retrieval`: titles of documents that passages must be of, or must not be of; or nothing is looked up."""

    must: list[Text] = []
    must_not: list[Text] = []
    nothing: Literal[True] | None = None

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if not self.must and not self.must_not and not self.nothing:
            raise ValueError("it asks for nothing")
        if self.nothing and (self.must or self.must_not):
            raise ValueError("`nothing` stands alone")
        if both := sorted({*self.must} & {*self.must_not}):
            raise ValueError(f"{both[0]!r} both must and must not be found")
        return self


class TurnKeys(_Keys):
    """The keys of a turn.

    `x_hears` are the words that the recogniser must understand, `x_recording` a file that a spoken call plays,
    `x_phrase` what a language model's double looks for in the passages, `x_writes` what it writes in the place of the
    sentence that has it, `x_recalls` that it says what it was told of the answer before, `x_calls` the tool that it
    calls first, with its arguments, `x_change` what an operator changes as the turn begins. Of the answer: `x_voice` is
    the double's voice that is heard; `x_says` are words that stand in it, numbers in any form; `x_never_says` patterns
    that don't; `x_source` titles of the documents that it names and cites, none where empty; `x_supported` that each
    number and name of it stands in a cited passage; `x_refuses` that it says there is no answer and the question is
    kept as a gap.
    """

    x_hears: Text | None = None
    x_recording: Text | None = None
    x_phrase: Text | None = None
    x_writes: Text | None = None
    x_recalls: Literal[True] | None = None
    x_calls: dict[Text, dict[str, Any]] | None = None
    x_change: Change | None = None
    x_voice: Text | None = None
    x_retrieval: Retrieval | None = None
    x_says: list[Text] = []
    x_never_says: list[Pattern] = []
    x_source: list[Text] | None = None
    x_supported: Literal[True] | None = None
    x_refuses: bool | None = None

    @property
    def checks(self) -> list[str]:
        """The keys that are set and say what must be."""
        return [key for key in sorted(self.model_fields_set) if key not in NO_CHECKS_OF_A_TURN]


class HiddenFact(_Keys):
    """What a simulated caller tells only when it is asked.

    `told_by` are words that tell it, numbers in any form; `asked_by` is a pattern that the bot's words match once they
    ask for it.
    """

    fact: Text
    told_by: list[Text] = Field(min_length=1)
    asked_by: Pattern


class ScriptedLine(_Keys):
    """What a language model's double says as the caller, and what it looks for in the passages to answer that."""

    says: Text
    phrase: Text | None = None


class Caller(_Keys):
    """`x_caller`: what is asked of a simulated caller, beside Pipecat's `persona`, `goal`, `success` and `max_turns`.

    `asks` are patterns of which the caller's words match one, or it never asked for what it called for; `never_asks`
    those that they match when it asked for something else. `script` is for doubles alone.
    """

    asks: list[Pattern] = Field(min_length=1)
    never_asks: list[Pattern] = []
    hidden_facts: list[HiddenFact] = []
    script: list[ScriptedLine] = []


class ScenarioKeys(_Keys):
    """The keys of a scenario, or of a file for all of its scenarios."""

    x_jarvis: SetUp = SetUp(version=1)
    x_pending: Text | None = None
    x_faults: list[FaultAt] = []
    x_host: HostAt | None = None
    x_state: list[Row] = []
    x_privacy: Privacy | None = None
    x_measure: Limits | None = None
    x_audio: Audio | None = None
    x_never_says: list[Pattern] = []
    x_caller: Caller | None = None

    @property
    def checks(self) -> list[str]:
        """The keys that are set and say what must be."""
        return [key for key in sorted(self.model_fields_set) if key not in NO_CHECKS]


def names_of(model: type[BaseModel]) -> frozenset[str]:
    """The keys that a model knows."""
    return frozenset(model.model_fields)


def only(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """Those of the values that the model has a key for."""
    return {key: value for key, value in data.items() if key in model.model_fields}
