"""What is asked for before the caller's turn is over: its answer is held until it is, and gone where they go on."""

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Any

from pipecat.frames.frames import (
    EagerEndOfTurnCancelFrame,
    Frame,
    InterruptionFrame,
    LLMContextFrame,
    LLMTextFrame,
    UserStoppedSpeakingFrame,
)
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.services.llm_service import LLMService
from pipecat.turns.speculation_gate import SpeculationGate

from processors.failover.llm import KeptLLM
from processors.failover.routing import ANSWER
from processors.frames import AskedFrame, GuessedContextFrame, PassagesFrame
from processors.guess import Guess, Guesses

_HELD = (*ANSWER, PassagesFrame)


class GuessMarker(FrameProcessor):
    """Stands right behind the user aggregator: tells each context's guess from what was asked for certain.

    It works in direct mode, so that no withdrawal comes between a guess and its mark.
    """

    def __init__(self, guesses: Guesses) -> None:
        super().__init__(enable_direct_mode=True)
        self._guesses = guesses

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Announces each context that comes down by an `AskedFrame`."""
        await super().process_frame(frame, direction)
        if isinstance(frame, InterruptionFrame):
            # It stops what is done for the guess; the turn is answered anew.
            self._guesses.withdraw()
        if not isinstance(frame, LLMContextFrame) or direction is not FrameDirection.DOWNSTREAM:
            await self.push_frame(frame, direction)
            return
        guess = self._guesses.current if frame.speculation else None
        if guess is None:
            await self.push_frame(AskedFrame())
            await self.push_frame(frame)
        elif guess.is_open:
            guess.is_asked = True
            await self.push_frame(AskedFrame(guess=guess))
            await self.push_frame(GuessedContextFrame(context=frame.context, speculation=True, guess=guess))


class GuessGate(FrameProcessor):
    """Stands right behind the language model: holds the answer to a guess until it is kept, drops one withdrawn.

    Whatever is no part of an answer goes by.
    """

    def __init__(self) -> None:
        super().__init__()
        self._guess: Guess | None = None
        self._held: deque[Frame] = deque()
        self._releasing = asyncio.Lock()

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Takes the `AskedFrame`; holds, drops or passes on what follows it."""
        await super().process_frame(frame, direction)
        if direction is FrameDirection.UPSTREAM:
            await self.push_frame(frame, direction)
        elif isinstance(frame, AskedFrame):
            self._guess = frame.guess
            self._held.clear()
        elif self._guess is not None and isinstance(frame, _HELD):
            await self._take(self._guess, frame)
        else:
            await self.push_frame(frame)
            if isinstance(frame, UserStoppedSpeakingFrame) and self._guess is not None and self._guess.is_kept:
                await self._release()
            elif isinstance(frame, InterruptionFrame):
                # A withdrawal says nothing here: it may come behind what is held of the next guess.
                self._held.clear()

    async def _take(self, guess: Guess, frame: Frame) -> None:
        if guess.is_withdrawn:
            return
        if isinstance(frame, LLMTextFrame):
            guess.written += len(frame.text)
        self._held.append(frame)
        if guess.is_kept:
            await self._release()

    async def _release(self) -> None:
        # Of two that release, the second goes on behind the first.
        async with self._releasing:
            while self._held:
                await self.push_frame(self._held.popleft())


class ToolGate(SpeculationGate):
    """Keeps a language model from calling a tool for a guess that was not kept; its words are held by `GuessGate`.

    Pipecat's own holds them in the service: there a model that is waited for could not be told from one that is held.
    """

    def __init__(self, guesses: Guesses) -> None:
        super().__init__()
        self._guesses = guesses
        self._guess: Guess | None = None

    @property
    def is_speculating(self) -> bool:
        """Whether the turn that is answered may still go on, or did."""
        return self._guess is not None and not self._guess.is_kept

    def begin_speculation(self, speculation: bool) -> None:
        """Notes whose guess is answered."""
        self._guess = self._guesses.current if speculation else None

    def process(self, frame: Frame, direction: FrameDirection) -> list[tuple[Frame, FrameDirection]]:
        """Lets everything pass. A service that would call a tool withdraws the guess, at this moment."""
        if isinstance(frame, EagerEndOfTurnCancelFrame) and self._guess is not None:
            self._guess.withdraw()
        return [(frame, direction)]


def guard_tools(llm: LLMService[Any] | KeptLLM, guesses: Guesses) -> None:
    """Sees to it that no tool is called for a guess."""
    services: Iterable[LLMService[Any]] = llm.llms if isinstance(llm, KeptLLM) else (llm,)
    for service in services:
        service._speculation_gate = ToolGate(guesses)
