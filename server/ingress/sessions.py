"""Sessions from create to end: who may call, which bot answers, what became of it."""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from loguru import logger

from bot.settings import BotSettings
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.launcher import Bot, BotGoneError, BotRefusedError, Launcher, LauncherError, OutOfMemoryError
from server.ingress.registry import Registry
from server.ingress.schemas import Answer, Candidates, CreatedSession, Offer, SessionState

BUSY_RETRY_SECS = 15
DRAIN_SECS = 5.0


@dataclass(slots=True)
class LiveSession:
    """A session whose bot runs in this server's care."""

    id: str
    bot: Bot
    connected: bool = False
    turns: int = 0
    end_reason: str | None = None
    watch: asyncio.Task[None] | None = None
    unused: asyncio.TimerHandle | None = field(default=None, repr=False)


class Sessions:
    """The calls of this server."""

    def __init__(
        self,
        *,
        launcher: Launcher,
        registry: Registry,
        tokens: SessionTokens,
        settings: BotSettings,
        public_url: str,
        max_sessions: int,
    ):
        self._launcher = launcher
        self._registry = registry
        self._tokens = tokens
        self._settings = settings
        self._public_url = public_url
        self._max_sessions = max_sessions
        self._live: dict[str, LiveSession] = {}
        self._starting = 0
        self._endings: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def live(self) -> int:
        """Sessions that hold a bot now."""
        return len(self._live)

    async def create(self) -> CreatedSession:
        """A new session with its bot; raises a 503 `Problem` when the host is full."""
        if self._closed or len(self._live) + self._starting >= self._max_sessions:
            raise _busy("All lines are busy", "Every line of this assistant is taken. Try again in a moment.")
        self._starting += 1
        try:
            session_id = secrets.token_hex(8)
            now = datetime.now(UTC)
            await self._registry.create(session_id, now=now)
            bot = await self._acquire(session_id)
        finally:
            self._starting -= 1
        session = self._live[session_id] = LiveSession(id=session_id, bot=bot)
        session.watch = asyncio.create_task(self._follow(session), name=f"session-{session_id}")
        loop = asyncio.get_running_loop()
        session.unused = loop.call_later(self._tokens.max_age_secs, self._end_unused, session)
        token = self._tokens.make(session_id)
        logger.info("session {} created", session_id)
        return CreatedSession(
            id=session_id,
            token=token,
            call_link=f"{self._public_url}/call/{token}",
            expires_at=now + timedelta(seconds=self._tokens.max_age_secs),
        )

    async def state(self, session_id: str) -> SessionState:
        """How the session stands; raises a 404 `Problem` when it is not known."""
        state = await self._registry.read(session_id)
        if state is None:
            raise Problem(404, "There is no such call", "It may have ended long ago. Start a new call.")
        return state

    async def offer(self, session_id: str, offer: Offer) -> Answer:
        """The bot's answer to the caller's offer."""
        body = offer.model_dump()
        return Answer.model_validate(await self._ask(session_id, "POST", "/offer", body))

    async def candidates(self, session_id: str, candidates: Candidates) -> None:
        """Late ICE candidates, handed on to the bot."""
        await self._ask(session_id, "PATCH", "/offer", candidates.model_dump())

    async def end(self, session_id: str, *, reason: str) -> None:
        """Ends the call; one that ended before is left as it is."""
        session = self._live.get(session_id)
        if session is None:
            await self.state(session_id)
            return
        session.end_reason = session.end_reason or reason
        try:
            await session.bot.request("POST", "/end", {"reason": reason})
        except (BotGoneError, BotRefusedError):
            logger.info("session {}: its bot had ended already, or did not take the end", session_id)
        await session.bot.stop()

    async def close(self) -> None:
        """Ends every call with a word to its caller."""
        self._closed = True
        await asyncio.gather(*(self.end(i, reason="shutdown") for i in list(self._live)), return_exceptions=True)
        watches = [s.watch for s in self._live.values() if s.watch is not None]
        if watches or self._endings:
            await asyncio.wait({*watches, *self._endings}, timeout=DRAIN_SECS)

    async def _acquire(self, session_id: str) -> Bot:
        try:
            return await self._launcher.acquire(session_id=session_id, settings=self._settings)
        except OutOfMemoryError as error:
            logger.error("session {} refused: {}", session_id, error)
            raise _busy("All lines are busy", "This host has no memory for one more call. Try again later.") from error
        except LauncherError as error:
            logger.error("session {} refused: {}", session_id, error)
            raise _busy("No assistant could be started", "Try again in a moment.") from error

    async def _ask(self, session_id: str, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        session = self._live.get(session_id)
        if session is None:
            await self.state(session_id)
            raise Problem(410, "This call has ended", "Start a new call.")
        try:
            return await session.bot.request(method, path, body)
        except BotRefusedError as error:
            if error.status == 409:
                raise Problem(409, "This call is already taken", str(error)) from error
            raise Problem(422, "The offer can't be answered", str(error)) from error
        except BotGoneError as error:
            raise Problem(503, "The assistant did not answer", "Start a new call.", retry_after_secs=1) from error

    async def _follow(self, session: LiveSession) -> None:
        """Hears the bot until it ends, however it ends, and clears up after it."""
        reason: str | None = None
        try:
            async for event in session.bot.events():
                reason = await self._on_event(session, event) or reason
        except BotGoneError:
            logger.error("session {}: its bot died or stalled", session.id)
        await session.bot.stop()
        self._live.pop(session.id, None)
        if session.unused is not None:
            session.unused.cancel()
        reason = reason or session.end_reason or "bot_died"
        with contextlib.suppress(Problem):
            await self._registry.ended(session.id, reason=reason)
        logger.info("session {} ended: {} after {} turns", session.id, reason, session.turns)

    async def _on_event(self, session: LiveSession, event: dict[str, Any]) -> str | None:
        with contextlib.suppress(Problem):
            match event["type"]:
                case "connected":
                    session.connected = True
                    if session.unused is not None:
                        session.unused.cancel()
                    await self._registry.connected(session.id)
                case "turn":
                    session.turns += 1
                    logger.info(
                        "session {} turn {}: answered after {} s", session.id, event["number"], event["latency_secs"]
                    )
                    await self._registry.turn(session.id)
                case "marker_dropped" | "llm_failed" | "turn_stop_timeout":
                    logger.warning("session {}: {}", session.id, event["type"])
                case "ended":
                    return str(event["reason"])
        return None

    def _end_unused(self, session: LiveSession) -> None:
        if not session.connected:
            task = asyncio.create_task(self.end(session.id, reason="never_connected"))
            self._endings.add(task)
            task.add_done_callback(self._endings.discard)


def _busy(title: str, detail: str) -> Problem:
    return Problem(503, title, detail, retry_after_secs=BUSY_RETRY_SECS)
