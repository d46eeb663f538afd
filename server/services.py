"""What a running server holds."""

from dataclasses import dataclass

from knowledge.client import KnowledgeClient
from knowledge.gaps import GapStore
from knowledge.jobs import JobStore
from knowledge.queue import Queue
from knowledge.store import Store
from server.auth.operator import OperatorKey
from server.auth.tokens import SessionTokens
from server.ingress.busy import BusySentence
from server.ingress.operations import Operations
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.processes import SupervisedProcess
from server.resources import Resources


@dataclass(frozen=True, slots=True)
class Knowledge:
    """The documents: what is stored of them, the jobs that index them, the gaps, and the search."""

    store: Store
    jobs: JobStore
    queue: Queue
    gaps: GapStore
    search: KnowledgeClient


@dataclass(frozen=True, slots=True)
class Services:
    """Made by `startup.start`, handed to the routes."""

    resources: Resources
    knowledge: Knowledge
    operator: OperatorKey
    tokens: SessionTokens
    sessions: Sessions
    operations: Operations
    busy: BusySentence
    drain_secs: float
    page: Page
    processes: tuple[SupervisedProcess, ...]
