"""What a voice was given to say, and how far it has come."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

from pipecat.frames.frames import (
    Frame,
    LLMFullResponseEndFrame,
    LLMFullResponseStartFrame,
    TextFrame,
    TTSSpeakFrame,
)
from pipecat.utils.utils import obj_id

from processors.failover.words import place_after, rest_of, words_of


@dataclass(slots=True, eq=False)
class Unit:
    """One answer, or one text that is spoken by itself, and the place up to which it was said."""

    speech: bool
    interruptible: bool = True
    text: str = ""
    at: int = 0
    ended: bool = False
    bound: bool = False
    # Whether any of its sound was made for it, by the voice's vendor.
    made: bool = False

    @property
    def rest(self) -> str:
        """What was not said of it yet."""
        return rest_of(self.text, self.at)


@dataclass(slots=True, eq=False)
class _Entry:
    frame: Frame
    unit: Unit | None = None
    begin: int = 0
    out: bool = False

    @property
    def text(self) -> str:
        return self.frame.text if isinstance(self.frame, TextFrame) else ""


@dataclass(slots=True)
class Script:
    """The frames that a voice was given and that are not done, in their order."""

    _entries: dict[int, _Entry] = field(default_factory=dict)
    _units: list[Unit] = field(default_factory=list)
    _open: Unit | None = None

    @property
    def empty(self) -> bool:
        """Whether all was said."""
        return not self._units

    @property
    def complete(self) -> bool:
        """Whether something is still to be said of which the end was given, so that it will come to its end."""
        return any(unit.ended for unit in self._units)

    def give(self, frame: Frame) -> None:
        """Adds a frame that goes to the voice."""
        if isinstance(frame, TTSSpeakFrame):
            unit = Unit(speech=True, interruptible=frame.interruptible, text=frame.text, ended=True)
            self._units.append(unit)
            self._enter(frame, unit)
        elif isinstance(frame, LLMFullResponseStartFrame) and not frame.skip_tts:
            self._open = Unit(speech=False)
            self._units.append(self._open)
            self._enter(frame, self._open)
        elif isinstance(frame, TextFrame):
            # Text that is not spoken is cut into sentences, too, so that it never comes out as it went in.
            if not frame.skip_tts and self._open is not None:
                self._enter(frame, self._open, begin=len(self._open.text))
                self._open.text += frame.text
        elif isinstance(frame, LLMFullResponseEndFrame) and not frame.skip_tts:
            if self._open is not None:
                self._open.ended = True
            self._enter(frame, self._open)
            self._open = None
        else:
            self._enter(frame, None)

    def _enter(self, frame: Frame, unit: Unit | None, *, begin: int = 0) -> None:
        self._entries[frame.id] = _Entry(frame, unit, begin=begin)

    def unit_of(self, text: str) -> Unit | None:
        """What an announced text belongs to: a text by itself that was not announced yet, else the first answer."""
        said = words_of(text)
        for unit in self._units:
            if unit.speech and not unit.bound and words_of(unit.rest) == said:
                unit.bound = True
                return unit
        return next((unit for unit in self._units if not unit.speech), self._units[0] if self._units else None)

    def said(self, unit: Unit, text: str) -> None:
        """A word or a sentence of it was said."""
        unit.at = place_after(unit.text, unit.at, text)

    def came_out(self, frame: Frame) -> Unit | None:
        """The voice let a frame through; the answer that ends with it, if one does."""
        entry = self._entries.get(frame.id)
        if entry is None:
            return None
        entry.out = True
        if entry.unit is None:
            del self._entries[frame.id]
        return entry.unit if isinstance(frame, LLMFullResponseEndFrame) else None

    @property
    def ends(self) -> list[Frame]:
        """The ends of answers that did not come out yet."""
        entries = self._entries.values()
        return [e.frame for e in entries if isinstance(e.frame, LLMFullResponseEndFrame) and not e.out]

    def done(self, unit: Unit) -> None:
        """All of it was said."""
        if unit in self._units:
            self._units.remove(unit)
        self._entries = {key: entry for key, entry in self._entries.items() if entry.unit is not unit}

    def rest(self) -> Iterator[tuple[Frame, bool]]:
        """What the next voice is given, as copies, each with whether it was let through already."""
        for unit in self._units:
            unit.bound = False
        for entry in tuple(self._entries.values()):
            frame = copy.copy(entry.frame)
            if entry.out:
                frame.id = obj_id()
            elif entry.unit is not None and isinstance(frame, TTSSpeakFrame):
                frame.text = entry.unit.rest
            elif entry.unit is not None and isinstance(frame, TextFrame):
                said = max(entry.unit.at - entry.begin, 0)
                frame.text = rest_of(frame.text, said) if said else frame.text
                if said >= len(entry.text):
                    continue
            yield frame, entry.out

    def interrupt(self) -> None:
        """Drops what an interruption drops."""
        self._units = [unit for unit in self._units if not unit.interruptible]
        self._entries = {
            key: entry
            for key, entry in self._entries.items()
            if (entry.unit in self._units if entry.unit else not entry.frame.interruptible)
        }
        self._open = None

    def forget(self) -> None:
        """Drops all of it."""
        self._entries.clear()
        self._units.clear()
        self._open = None
