"""How a call ends by itself: not before it was said."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from pipecat.frames.frames import Frame, InterruptionFrame, TTSSpeakFrame

from bot.settings import Limits
from bot.wording.table import Wording
from processors.silence import SilenceProcessor

# What `one_minute` says; a call that may last no more than twice as long is not told.
LAST_SECS = 60.0
# No voice takes so long to say goodbye; one that does works no more.
GOODBYE_SECS = 10.0
# Characters; the message of who turns callers away may be long.
SLOWEST_PER_SEC = 8
# A bot that is interrupted is silent within that.
SILENCED_SECS = 1.0


class LimitKeeper:
    """Asks a silent caller whether they are there, tells when a minute is left, and says goodbye before a call ends.

    Whoever speaks up, or writes, before a goodbye to the silent is over, keeps the call; its longest time ends it in
    any case. `push` takes a frame into the call's pipeline. `turned_away` is all that is said in a call that ends then.
    """

    def __init__(
        self,
        limits: Limits,
        *,
        silence: SilenceProcessor,
        push: Callable[[Frame], Awaitable[None]],
        words: Wording,
        turned_away: str | None = None,
    ) -> None:
        self._limits = limits
        self._words = words
        self._turned_away = turned_away
        self._silence = silence
        self._push = push
        self._goodbye_due = asyncio.Event()
        self._bot_ended = asyncio.Event()
        self._caller_quiet = asyncio.Event()
        self._caller_quiet.set()
        self._caller_there = True
        silence.add_event_handler("on_caller_silent", self._on_caller_silent)
        silence.add_event_handler("on_caller_began", self._on_caller_began)
        silence.add_event_handler("on_caller_ended", self._on_caller_ended)
        silence.add_event_handler("on_bot_ended", self._on_bot_ended)

    async def keep(self) -> str:
        """Why the call is to end, once it is and goodbye was said; begins as the caller is connected."""
        if self._turned_away is not None:
            await self._say_goodbye(self._turned_away)
            return "closed"
        announcing = asyncio.create_task(self._announce(), name="announce-last-minute")
        try:
            async with asyncio.timeout(self._limits.max_duration_secs):
                await self._deserted()
                return "idle"
        except TimeoutError:
            await self._hush()
            await self._say_goodbye(self._words.time_is_up)
            return "max_duration"
        finally:
            announcing.cancel()

    async def _announce(self) -> None:
        """Tells the time left as soon as the caller does not speak; not any more when it would be wrong by half."""
        if self._limits.max_duration_secs <= 2 * LAST_SECS:
            return
        await asyncio.sleep(self._limits.max_duration_secs - LAST_SECS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_SECS / 2):
                await self._caller_quiet.wait()
                await self._push(TTSSpeakFrame(self._words.one_minute))

    async def _deserted(self) -> None:
        """Returns when a caller let a goodbye pass."""
        while True:
            await self._goodbye_due.wait()
            self._goodbye_due.clear()
            await self._say_goodbye(self._words.nobody_there)
            if not self._caller_there:
                return

    async def _hush(self) -> None:
        if self._silence.bot_has_word:
            self._bot_ended.clear()
            await self._push(InterruptionFrame())
            await self._wait_ended(SILENCED_SECS)

    async def _say_goodbye(self, words: str) -> None:
        """Returns when it was said, or cut off."""
        self._bot_ended.clear()
        await self._push(TTSSpeakFrame(words))
        await self._wait_ended(max(GOODBYE_SECS, len(words) / SLOWEST_PER_SEC))

    async def _wait_ended(self, secs: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bot_ended.wait(), secs)

    # The end of a call waits for what is told here, so none of these waits for anything.
    async def _on_caller_silent(self, _silence: SilenceProcessor, times: int) -> None:
        if times == 1:
            await self._push(TTSSpeakFrame(self._words.still_there))
        elif times == 2:
            self._caller_there = False
            self._goodbye_due.set()

    async def _on_caller_began(self, _silence: SilenceProcessor) -> None:
        self._caller_there = True
        self._caller_quiet.clear()

    async def _on_caller_ended(self, _silence: SilenceProcessor) -> None:
        self._caller_quiet.set()

    async def _on_bot_ended(self, _silence: SilenceProcessor) -> None:
        # Nothing else tells that somebody has typed all they wanted to.
        self._caller_quiet.set()
        self._bot_ended.set()
