"""A call that this server looks after, and what its bot's reports make of it."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from loguru import logger

from bot.change import Change
from bot.reports import Floor, Message, changed
from server.ingress.launcher import Bot
from server.ingress.registry import Details, SessionRecord, State

# A bot may die and be replaced this often in so many seconds; then it is the call that kills it.
REPLACEMENTS = 5
REPLACEMENTS_SECS = 10.0
# A caller who was lost is waited for so long.
RECONNECT_SECS = 30.0
CPU_MEMORY = 0.7
KEPT_BY_BOT = (
    "details", "created_at", "connected_at", "connected_mono", "turns", "bots", "pc_ids", "cost_usd", "priced",
)  # fmt: skip


@dataclass(slots=True)
class LiveSession:
    """A session whose bot runs in this server's care. Times ending in `_mono` are the monotonic clock's."""

    id: str
    bot: Bot
    server: str
    created_at: datetime
    details: Details = field(default_factory=Details)
    state: State = "created"
    connected_at: datetime | None = None
    connected_mono: float | None = None
    earlier_turns: int = 0
    own_turns: int = 0
    earlier_usd: Decimal = Decimal(0)
    own_usd: Decimal = Decimal(0)
    priced: bool = True
    bots: int = 1
    pc_ids: list[str] = field(default_factory=list)
    story: list[Message] = field(default_factory=list, repr=False)
    floor: Floor = "nobody"
    v2v_ms: int | None = None
    cpu_percent: float | None = None
    memory_mb: float | None = None
    end_reason: str | None = None
    joined: bool = False
    admitted_mono: float = 0.0
    heard_mono: float = 0.0
    has_bot: asyncio.Event = field(default_factory=asyncio.Event, repr=False)
    watch: asyncio.Task[None] | None = field(default=None, repr=False)
    expiry: asyncio.TimerHandle | None = field(default=None, repr=False)
    _beat: tuple[float, float] | None = None
    _replaced_mono: deque[float] = field(default_factory=lambda: deque(maxlen=REPLACEMENTS))

    @property
    def turns(self) -> int:
        """Answers given so far, by all its bots."""
        return self.earlier_turns + self.own_turns

    @property
    def cost_usd(self) -> Decimal:
        """What is known of the cost of all its bots."""
        return self.earlier_usd + self.own_usd

    def record(self) -> SessionRecord:
        """The session as the registry keeps it."""
        return SessionRecord(
            id=self.id,
            state=self.state,
            details=self.details,
            created_at=self.created_at,
            connected_at=self.connected_at,
            connected_mono=self.connected_mono,
            turns=self.turns,
            floor=self.floor,
            v2v_ms=self.v2v_ms,
            cpu_percent=self.cpu_percent,
            memory_mb=self.memory_mb,
            bots=self.bots,
            cost_usd=self.cost_usd,
            priced=self.priced,
            bot=self.bot.id,
            pc_ids=self.pc_ids,
            server=self.server,
        )

    def fold(self, event: Mapping[str, Any], *, now_mono: float) -> str | None:
        """Takes in what the bot reports; returns the reason where it reports the end."""
        self.heard_mono = now_mono
        match event["type"]:
            case "heartbeat":
                self._beats(event, now_mono)
            case "answered":
                self.joined = True
                if event["pc_id"] not in self.pc_ids:
                    self.pc_ids.append(event["pc_id"])
            case "connected":
                self.state = "connected"
                if self.connected_at is None or self.connected_mono is None:
                    self.connected_at, self.connected_mono = datetime.fromtimestamp(event["at"], UTC), event["at_mono"]
            case "turn":
                self.own_turns += 1
                self.v2v_ms = round(event["latency_secs"] * 1000)
            case "usage":
                self.own_usd, self.priced = Decimal(event["usd"]), self.priced and event["priced"]
            case "story":
                self.story = changed(self.story, keep=event["keep"], add=event["add"])
            case "changed":
                change = Change.model_validate(event["change"])
                self.details = self.details.model_copy(update={"chosen": self.details.chosen.then(change)})
            case "marker_dropped" | "unsupported" | "llm_failed" | "turn_stop_timeout":
                logger.warning("session {}: {}", self.id, event["type"])
            case "failover":
                logger.warning(
                    "session {}: {} went from {} to {}: {}",
                    self.id, event["stage"], event["from"], event["to"], event["reason"],
                )  # fmt: skip
            case "ended":
                return str(event["reason"])
        return None

    def replaced_by(self, bot: Bot) -> None:
        """Goes on with another bot, which waits for the caller."""
        self.bot = bot
        self.bots += 1
        self.earlier_turns, self.own_turns = self.turns, 0
        self.earlier_usd, self.own_usd = self.cost_usd, Decimal(0)
        self.floor = "nobody"
        self._beat = None
        self.cpu_percent = self.memory_mb = None
        if self.joined:
            self.state = "reconnecting"
        self.joined = False
        self.has_bot.set()

    def may_be_replaced(self, now_mono: float) -> bool:
        """Whether the bot's death can be bad luck; counts it."""
        doomed = len(self._replaced_mono) == REPLACEMENTS and now_mono - self._replaced_mono[0] < REPLACEMENTS_SECS
        self._replaced_mono.append(now_mono)
        return not doomed

    def waits_secs(self, *, link_secs: float, now: datetime) -> float:
        """For how long its caller is waited for: one who has not joined yet, while their link is good."""
        if self.state != "created":
            return RECONNECT_SECS
        return max(0.0, link_secs - (now - self.created_at).total_seconds())

    def _beats(self, event: Mapping[str, Any], now_mono: float) -> None:
        self.floor, self.memory_mb = event["floor"], event["private_mb"]
        if self._beat is not None and now_mono > self._beat[0]:
            percent = 100 * (event["cpu_secs"] - self._beat[1]) / (now_mono - self._beat[0])
            before = percent if self.cpu_percent is None else self.cpu_percent
            self.cpu_percent = round(CPU_MEMORY * before + (1 - CPU_MEMORY) * percent, 1)
        self._beat = now_mono, event["cpu_secs"]


def new_call(*, details: Details, created_at: datetime) -> dict[str, Any]:
    """What a bot keeps of a call, for a server that takes it over: of one that begins."""
    return call_of(SessionRecord(id="", state="created", details=details, created_at=created_at, server=""))


def call_of(record: SessionRecord) -> dict[str, Any]:
    """The same of a call as it stands."""
    return record.model_dump(mode="json", include=set(KEPT_BY_BOT))


def adopted(session_id: str, *, bot: Bot, call: Mapping[str, Any], server: str) -> LiveSession:
    """A call that another server began, as its bot keeps it; the rest comes with the bot's reports."""
    connected_at = call["connected_at"]
    session = LiveSession(
        id=session_id,
        bot=bot,
        server=server,
        created_at=datetime.fromisoformat(call["created_at"]),
        details=Details.model_validate(call["details"]),
        connected_at=None if connected_at is None else datetime.fromisoformat(connected_at),
        connected_mono=call["connected_mono"],
        earlier_turns=call["turns"],
        bots=call["bots"],
        earlier_usd=Decimal(call["cost_usd"]),
        priced=call["priced"],
        pc_ids=list(call["pc_ids"]),
    )
    if session.pc_ids:
        session.state = "reconnecting"
    session.has_bot.set()
    return session
