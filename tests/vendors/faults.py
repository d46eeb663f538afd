"""How a vendor's double misbehaves: what all of them have in common."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

Piece = TypeVar("Piece")

Fault = Literal[
    "refuse",  # no connection is taken: a handshake is aborted, a request's socket closed without an answer
    "unauthorized",  # 401 in the vendor's own words
    "rate_limited",  # 429 with Retry-After
    "server_error",  # 500
    "stall",  # the request is taken and never answered
    "stall_midway",  # half of the answer comes, then nothing, the connection stays open
    "drop",  # half of the answer comes, then the connection is aborted
    "garbage",  # what comes is not the vendor's language
    "empty",  # an answer without content: no words, no audio, no text
    "wrong_rate",  # audio at half the rate that was asked for
    "half_open",  # after the handshake nothing is read and nothing written any more, and the socket stays open
]


@dataclass
class Faults:
    """The next requests fail like this, `times` of them (None: all); the others are served in time.

    `delay_secs` is what passes to the first byte of a good answer, `jitter_secs` what may come on top of it and between
    pieces, `pace` how many times as fast as it is spoken audio comes (None: at once).
    """

    fault: Fault | None = None
    times: int | None = None
    delay_secs: float = 0.0
    jitter_secs: float = 0.0
    pace: float | None = None
    retry_after: str = "1"
    seed: int = 1
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def next(self) -> Fault | None:
        """The fault of a request that has just come; counts it."""
        if self.fault is None or self.times == 0:
            return None
        if self.times is not None:
            self.times -= 1
        return self.fault

    async def first(self) -> None:
        """Waits as long as a first byte takes."""
        await asyncio.sleep(self.delay_secs + self._random.random() * self.jitter_secs)

    async def paced(self, pieces: Iterable[Piece], *, piece_secs: float) -> AsyncIterator[Piece]:
        """The pieces, each `piece_secs` long as it is spoken, in their time."""
        for number, piece in enumerate(pieces):
            if number and self.pace is not None:
                await asyncio.sleep(piece_secs / self.pace + self._random.random() * self.jitter_secs)
            yield piece
