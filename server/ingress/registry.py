"""Who is on a call, in Redis: one hash a session, with a lease that the live call renews."""

from datetime import UTC, datetime

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.errors import Problem
from server.ingress.schemas import SessionState

LEASE_SECS = 3600


class Registry:
    """Writes and reads sessions' states."""

    def __init__(self, *, redis: Redis):
        self._redis = redis

    async def create(self, session_id: str, *, now: datetime) -> None:
        """A session that waits for its caller; raises a 503 `Problem` when Redis is gone."""
        await self._write(session_id, state="created", created_at=now.isoformat(), turns="0")

    async def connected(self, session_id: str) -> None:
        """The caller is on."""
        await self._write(session_id, state="connected")

    async def turn(self, session_id: str) -> None:
        """One more answer was given."""
        try:
            await self._redis.hincrby(_key(session_id), "turns", 1)  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
            await self._redis.expire(_key(session_id), LEASE_SECS)
        except RedisError as error:
            raise _gone() from error

    async def ended(self, session_id: str, *, reason: str) -> None:
        """The call is over; the record stays for an hour, to say so."""
        await self._write(session_id, state="ended", end_reason=reason)

    async def read(self, session_id: str) -> SessionState | None:
        """How the session stands; None when it is not known."""
        try:
            record = await self._redis.hgetall(_key(session_id))  # pyright: ignore[reportGeneralTypeIssues]  (redis types both its clients at once)
        except RedisError as error:
            raise _gone() from error
        if not record:
            return None
        return SessionState(
            id=session_id,
            state=record["state"],
            created_at=datetime.fromisoformat(record.get("created_at", datetime.now(UTC).isoformat())),
            turns=int(record.get("turns", 0)),
            end_reason=record.get("end_reason"),
        )

    async def _write(self, session_id: str, **fields: str) -> None:
        try:
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(_key(session_id), mapping=fields)
                pipe.expire(_key(session_id), LEASE_SECS)
                await pipe.execute()
        except RedisError as error:
            raise _gone() from error


def _key(session_id: str) -> str:
    return f"jarvis:session:{session_id}"


def _gone() -> Problem:
    return Problem(503, "The call registry is unreachable", "Try again in a moment.", retry_after_secs=5)
