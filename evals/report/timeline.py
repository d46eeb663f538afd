"""Where everything of a run stands on its timeline, in pixels. Pure functions; the page draws what comes of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from evals.report.results import Span
from evals.report.sound import Peaks, Sound

LANES = {
    "caller": "caller",
    "bot": "bot",
    "vad": "VAD",
    "turn": "turns",
    "stt": "STT",
    "retrieval": "retrieval",
    "llm": "LLM",
    "tts": "TTS",
    "fault": "faults",
}
CHANNELS = ("caller", "bot")

PX_PER_SEC = 90.0
WIDEST_PX = 12_000
AXIS_PX, WAVE_PX, ROW_PX, PADDING_PX = 22, 44, 18, 4
# What overlaps stands under each other, but no more than so many.
MOST_ROWS = 4
STEP_PX = 3
NARROWEST_PX = 2.0
CHARACTER_PX = 6.2
MARK_PX = 12
MARK_CHARACTERS = 32
TICK_PX = 60
TICK_SECS = (1, 2, 5, 10, 30, 60, 300, 600, 3600)
# So many steps of a waveform are read for each second.
PEAKS_PER_SEC = 30


@dataclass(frozen=True)
class Bar:
    """A stretch of time; `text` is what fits into it of what `title` says."""

    x: float
    y: float
    width: float
    text: str
    title: str


@dataclass(frozen=True)
class Mark:
    """A moment, likewise."""

    x: float
    y: float
    text: str
    title: str


@dataclass(frozen=True)
class Lane:
    """What went on of one kind; `wave` is an SVG path, empty without a recording."""

    name: str
    title: str
    top: float
    height: float
    wave: str
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]

    @property
    def right(self) -> float:
        """Where the text of its last moment ends."""
        return max((mark.x + _width(mark.text) for mark in self.marks), default=0.0)


@dataclass(frozen=True)
class Tick:
    """A second on the axis."""

    x: float
    label: str


@dataclass(frozen=True)
class Chart:
    """A drawn timeline."""

    width: float
    height: float
    px_per_sec: float
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]


def draw(timeline: Sequence[Span], sound: Sound | None) -> Chart | None:
    """Lay a run out, lanes that hold something under each other; None when there is nothing to draw."""
    spans = sorted((_tidy(span) for span in timeline), key=lambda span: span.from_ms)
    ends = [span.from_ms if span.to_ms is None else span.to_ms for span in spans]
    secs = max([end / 1000 for end in ends] + ([sound.secs] if sound else []), default=0.0)
    if secs <= 0:
        return None
    scale = min(PX_PER_SEC, WIDEST_PX / secs)
    waves: dict[str, Peaks] = dict(zip(CHANNELS, sound.peaks, strict=False)) if sound else {}
    others = dict.fromkeys(span.lane for span in spans if span.lane not in LANES)
    lanes: list[Lane] = []
    top = float(AXIS_PX)
    for name in [*LANES, *others]:
        own = [span for span in spans if span.lane == name]
        if own or name in waves:
            lanes.append(_lane(name, own, waves.get(name), top=top, scale=scale))
            top += lanes[-1].height
    width = max(secs * scale, *(lane.right for lane in lanes))
    return Chart(width=width, height=top, px_per_sec=scale, ticks=_ticks(secs, scale), lanes=tuple(lanes))


def describe(span: Span) -> str:
    """When and what, for a pointer that rests on it."""
    until = "" if span.to_ms is None else f" to {clock(span.to_ms)}, {span.to_ms - span.from_ms:.0f} ms"
    return f"{clock(span.from_ms)}{until}" + (f": {span.label}" if span.label else "")


def clock(ms: float) -> str:
    """Milliseconds of a call as seconds."""
    return f"{ms / 1000:.2f} s"


def _tidy(span: Span) -> Span:
    """What began before the call began with it; nothing ends before it begins."""
    begin = max(0.0, span.from_ms)
    return span.model_copy(update={"from_ms": begin, "to_ms": None if span.to_ms is None else max(begin, span.to_ms)})


def _lane(name: str, spans: Sequence[Span], peaks: Peaks | None, *, top: float, scale: float) -> Lane:
    begin = top + PADDING_PX + (0 if peaks is None else WAVE_PX + PADDING_PX)
    ends: list[float] = []
    bars: list[Bar] = []
    marks: list[Mark] = []
    for span in spans:
        x = span.from_ms / 1000 * scale
        text = _shortened(span.label, MARK_CHARACTERS)
        width = _width(text)
        if span.to_ms is not None:
            width = max(NARROWEST_PX, (span.to_ms - span.from_ms) / 1000 * scale)
            text = _shortened(span.label, int((width - 6) / CHARACTER_PX))
        row = next((row for row, end in enumerate(ends) if end <= x), len(ends))
        if row == MOST_ROWS:
            row, text = MOST_ROWS - 1, ""
        ends[row : row + 1] = [x + width]
        y = begin + row * ROW_PX
        if span.to_ms is None:
            marks.append(Mark(x, y, text, describe(span)))
        else:
            bars.append(Bar(x, y, width, text, describe(span)))
    return Lane(
        name=name,
        title=LANES.get(name, name),
        top=top,
        height=begin - top + len(ends) * ROW_PX + PADDING_PX,
        wave="" if peaks is None else _wave(peaks, middle=top + PADDING_PX + WAVE_PX / 2, scale=scale),
        bars=tuple(bars),
        marks=tuple(marks),
    )


def _width(mark_text: str) -> float:
    return MARK_PX + len(mark_text) * CHARACTER_PX


def _shortened(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    return f"{text[: characters - 1]}…" if characters > 1 else ""


def _wave(peaks: Peaks, *, middle: float, scale: float) -> str:
    """A stroke up and down for each step; silence is one line."""
    per_stroke = max(1, round(STEP_PX / scale * PEAKS_PER_SEC))
    strokes = []
    for index in range(0, len(peaks), per_stroke):
        half = round(float(peaks[index : index + per_stroke].max()) * WAVE_PX / 2)
        if half:
            strokes.append(f"M{index / PEAKS_PER_SEC * scale:.0f} {middle - half:.0f}v{2 * half}")
    width = len(peaks) / PEAKS_PER_SEC * scale
    return f"M0 {middle:.0f}h{width:.0f}{''.join(strokes)}"


def _ticks(secs: float, scale: float) -> tuple[Tick, ...]:
    step = next((step for step in TICK_SECS if step * scale >= TICK_PX), TICK_SECS[-1])
    return tuple(Tick(second * scale, f"{second} s") for second in range(0, int(secs) + 1, step))
