"""The shape of what a bot reports to its server; Pipecat stays out, so that the server need not load it."""

from collections.abc import Callable, Sequence
from typing import Any, Literal

Report = Callable[[dict[str, Any]], None]
Floor = Literal["caller", "thinking", "bot", "nobody"]
Stage = Literal["transcript", "turn_end", "retrieval", "llm", "tts"]
Message = dict[str, str]


def changed(story: Sequence[Message], *, keep: int, add: Sequence[Message]) -> list[Message]:
    """The story after a report of type `story`."""
    return [*story[:keep], *add]
