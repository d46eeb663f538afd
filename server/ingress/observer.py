"""Who wants to know what happens in the calls of this server."""

from collections.abc import Mapping
from typing import Any, Protocol

from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord


class CallObserver(Protocol):
    """Told as it happens; takes no time and raises nothing."""

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        """A report of the call's bot (`bot/process.py`); with `again` true, an earlier server was told it already."""
        ...

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        """The call is over; `record` says why."""
        ...
