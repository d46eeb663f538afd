"""Where the seconds of an answer went, from the moments at which its frames went by."""

from bot.reports import Stage

ORDER: tuple[Stage, ...] = ("transcript", "turn_end", "retrieval", "llm", "tts")


class Stages:
    """The stages of one answer; times in seconds of one clock, from `silent_at`, the caller's last voiced sample.

    `transcript` ends with the last transcript before the turn's end, `turn_end` as that end is decided, `retrieval`
    with the passages, `llm` with the answer's first text, `tts` with its first sound. Each begins where the one before
    it ended, so together they are the wait, but for what the transport takes. One that was not passed through is left
    out, and its time is the next one's; what was done ahead of time took none.
    """

    def __init__(self, *, silent_at: float):
        self.silent_at = silent_at
        self._ends: dict[Stage, float] = {}

    def passed(self, stage: Stage, now: float) -> None:
        """A frame that ends the stage went by."""
        if stage == "transcript":
            if "turn_end" not in self._ends:
                self._ends[stage] = now
        elif stage == "turn_end" or "turn_end" in self._ends:
            self._ends.setdefault(stage, now)

    def secs(self) -> dict[Stage, float]:
        """The seconds of each stage that was passed through."""
        found: dict[Stage, float] = {}
        before = self.silent_at
        for stage in ORDER:
            if (end := self._ends.get(stage)) is not None:
                found[stage] = round(max(0.0, end - before), 3)
                before = max(before, end)
        return found
