"""What was seen and heard of a call that was held."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Passage:
    """A passage that a turn got."""

    title: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Cited:
    """A source that an answer cites; `passage` is the text that it was taken from."""

    title: str
    quote: str
    passage: str


@dataclass(frozen=True, slots=True)
class ObservedTurn:
    """A turn. `passages` is None where nothing was looked up, times are None where they were not measured.

    `tone_hz` is the loudest tone of the answer, by which a vendor's double is known.
    """

    user: str | None = None
    heard: str = ""
    said: str = ""
    passages: tuple[Passage, ...] | None = None
    cited: tuple[Cited, ...] = ()
    v2v_ms: float | None = None
    yield_ms: float | None = None
    longest_gap_ms: float | None = None
    tone_hz: float | None = None


@dataclass(frozen=True, slots=True)
class Observed:
    """A whole call. `log`, `metrics`, `record` and `trace` are what the sinks hold after it, `gaps` the questions kept.

    `rows` has what each query of `x_state` came to by its place in the list, `unasked` why it could not be asked.
    Counts are None where nothing was measured.
    """

    turns: tuple[ObservedTurn, ...] = ()
    log: str = ""
    metrics: str = ""
    record: str = ""
    trace: str = ""
    gaps: tuple[str, ...] = ()
    rows: Mapping[int, object] = field(default_factory=dict)
    unasked: Mapping[int, str] = field(default_factory=dict)
    false_interrupts: int | None = None
    missed_turns: int | None = None
