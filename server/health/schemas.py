"""What a service says of itself."""

from collections.abc import Iterable, Mapping
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict

from server.processes import SupervisedProcess


class ServiceHealth(BaseModel):
    """Whether a service can be asked, and whether what it depends on is up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"status": "ok", "parts": {"desk": True}}]})

    status: Literal["ok", "degraded"]
    parts: dict[str, bool]

    @classmethod
    def of(cls, parts: Mapping[str, bool]) -> Self:
        """The health of what depends on these."""
        return cls(status="ok" if all(parts.values()) else "degraded", parts=dict(parts))


def running(processes: Iterable[SupervisedProcess], *names: str) -> dict[str, bool]:
    """Whether each of the named processes runs."""
    there = {process.name for process in processes if process.pid is not None}
    return {name: name in there for name in names}
