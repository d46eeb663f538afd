"""Sessions from create to end: who may call, which bot answers, what became of it."""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from loguru import logger

from bot.change import Change
from bot.reports import Message
from server.auth.tokens import SessionTokens
from server.errors import Problem
from server.ingress.casting import Casting
from server.ingress.joining import Joining, by_webrtc, request_of
from server.ingress.launcher import AudioLine, Bot, BotGoneError, BotRefusedError, Launcher, LauncherError, Task
from server.ingress.lines import Lines
from server.ingress.live import LiveSession, adopted, call_of, new_call
from server.ingress.mirror import Mirror
from server.ingress.observer import CallObserver
from server.ingress.problems import draining, gone, lost, over, refused, told_to_caller
from server.ingress.registry import Registry, RegistryGoneError, SessionRecord
from server.ingress.schemas import Answer, Candidates, CreatedSession, CreateSession, Offer, SessionState, Waiting

CLOSE_SECS = 12.0
# A link that nobody has followed when the server begins to drain is good for so long.
UNFOLLOWED_SECS = 8.0
REPLACEMENT_SECS = 8.0
# A bot that was not heard of for this long is asked whether it lives before a caller is sent to it.
QUIET_SECS = 2.0
ENDED_KEPT = 1000


class Sessions:
    """The calls of this server, and a way to those of the others on this host."""

    def __init__(
        self,
        *,
        server_id: str,
        launcher: Launcher,
        registry: Registry,
        mirror: Mirror,
        lines: Lines,
        tokens: SessionTokens,
        casting: Casting,
        public_url: str,
        observers: Sequence[CallObserver] = (),
    ):
        self.server_id = server_id
        self._launcher = launcher
        self._registry = registry
        self._mirror = mirror
        self._lines = lines
        self._tokens = tokens
        self._casting = casting
        self._public_url = public_url
        self._observers = observers
        self._live: dict[str, LiveSession] = {}
        self._ended: OrderedDict[str, SessionRecord] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self.draining = asyncio.Event()

    @property
    def live(self) -> Sequence[LiveSession]:
        """The sessions that this server looks after now."""
        return tuple(self._live.values())

    async def create(self, wanted: CreateSession) -> CreatedSession | Waiting:
        """A new session with its bot, or a place in line.

        Raises a 503 `Problem` when the host is full, and a 422 one for a persona that there is not.
        """
        if self._closed or self.draining.is_set():
            self._lines.refused["draining"] += 1
            raise draining()
        details, now_mono = self._casting.details(wanted), time.monotonic()
        async with self._lines.taken(wanted, live=self.live, now_mono=now_mono) as waiting:
            if waiting is not None:
                return waiting
            now = datetime.now(UTC)
            session_id = secrets.token_hex(8)
            call = new_call(details=details, created_at=now)
            bot = await self._acquire(Task(session_id, self._casting.settings(details, since_mono=None), call))
            session = LiveSession(id=session_id, bot=bot, server=self.server_id, created_at=now, details=details)
            session.admitted_mono = now_mono
            session.has_bot.set()
            self.follow(session)
        token = self._tokens.make(session_id)
        logger.bind(session=session_id).info("session {} created", session_id)
        return CreatedSession.of(
            session_id,
            token=token,
            channel=details.channel,
            public_url=self._public_url,
            expires_at=now + timedelta(seconds=self._tokens.max_age_secs),
        )

    async def state(self, session_id: str) -> SessionState:
        """How the session stands; raises a 404 `Problem` when it is not known."""
        record = await self._record(session_id)
        return SessionState.model_validate(record.model_dump(include=set(SessionState.model_fields)))

    async def offer(self, session_id: str, offer: Offer, *, token_is_fresh: bool) -> Answer:
        """The bot's answer to the caller's offer; a bot that died meanwhile is waited for.

        A token that is not fresh joins nobody who was not on the call before.
        """
        return Answer.model_validate(await self._join(session_id, by_webrtc(offer), token_is_fresh=token_is_fresh))

    @asynccontextmanager
    async def audio(self, session_id: str, joining: Joining, *, token_is_fresh: bool) -> AsyncIterator[AudioLine]:
        """The bot's end of the caller's websocket, once the caller has joined as with an offer; raises `Problem`."""
        answer = await self._join(session_id, joining, token_is_fresh=token_is_fresh)
        session = self._live.get(session_id)
        async with self._bot_of(session or await self._record(session_id)) as bot:
            with told_to_caller():
                line = await bot.audio(answer["pc_id"])
            yield line

    async def _join(self, session_id: str, joining: Joining, *, token_is_fresh: bool) -> dict[str, Any]:
        record = await self._record(session_id)
        if record.state == "ended":
            raise over()
        body = request_of(joining, channel=record.details.channel, known=record.pc_ids, token_is_fresh=token_is_fresh)
        session = self._live.get(session_id)
        if session is None:
            return await self._ask_elsewhere(record, "POST", "/connect", body)
        if time.monotonic() - session.heard_mono > QUIET_SECS:
            await self._check(session)
        answer = await self._ask(session, "POST", "/connect", body)
        if answer["pc_id"] not in session.pc_ids:
            session.pc_ids.append(answer["pc_id"])
        return answer

    async def candidates(self, session_id: str, candidates: Candidates) -> None:
        """Late ICE candidates, handed on to the bot."""
        await self._patch(session_id, "/connect", {"channel": "webrtc", **candidates.model_dump()})

    async def change(self, session_id: str, change: Change) -> None:
        """Has others listen, answer or speak in the call; a 422 `Problem` where it has them not."""
        await self._patch(session_id, "/session", change.model_dump(exclude_none=True))

    async def _patch(self, session_id: str, path: str, body: dict[str, Any]) -> None:
        session = self._live.get(session_id)
        if session is None:
            record = await self._record(session_id)
            if record.state == "ended":
                raise over()
            await self._ask_elsewhere(record, "PATCH", path, body)
        else:
            await self._ask(session, "PATCH", path, body)

    async def end(self, session_id: str, *, reason: str) -> None:
        """Ends the call; one that ended before is left as it is."""
        session = self._live.get(session_id)
        if session is None:
            record = await self._record(session_id)
            if record.state != "ended":
                await self._ask_elsewhere(record, "POST", "/end", {"reason": reason})
            return
        session.end_reason = session.end_reason or reason
        bot = session.bot
        try:
            await bot.request("POST", "/end", {"reason": reason})
        except (BotGoneError, BotRefusedError):
            log = logger.bind(session=session_id)
            log.info("session {}: its bot had ended already, or did not take the end", session_id)
        await bot.stop()

    def forget(self, session_ids: Sequence[str]) -> None:
        """Knows nothing more of these calls, which have ended."""
        for session_id in session_ids:
            self._ended.pop(session_id, None)

    def drain(self) -> None:
        """Takes no new calls from now on; links that nobody followed end soon."""
        if not self.draining.is_set():
            logger.info("draining: {} calls go on, no new ones are taken", len(self._live))
            self.draining.set()
            self._mirror.wake()
            for session in self.live:
                if not session.pc_ids:
                    self._expire(session, secs=UNFOLLOWED_SECS, reason="shutdown")

    async def close(self) -> None:
        """Ends every call with a word to its caller."""
        self._closed = True
        await asyncio.gather(*(self.end(i, reason="shutdown") for i in list(self._live)), return_exceptions=True)
        pending = {s.watch for s in self.live if s.watch is not None} | self._tasks
        if pending:
            await asyncio.wait(pending, timeout=CLOSE_SECS)

    def follow(self, session: LiveSession) -> None:
        """Looks after the session from now on; one that nobody joins in time ends."""
        self._live[session.id] = session
        session.heard_mono = time.monotonic()
        self._await_caller(session)
        self._mirror.touch(session)
        with logger.contextualize(session=session.id):
            session.watch = asyncio.create_task(self._follow(session), name=f"session-{session.id}")

    async def revive(self, record: SessionRecord, story: list[Message]) -> None:
        """Looks after a call that lost both its server and its bot; raises `LauncherError` where no bot can be had."""
        call = call_of(record) | {"bots": record.bots + 1}
        settings = self._casting.settings(record.details, since_mono=record.connected_mono)
        bot = await self._launcher.acquire(Task(record.id, settings, call, story))
        session = adopted(record.id, bot=bot, call=call, server=self.server_id)
        self.follow(session)

    async def _acquire(self, task: Task) -> Bot:
        try:
            return await self._launcher.acquire(task)
        except LauncherError as error:
            self._lines.refused["no_bot"] += 1
            logger.bind(session=task.session_id).error("session {} refused: {}", task.session_id, error)
            raise Problem(503, "No assistant could be started", "Try again in a moment.", retry_after_secs=5) from error

    async def _record(self, session_id: str) -> SessionRecord:
        """What is known of the session, here or in the registry; raises a 404 `Problem`."""
        if session_id in self._live:
            return self._live[session_id].record()
        if session_id in self._ended:
            return self._ended[session_id]
        try:
            record = await self._registry.read(session_id)
        except RegistryGoneError as error:
            raise Problem(
                503, "The call registry is unreachable", "Try again in a moment.", retry_after_secs=1
            ) from error
        if record is None:
            raise Problem(404, "There is no such call", "It may have ended long ago. Start a new call.")
        return record

    async def _ask(self, session: LiveSession, method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """What its bot answers; where that one turns out to be dead, the next one."""
        for _ in range(2):
            try:
                await asyncio.wait_for(session.has_bot.wait(), REPLACEMENT_SECS)
            except TimeoutError:
                break
            bot = session.bot
            try:
                return await bot.request(method, path, body)
            except BotRefusedError as error:
                raise refused(error) from error
            except BotGoneError:
                await self._lose(session, bot)
        raise gone() if session.id in self._live else over()

    async def _ask_elsewhere(
        self, record: SessionRecord, method: str, path: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """What the bot of a session answers that another server of this host looks after."""
        async with self._bot_of(record) as bot:
            with told_to_caller():
                return await bot.request(method, path, body)

    @asynccontextmanager
    async def _bot_of(self, session: LiveSession | SessionRecord) -> AsyncIterator[Bot]:
        """The session's bot, whichever server of this host looks after it; raises a 503 `Problem` for none."""
        if isinstance(session, LiveSession):
            yield session.bot
            return
        bot = None if session.bot is None else await self._launcher.attach(session.bot)
        if bot is None:
            raise lost()
        try:
            yield bot
        finally:
            await bot.detach()

    async def _check(self, session: LiveSession) -> None:
        """Makes sure that the bot lives, or that it is replaced."""
        bot = session.bot
        try:
            await bot.ping()
        except (BotGoneError, BotRefusedError):
            await self._lose(session, bot)

    async def _lose(self, session: LiveSession, bot: Bot) -> None:
        """Gives up a bot that does not answer; whoever follows the session replaces it."""
        if session.bot is bot and session.has_bot.is_set():
            session.has_bot.clear()
            await bot.kill()

    async def _follow(self, session: LiveSession) -> None:
        """Hears the session's bots until the last one ends, however it ends, and clears up after it."""
        reason: str | None = None
        while reason is None:
            try:
                reason = await self._hear(session)
            except BotRefusedError:
                await self._leave_to_another(session)
                return
            session.has_bot.clear()
            if reason is None:
                await session.bot.kill()
                reason = session.end_reason or await self._try_to_replace(session)
            else:
                await session.bot.stop()
        self._live.pop(session.id, None)
        if session.expiry is not None:
            session.expiry.cancel()
        record = session.record().model_copy(update={"state": "ended", "end_reason": reason})
        for observer in self._observers:
            observer.ended(session, record)
        self._ended[session.id] = record = record.model_copy(update={"details": session.details.anonymous()})
        self._mirror.ended(record)
        while len(self._ended) > ENDED_KEPT:
            self._ended.popitem(last=False)
        logger.info("session {} ended: {} after {} turns", session.id, reason, session.turns)

    async def _leave_to_another(self, session: LiveSession) -> None:
        logger.info("session {} is another server's", session.id)
        self._live.pop(session.id, None)
        if session.expiry is not None:
            session.expiry.cancel()
        await session.bot.detach()

    async def _hear(self, session: LiveSession) -> str | None:
        """Takes in what the bot reports until it is gone: the reason where it said one.

        Raises `BotRefusedError` where another server was quicker to take the call over.
        """
        reason: str | None = None
        try:
            async for event in session.bot.events():
                reason = session.fold(event, now_mono=time.monotonic()) or reason
                self._note(session, event)
                for observer in self._observers:
                    observer.heard(session, event)
        except BotGoneError:
            logger.error("session {}: its bot died or stalled", session.id)
        return reason

    def _note(self, session: LiveSession, event: dict[str, Any]) -> None:
        match event["type"]:
            case "connected":
                if session.expiry is not None:
                    session.expiry.cancel()
                self._mirror.touch(session)
            case "answered" | "changed":
                self._mirror.touch(session)
            case "story":
                self._mirror.tell(session)
            case "turn":
                logger.info("session {} turn {}: answered after {} ms", session.id, session.turns, session.v2v_ms)

    async def _try_to_replace(self, session: LiveSession) -> str | None:
        """Another bot for the session, or why it ends."""
        if not session.may_be_replaced(time.monotonic()):
            logger.error("session {}: its bots die one after another; it ends", session.id)
            return "bot_died"
        try:
            await self._replace(session)
        except LauncherError as error:
            logger.error("session {}: no other bot could be had: {}", session.id, error)
            return "bot_died"
        self._await_caller(session)
        self._mirror.touch(session)
        return None

    async def _replace(self, session: LiveSession) -> None:
        story = None if session.connected_at is None else session.story
        call = call_of(session.record()) | {"bots": session.bots + 1}
        settings = self._casting.settings(session.details, since_mono=session.connected_mono)
        task = Task(session.id, settings, call, story)
        session.replaced_by(await self._launcher.acquire(task))
        logger.info("session {} goes on with its bot number {}", session.id, session.bots)

    def _await_caller(self, session: LiveSession) -> None:
        secs = session.waits_secs(link_secs=self._tokens.max_age_secs, now=datetime.now(UTC))
        self._expire(session, secs=secs, reason="never_connected" if session.connected_at is None else "caller_lost")

    def _expire(self, session: LiveSession, *, secs: float, reason: str) -> None:
        """Ends the session for that reason unless its caller is connected by then."""
        if session.expiry is not None:
            session.expiry.cancel()
        session.expiry = asyncio.get_running_loop().call_later(secs, self._end_unjoined, session, reason)

    def _end_unjoined(self, session: LiveSession, reason: str) -> None:
        if session.state != "connected":
            task = asyncio.create_task(self.end(session.id, reason=reason))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
