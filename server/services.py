"""What a running server holds."""

from dataclasses import dataclass

from knowledge.client import KnowledgeClient
from knowledge.gaps import GapStore
from knowledge.jobs import JobStore
from knowledge.queue import Queue
from knowledge.store import Store
from server.auth.guard import Guard
from server.auth.key_desk import KeyDesk
from server.auth.tokens import SessionTokens
from server.desk import Desk
from server.ingress.busy import BusySentence
from server.ingress.operations import Operations
from server.ingress.page import Page
from server.ingress.public_calls import PublicCalls
from server.ingress.sessions import Sessions
from server.metrics.exposition import Metrics
from server.metrics.host import Host
from server.processes import SupervisedProcess
from server.records.erasure import Erasure
from server.records.recorder import Recorder
from server.records.store import CallStore
from server.resources import Resources
from server.tts.cache import SpeechCache


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The documents: what is stored of them, the jobs that index them, the gaps, and the search."""

    store: Store
    jobs: JobStore
    queue: Queue
    gaps: GapStore
    search: KnowledgeClient


@dataclass(frozen=True, slots=True)
class Records:
    """What is kept of calls: who reads, erases and writes it."""

    calls: CallStore
    erasure: Erasure
    recorder: Recorder


@dataclass(frozen=True, slots=True)
class Services:
    """Made by `startup.start`, handed to the routes."""

    resources: Resources
    knowledge: Knowledge
    records: Records
    guard: Guard
    key_desk: KeyDesk
    public_calls: PublicCalls
    tokens: SessionTokens
    sessions: Sessions
    operations: Operations
    busy: BusySentence
    drain_secs: float
    page: Page
    desk: Desk
    speech_cache: SpeechCache
    processes: tuple[SupervisedProcess, ...]
    metrics: Metrics
    host: Host
