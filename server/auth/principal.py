"""Who asks, and what they may do."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal[
    "sessions:read",
    "sessions:write",
    "calls:read",
    "calls:write",
    "knowledge:read",
    "knowledge:write",
    "asr",
    "llm",
    "tts",
    "metrics",
    "admin",
]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """The holder of a key; the scope `admin` is all of them."""

    id: str
    name: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> bool:
        """Whether what needs this scope is open to them."""
        return scope in self.scopes or "admin" in self.scopes


OPERATOR = Principal(id="operator", name="operator", scopes=frozenset({"admin"}))
