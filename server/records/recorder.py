"""Writes the calls of this server to Postgres as they happen, off the path of any caller."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import psycopg
from loguru import logger

from knowledge.errors import KnowledgeUnavailableError
from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord
from server.records.store import CallRow, CallStore, MessageRow, TurnRow

# What happens within this time is written at once.
BATCH_SECS = 0.5
BATCH_TURNS = 500
RETRY_SECS = 2.0
CLOSE_SECS = 5.0
# About an hour of eight calls; of turns without a database to write them to, the oldest are lost first.
MOST_TURNS = 10_000
MOST_CALLS = 5_000


def _now() -> datetime:
    return datetime.now(UTC)


class Recorder:
    """A `CallObserver`: what it is told waits in memory, bounded, until it is written.

    A report that comes again, because another server heard it before, makes no second row. Where the database is away
    it is tried again every two seconds.
    """

    def __init__(
        self,
        *,
        store: CallStore,
        most_turns: int = MOST_TURNS,
        most_calls: int = MOST_CALLS,
        now: Callable[[], datetime] = _now,
    ):
        self._store = store
        self._most_calls = most_calls
        self._most_turns = most_turns
        self._now = now
        self._bots: dict[str, int] = {}
        self._latencies: dict[str, dict[str, float]] = {}
        self._begun: set[str] = set()
        self._calls: dict[str, CallRow] = {}
        self._turns: deque[TurnRow | MessageRow] = deque()
        self._wake = asyncio.Event()
        self._writing = asyncio.Lock()
        self._lost = 0
        self._away = False

    @property
    def waiting(self) -> int:
        """Calls and turns that are not written yet."""
        return len(self._calls) + len(self._turns)

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        """Keeps what belongs into the record."""
        if self._bots.get(session.id) != session.bots:
            if session.id not in self._bots:
                self._begun.add(session.id)
            self._bots[session.id] = session.bots
            self._latencies.pop(session.id, None)
            self._keep(session.record())
        match event["type"]:
            case "connected" | "usage":
                self._keep(session.record())
            case "turn":
                self._latencies[session.id] = {"v2v": event["latency_secs"], **event.get("stages", {})}
                self._keep(session.record())
            case "said":
                is_answer = event["role"] == "assistant"
                latencies = self._latencies.pop(session.id, {}) if is_answer else {}
                self._add(_turn(session, event, latencies))
            case "message":
                self._add(_message(session, event))

    def _add(self, row: TurnRow | MessageRow) -> None:
        self._turns.append(row)
        if len(self._turns) > self._most_turns:
            self._turns.popleft()
            self._lost += 1
        self._wake.set()

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        """Keeps the end."""
        if session.id not in self._bots:
            self._begun.add(session.id)
        self._bots.pop(session.id, None)
        self._latencies.pop(session.id, None)
        self._keep(record, ended_at=self._now())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Writes; at the end what is left, within some seconds."""
        task = asyncio.create_task(self._run(), name="recorder")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            with suppress(TimeoutError):
                async with asyncio.timeout(CLOSE_SECS):
                    await self.flush()
            if self.waiting:
                logger.error(
                    "the database is away: {} calls as they stand and {} turns are not recorded",
                    len(self._calls),
                    len(self._turns),
                )

    async def flush(self) -> bool:
        """Writes all that is there to write; False where the database does not answer."""
        async with self._writing:
            while self.waiting:
                if not await self._write():
                    return False
        return True

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await asyncio.sleep(BATCH_SECS)
            if not await self.flush():
                await asyncio.sleep(RETRY_SECS)
                self._wake.set()

    async def _write(self) -> bool:
        calls, self._calls = self._calls, {}
        turns = [self._turns.popleft() for _ in range(min(BATCH_TURNS, len(self._turns)))]
        written = False
        try:
            await self._write_batch(calls, turns)
            written = True
        except KnowledgeUnavailableError:
            if not self._away:
                logger.error("the database does not answer; calls go on, and are recorded when it is back")
            self._away = True
            return False
        finally:
            if not written:  # also where this was cancelled
                self._calls = calls | self._calls
                self._turns.extendleft(reversed(turns))
        self._begun.difference_update(calls)
        if self._away:
            logger.info("the database answers again")
        if self._lost:
            logger.error("{} reports of calls were too many to be kept for the database, and are lost", self._lost)
        self._away, self._lost = False, 0
        return True

    async def _write_batch(self, calls: Mapping[str, CallRow], turns: Sequence[TurnRow | MessageRow]) -> None:
        """Writes these; where the database refuses them as a whole, call by call and without what it refuses."""
        try:
            await self._store.write(begun=self._begun, calls=list(calls.values()), turns=turns)
            return
        except psycopg.Error:
            logger.warning("what is to be recorded is not taken as a whole; trying it call by call")
        for call_id in {*calls, *(turn.call_id for turn in turns)}:
            row = [calls[call_id]] if call_id in calls else []
            said = [turn for turn in turns if turn.call_id == call_id]
            try:
                await self._store.write(begun=self._begun, calls=row, turns=said)
            except psycopg.Error as error:
                logger.error("session {}: {} turns are not recorded: {}", call_id, len(said), type(error).__name__)

    def _keep(self, record: SessionRecord, *, ended_at: datetime | None = None) -> None:
        """Keeps a call as it stands, in the place of how it stood before."""
        details = record.details
        self._calls[record.id] = CallRow(
            id=record.id,
            channel=details.channel,
            collection=details.collection,
            persona=details.persona,
            language=details.language,
            caller=details.caller,
            metadata=details.metadata,
            created_at=record.created_at,
            connected_at=record.connected_at,
            ended_at=ended_at,
            end_reason=record.end_reason,
            turns=record.turns,
            bots=record.bots,
            cost_usd=record.cost_usd,
            priced=record.priced,
        )
        if len(self._calls) > self._most_calls:
            self._lost += 1
            oldest = next(iter(self._calls))
            del self._calls[oldest]
            if oldest not in self._bots:
                self._begun.discard(oldest)
        self._wake.set()


def _turn(session: LiveSession, event: Mapping[str, Any], latencies: Mapping[str, float]) -> TurnRow:
    return TurnRow(
        call_id=session.id,
        bot=session.bots,
        number=event["number"],
        role=event["role"],
        text=event["text"].replace("\0", ""),
        started_at=datetime.fromtimestamp(event["started_at"], UTC),
        ended_at=datetime.fromtimestamp(event["ended_at"], UTC),
        interrupted=event["interrupted"],
        sources=event["sources"],
        unsupported=event["unsupported"],
        latencies=latencies,
    )


def _message(session: LiveSession, event: Mapping[str, Any]) -> MessageRow:
    return MessageRow(
        call_id=session.id,
        bot=session.bots,
        number=event["number"],
        name=event["name"].replace("\0", ""),
        contact=event["contact"].replace("\0", ""),
        text=event["text"].replace("\0", ""),
        left_at=datetime.fromtimestamp(event["left_at"], UTC),
    )
