"""What a running server holds."""

from dataclasses import dataclass

from knowledge.client import KnowledgeClient
from server.auth.tokens import SessionTokens
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.processes import SupervisedProcess
from server.resources import Resources


@dataclass(frozen=True, slots=True)
class Services:
    """Made by `app.start`, handed to the routes."""

    resources: Resources
    tokens: SessionTokens
    sessions: Sessions
    knowledge: KnowledgeClient
    page: Page
    processes: tuple[SupervisedProcess, ...]
