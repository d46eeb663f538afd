"""One context, as several services try to answer it."""

import asyncio
from dataclasses import dataclass, field

from pipecat.frames.frames import Frame, LLMContextFrame

from processors.failover.route import Kind
from processors.failover.routing import Attempt
from processors.guess import Guess


@dataclass(slots=True)
class Turn:
    """What became of it so far; `guess` where the caller's turn may not be over."""

    frame: LLMContextFrame
    kind: Kind
    guess: Guess | None = None
    items: asyncio.Queue[tuple[Attempt, Frame]] = field(default_factory=asyncio.Queue)
    running: list[Attempt] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    refusals: int = 0
    said: str = ""
    started: bool = False
    done: bool = False
    answered: bool = False

    @property
    def is_withdrawn(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.guess is not None and self.guess.is_withdrawn
