"""What a running server holds."""

from dataclasses import dataclass

from server.auth.tokens import SessionTokens
from server.ingress.page import Page
from server.ingress.sessions import Sessions
from server.processes import SupervisedProcess
from server.resources import Resources


@dataclass(frozen=True, slots=True)
class Services:
    """Made by `startup.start`, handed to the routes."""

    resources: Resources
    tokens: SessionTokens
    sessions: Sessions
    page: Page
    processes: tuple[SupervisedProcess, ...]
