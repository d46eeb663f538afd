"""Erases calls wherever anything is kept of them."""

from collections.abc import Callable, Sequence

from knowledge.gaps import GapStore
from server.ingress.registry import Registry, SessionRecord
from server.records.store import CallStore

BATCH_CALLS = 500


class RunningCallError(Exception):
    """A call that is to be erased has not ended."""

    def __init__(self, call_ids: Sequence[str]):
        super().__init__("A call that still runs can't be erased.")
        self.call_ids = call_ids


class Erasure:
    """Redis, the gaps that rest on a call, then its record: where it breaks off, it can be done again.

    Every method raises RunningCallError before anything is erased, RegistryGoneError where nobody can say whether the
    call still runs, and KnowledgeUnavailableError.
    """

    def __init__(self, *, calls: CallStore, gaps: GapStore, registry: Registry):
        self._calls = calls
        self._gaps = gaps
        self._registry = registry

    async def call(self, call_id: str) -> bool:
        """Erase one call; False where there is none."""
        await self._check(lambda record: record.id == call_id)
        return bool(await self._erase([call_id]))

    async def caller(self, name: str) -> list[str]:
        """Erase all calls of a caller; return their ids."""
        await self._check(lambda record: record.details.caller == name)
        erased: list[str] = []
        while call_ids := await self._calls.ids_of(name, limit=BATCH_CALLS):
            erased += await self._erase(call_ids)
        return erased

    async def _check(self, is_meant: Callable[[SessionRecord], bool]) -> None:
        running = [record.id for record in await self._registry.sessions() if is_meant(record)]
        if running:
            raise RunningCallError(running)

    async def _erase(self, call_ids: Sequence[str]) -> list[str]:
        await self._registry.forget(call_ids)
        await self._gaps.forget_calls(call_ids)
        return await self._calls.erase(call_ids)
