"""What the routes of the records give."""

import base64
import json
import re
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, Field

from server.records.store import Place

CALL_ID = "[0-9a-z-]{1,64}"
EXAMPLE_SOURCE = {
    "document_id": "0f6d3c0a-6f0e-4c0c-9c58-3c1d53b8b2a1",
    "title": "Returns policy",
    "heading_path": ["Returns", "How long"],
    "quote": "Goods may be returned within 30 days.",
    "start": 120,
    "end": 157,
    "page": None,
}


class Source(BaseModel):
    """What a sentence of an answer rests on; `start` and `end` are the quote's character offsets in the document."""

    document_id: str
    title: str
    heading_path: list[str]
    quote: str
    start: int
    end: int
    page: int | None


class Turn(BaseModel):
    """What one side said, without a break of the other's."""

    number: int
    role: Literal["user", "assistant"] = Field(description="user is the caller")
    text: str = Field(description="of the assistant, what was heard of it")
    started_at: datetime = Field(description="its first sound")
    ended_at: datetime = Field(description="its last sound")
    interrupted: bool = Field(description="whether the other side cut it off")
    sources: list[Source] = Field(examples=[[EXAMPLE_SOURCE]])
    unsupported: int = Field(description="sentences of an answer that were not said, since their sources don't say so")
    latencies: dict[str, float] = Field(
        description="of an answer, in seconds by stage; `v2v` is all of it, from the caller's last sound to the first",
        examples=[{"v2v": 0.71, "transcript": 0.18, "turn_end": 0.31, "retrieval": 0.02, "llm": 0.09, "tts": 0.04}],
    )


class Call(BaseModel):
    """A call as it is kept."""

    id: str = Field(examples=["6f1c0b8e5d2a4c79"])
    channel: str = Field(examples=["webrtc"])
    collection: str = Field(examples=["default"])
    persona: str = Field(examples=["default"])
    language: str = Field(examples=["en"])
    caller: str | None = Field(examples=["customer-77"])
    metadata: dict[str, str] = Field(examples=[{"shop": "north"}])
    created_at: datetime
    connected_at: datetime | None = Field(description="null where nobody came")
    ended_at: datetime | None = Field(description="null while it runs")
    end_reason: str | None = Field(
        description="hang_up, goodbye (which the caller said), idle, max_duration, closed, never_connected, "
        "caller_lost, operator, shutdown, error, bot_died; lost where nobody saw its end",
        examples=["hang_up"],
    )
    turns: int = Field(description="answers given")
    bots: int = Field(description="how many bots it had; more than one where one died")
    cost_usd: float = Field(description="what its providers cost, in USD at list price", examples=[0.0123])
    priced: bool = Field(description="whether all of it has a known price; else it cost more")
    interruptions: int = Field(description="how often the caller cut the assistant off")
    unsupported: int = Field(description="sentences of answers that were not said, since their sources don't say so")
    v2v_p50_ms: int | None = Field(description="of its answers, as the bot measured them", examples=[710])
    v2v_max_ms: int | None = Field(examples=[1240])

    @classmethod
    def of(cls, row: dict[str, Any]) -> Self:
        """The call as it is sent."""
        waits = {
            f"{name}_ms": None if (secs := row[f"{name}_secs"]) is None else round(secs * 1000)
            for name in ("v2v_p50", "v2v_max")
        }
        return cls.model_validate({**row, **waits})


class WholeCall(BaseModel):
    """A call and what was said in it."""

    call: Call
    turns: list[Turn] = Field(description="of both sides, in order")

    @classmethod
    def of(cls, row: dict[str, Any], turns: list[dict[str, Any]]) -> Self:
        """The call and its turns as they are sent."""
        return cls(call=Call.of(row), turns=[Turn.model_validate(turn) for turn in turns])


class Calls(BaseModel):
    """Calls, the newest first."""

    calls: list[Call]
    next: str | None = Field(description="the cursor for those that come next; null where these are the last")

    @classmethod
    def of(cls, rows: list[dict[str, Any]], *, limit: int) -> Self:
        """At most so many of the rows; one more than that says that others come next."""
        shown = rows[:limit]
        return cls(calls=[Call.of(row) for row in shown], next=cursor_of(shown[-1]) if len(rows) > limit else None)


class Erased(BaseModel):
    """What was erased."""

    calls: int = Field(description="how many calls, with all that was kept of them", examples=[3])


def cursor_of(row: dict[str, Any]) -> str:
    """What names the place behind a call in the list."""
    return (
        base64.urlsafe_b64encode(json.dumps([row["created_at"].isoformat(), row["id"]]).encode()).decode().rstrip("=")
    )


def place_of(cursor: str) -> Place:
    """The place that a cursor names; raises ValueError."""
    try:
        at, call_id = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        created_at = datetime.fromisoformat(at)
    except (ValueError, TypeError) as error:
        raise ValueError("not a cursor") from error
    if created_at.tzinfo is None or not isinstance(call_id, str) or not re.fullmatch(CALL_ID, call_id):
        raise ValueError("not a cursor")
    return Place(created_at, call_id)
