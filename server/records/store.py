"""The calls and their turns in Postgres."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal

from psycopg.types.json import Jsonb

from knowledge.database import Database

Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class CallRow:
    """A call as it stands; no end while it runs. `cost_usd` is what is known, all of it where `priced`."""

    id: str
    channel: str
    collection: str
    persona: str
    language: str
    caller: str | None
    metadata: Mapping[str, str]
    created_at: datetime
    connected_at: datetime | None
    ended_at: datetime | None
    end_reason: str | None
    turns: int
    bots: int
    cost_usd: Decimal
    priced: bool


@dataclass(frozen=True, slots=True)
class TurnRow:
    """What one side said; `number` counts the reports of the call's bot with that number.

    `unsupported` counts the sentences of an answer that were not said, since their sources don't say so; `latencies`
    are seconds by stage, of an answer.
    """

    call_id: str
    bot: int
    number: int
    role: Role
    text: str
    started_at: datetime
    ended_at: datetime
    interrupted: bool
    sources: Sequence[Mapping[str, Any]]
    unsupported: int
    latencies: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class MessageRow:
    """What a caller wants the operator's people to be told; numbered as turns are, by itself."""

    call_id: str
    bot: int
    number: int
    name: str
    contact: str
    text: str
    left_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A call's place in the list, newest first."""

    created_at: datetime
    id: str


class CallStore:
    """Reads and writes calls.

    Every method raises KnowledgeUnavailableError when the database does not answer in time.
    """

    def __init__(self, database: Database):
        self._database = database

    async def write(
        self, *, begun: Collection[str], calls: Sequence[CallRow], turns: Sequence[TurnRow | MessageRow]
    ) -> None:
        """Write calls as they stand, what was said and left; what is there already stays one row.

        Of a call that is not there only those in `begun` are made: one that was erased is not made again.
        """
        rows = [asdict(call) | {"metadata": Jsonb(call.metadata)} for call in calls]
        said = [
            asdict(turn) | {"sources": Jsonb(turn.sources), "latencies": Jsonb(turn.latencies)}
            for turn in turns
            if isinstance(turn, TurnRow)
        ]
        async with self._database.transaction() as statements:
            await statements.run_many("begin_call", [row for row in rows if row["id"] in begun])
            await statements.run_many("update_call", rows)
            await statements.run_many("add_turn", said)
            await statements.run_many("add_message", [asdict(each) for each in turns if isinstance(each, MessageRow)])

    async def newest(
        self,
        *,
        caller: str | None = None,
        since: datetime | None = None,
        end_reason: str | None = None,
        before: Place | None = None,
        limit: int,
    ) -> list[dict[str, Any]]:
        """Return calls, the newest first, with what their turns come to.

        That is `interruptions`, `unsupported`, `v2v_p50_secs` and `v2v_max_secs`.
        """
        return await self._database.read(
            "list_calls",
            id=None,
            caller=caller,
            since=since,
            end_reason=end_reason,
            before_at=before and before.created_at,
            before_id=before and before.id,
            limit=limit,
        )

    async def get(self, call_id: str) -> dict[str, Any] | None:
        """Return a call in the same shape; None where there is none."""
        unset = dict.fromkeys(("caller", "since", "end_reason", "before_at", "before_id"))
        rows = await self._database.read("list_calls", id=call_id, limit=1, **unset)
        return rows[0] if rows else None

    async def turns(self, call_id: str) -> list[dict[str, Any]]:
        """Return what was said in a call, numbered from 1."""
        return await self._database.read("list_turns", call_id=call_id)

    async def messages(self, *, limit: int) -> list[dict[str, Any]]:
        """Return what callers left, the newest first: `call_id`, `name`, `contact`, `text`, `left_at`."""
        return await self._database.read("list_messages", limit=limit)

    async def cost_since(self, since: datetime) -> Decimal:
        """Return what the calls cost that were created from then on, in USD."""
        return (await self._database.read("cost_since", since=since))[0]["usd"]

    async def ids_beginning(self, prefix: str, *, limit: int) -> list[str]:
        """Return the ids of calls that begin so."""
        return [row["id"] for row in await self._database.read("ids_beginning", prefix=prefix, limit=limit)]

    async def ids_of(self, caller: str, *, limit: int) -> list[str]:
        """Return the ids of a caller's calls, the oldest first."""
        return [row["id"] for row in await self._database.read("ids_of_caller", caller=caller, limit=limit)]

    async def erase(self, call_ids: Sequence[str]) -> list[str]:
        """Erase these calls and what was said in them; return the ids of those that were there."""
        async with self._database.transaction() as statements:
            return [row["id"] for row in await statements.run("erase_calls", ids=list(call_ids))]

    async def erase_before(self, before: datetime, *, limit: int) -> int | None:
        """Erase ended calls that began before then, `limit` at most; None where another server is about it."""
        async with self._database.transaction() as statements:
            if not (await statements.run("try_lock_sweep"))[0]["locked"]:
                return None
            return len(await statements.run("erase_calls_before", before=before, limit=limit))

    async def close_lost(self, *, before: datetime, running: Sequence[str]) -> int:
        """Close calls that began before then, have no end and do not run; return how many."""
        async with self._database.transaction() as statements:
            return len(await statements.run("close_lost_calls", before=before, running=list(running)))
