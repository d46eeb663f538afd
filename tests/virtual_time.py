"""An event loop whose clock jumps to whatever is waited for next, so that no test waits."""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from pipecat.clocks.base_clock import BaseClock

T = TypeVar("T")

# Nothing is due, so only another thread can be what is waited for.
THREAD_SECS = 0.05


class _Selector(selectors.DefaultSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(THREAD_SECS if timeout is None else 0)
        if not ready and timeout:
            self.now += timeout
        return ready


class VirtualClock(BaseClock):
    """The pipeline's clock, which goes by the loop's."""

    def start(self) -> None:
        pass

    def get_time(self) -> int:
        return round((asyncio.get_running_loop().time() + 1) * 1e9)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at zero and moves only where all that could run is waiting."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs it to its end on such a loop."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def in_virtual_time(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """A test that runs on such a loop."""

    @functools.wraps(test)
    def in_loop(*args: Any, **kwargs: Any) -> None:
        run(test(*args, **kwargs))

    return in_loop
