"""What the session routes take and give."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CreateSession(BaseModel):
    """A new call."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"channel": "webrtc"}]})

    channel: Literal["webrtc"] = "webrtc"


class CreatedSession(BaseModel):
    """Where the call is and how to join it."""

    id: str = Field(examples=["6f1c0b8e5d2a4c79"])
    token: str = Field(description="goes into `Authorization: Bearer …`")
    call_link: str = Field(description="open it in a browser", examples=["http://127.0.0.1:7860/call/…"])
    expires_at: datetime = Field(description="the call must be joined by then")


class Offer(BaseModel):
    """A WebRTC offer."""

    sdp: str = Field(min_length=1, max_length=100_000)
    type: Literal["offer"] = "offer"
    pc_id: str | None = Field(default=None, description="the connection to renegotiate; none for the first offer")
    restart_pc: bool | None = None


class Answer(BaseModel):
    """The bot's answer to an offer."""

    sdp: str
    type: Literal["answer"]
    pc_id: str


class Candidate(BaseModel):
    """An ICE candidate; an empty one ends them."""

    candidate: str = Field(max_length=1000)
    sdp_mid: str | None = None
    sdp_mline_index: int | None = None


class Candidates(BaseModel):
    """Late ICE candidates of the caller."""

    pc_id: str
    candidates: list[Candidate] = Field(max_length=100)


class SessionState(BaseModel):
    """How a call stands."""

    id: str
    state: Literal["created", "connected", "ended"]
    created_at: datetime
    turns: int = Field(description="answers given so far")
    end_reason: str | None = None
