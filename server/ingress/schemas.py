"""What the session routes take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from bot.change import Change
from bot.persona import DEFAULT, Persona
from bot.reports import Floor
from knowledge.store import DEFAULT_COLLECTION
from server.ingress.admission import Capacity
from server.ingress.registry import Details, ServerRecord, SessionRecord, State
from server.rag.fields import CollectionName

# Postgres keeps no NUL.
CallerName = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
PersonaId = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9_-]+$")]
Metadata = Annotated[
    dict[
        Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00]+$")],
        Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")],
    ],
    Field(max_length=16),
]


class CreateSession(BaseModel):
    """A new call."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"channel": "webrtc", "caller": "customer-77", "metadata": {"shop": "north"}}]},
    )

    channel: Literal["webrtc", "websocket", "eval"] = Field(
        default="webrtc",
        description="webrtc for browsers; websocket for programs, see `audio_url` of the answer; eval for Pipecat's "
        "eval harness, see `eval_url`, with a key of the scope admin",
    )
    collection: CollectionName = Field(default=DEFAULT_COLLECTION, description="the persona's own where none is named")
    persona: PersonaId = Field(default=DEFAULT, description="who answers, as `jarvis personas` lists them")
    caller: CallerName | None = Field(
        default=None,
        description="who calls, by a name of yours: what is kept of the call can be found and erased by it",
    )
    metadata: Metadata = Field(default={}, description="kept with the call and given back; up to 16 texts")
    wait: bool = Field(default=False, description="whether to wait in line where all lines are busy")
    ticket: str | None = Field(default=None, max_length=100, description="the place in line, once there is one")

    def details(self, persona: Persona) -> Details:
        """What stays with the call, which this persona answers."""
        told = self.model_dump(include=set(Details.model_fields)) | {"language": persona.language}
        if persona.collection is not None and "collection" not in self.model_fields_set:
            told["collection"] = persona.collection
        return Details.model_validate(told)


class CreatedSession(BaseModel):
    """Where the call is and how to join it."""

    id: str = Field(examples=["6f1c0b8e5d2a4c79"])
    token: str = Field(description="goes into `Authorization: Bearer …`")
    call_link: str | None = Field(
        default=None, description="webrtc: open it in a browser", examples=["http://127.0.0.1:7860/call/…"]
    )
    audio_url: str | None = Field(
        default=None,
        description="websocket: connect to it with the token",
        examples=["ws://127.0.0.1:7860/api/ingress/audio/ingest"],
    )
    eval_url: str | None = Field(
        default=None,
        description="eval: what the harness connects to, once; it has the token in it",
        examples=["ws://session:…@127.0.0.1:7860/api/ingress/eval"],
    )
    expires_at: datetime = Field(description="the call must be joined by then")

    @classmethod
    def of(
        cls, session_id: str, *, token: str, channel: str, public_url: str, expires_at: datetime
    ) -> "CreatedSession":
        """A new session, with the address that its channel is joined at."""
        scheme, _, host = public_url.replace("http", "ws", 1).partition("://")
        place = {
            "webrtc": {"call_link": f"{public_url}/call/{token}"},
            "websocket": {"audio_url": f"{scheme}://{host}/api/ingress/audio/ingest"},
            "eval": {"eval_url": f"{scheme}://session:{token}@{host}/api/ingress/eval"},
        }
        return cls(id=session_id, token=token, expires_at=expires_at, **place[channel])


class Waiting(BaseModel):
    """A place in line: ask again with the ticket."""

    ticket: str
    position: int = Field(description="1 is next")
    retry_after_secs: int


class RequestData(BaseModel):
    """What a client adds to an offer."""

    replaces: str | None = Field(default=None, max_length=200, description="the lost connection's pc_id")


class Offer(BaseModel):
    """A WebRTC offer.

    The first one of a call has neither `pc_id` nor `replaces`. `pc_id` alone renegotiates that connection. A caller who
    lost the connection offers a new one: with `pc_id` and `restart_pc`, or with `requestData.replaces`.
    """

    sdp: str = Field(min_length=1, max_length=100_000)
    type: Literal["offer"] = "offer"
    pc_id: str | None = Field(default=None, max_length=200)
    restart_pc: bool | None = None
    requestData: RequestData | None = None


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
    """How a call stands, as its caller may know it."""

    id: str
    state: State = Field(description="reconnecting: a new bot waits for the caller's new offer")
    created_at: datetime
    turns: int = Field(description="answers given so far")
    end_reason: str | None = None


class LiveCall(BaseModel):
    """How a call stands, as the operator may know it."""

    id: str
    state: State
    channel: str
    caller: str | None
    metadata: dict[str, str]
    created_at: datetime
    connected_at: datetime | None
    turns: int
    floor: Floor = Field(description="who has the word")
    v2v_ms: int | None = Field(description="the last answer's, as the bot measures it")
    cpu_percent: float | None = Field(description="of one core")
    memory_mb: float | None = Field(description="of its bot alone")
    bots: int = Field(description="how many bots it has had")
    chosen: Change = Field(default=Change(), description="what was chosen for it while it went on")
    server: str

    @classmethod
    def of(cls, record: SessionRecord) -> "LiveCall":
        """The record without what joins a caller."""
        return cls.model_validate({**record.details.model_dump(), **record.model_dump(include=set(cls.model_fields))})


class LiveServer(ServerRecord):
    """A server of this host."""

    answering: bool = Field(description="whether it is the one that answers")


class Overview(BaseModel):
    """Everything that runs on this host."""

    sessions: list[LiveCall]
    servers: list[LiveServer]
    capacity: Capacity
    waiting: int = Field(description="callers in line")


class Draining(BaseModel):
    """A server that takes no new calls."""

    draining: Literal[True] = True
    live_sessions: int
    limit_secs: float = Field(description="after which calls that still run are told goodbye")
