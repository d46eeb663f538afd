"""An answer that is asked for before the caller's turn is over."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from pipecat.processors.aggregators.llm_context import LLMContext


class Guess:
    """One turn as it stood when its answer was asked for: open, then kept or withdrawn, once.

    `context` is what the language model was asked, None while it was not; `written` counts the characters it wrote.
    """

    def __init__(self, text: str, *, settled: Callable[["Guess"], None]) -> None:
        self.text = text
        self.context: LLMContext | None = None
        self.written = 0
        self.is_asked = False
        """Whether anybody works at it: without a turn of the caller's nobody does."""
        self.is_kept = self.is_withdrawn = False
        self._settled = settled
        self._works: list[asyncio.Timeout] = []

    @property
    def is_open(self) -> bool:
        """Whether the caller may still go on."""
        return not self.is_kept and not self.is_withdrawn

    def keep(self) -> None:
        """The turn ended with these words."""
        if self.is_open:
            self.is_kept = True
            self._settled(self)

    def withdraw(self) -> None:
        """It did not; what is done for it stops."""
        if self.is_open:
            self.is_withdrawn = True
            for work in self._works:
                work.reschedule(0)
            self._settled(self)

    @asynccontextmanager
    async def until_withdrawn(self) -> AsyncIterator[None]:
        """Cancels what is inside as soon as the guess is withdrawn, and goes on behind it."""
        work = asyncio.timeout(None)
        try:
            async with work:
                self._works.append(work)
                try:
                    yield
                finally:
                    self._works.remove(work)
        except TimeoutError:
            if not work.expired():
                raise


class Guesses:
    """A call's guesses, one at a time. `settled` is told of each that was asked for, kept or withdrawn."""

    def __init__(self, *, settled: Callable[[Guess], None]) -> None:
        self._settled = settled
        self.heard: Callable[[], str] = str
        """What the turn's final words come to so far; the user aggregator's, once there is one."""
        self.current: Guess | None = None

    def begin(self, text: str) -> Guess:
        """A new one, in the place of the last."""
        self.withdraw()
        self.current = Guess(text, settled=self._tell)
        return self.current

    def withdraw(self) -> None:
        """The open one, if there is one, is void."""
        if self.current is not None:
            self.current.withdraw()

    def _tell(self, guess: Guess) -> None:
        if guess.is_asked:
            self._settled(guess)
