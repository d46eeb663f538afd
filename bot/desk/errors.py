"""What goes wrong with a single request."""

from processors.failover.circuit import Failure


class DeskError(Exception):
    """Base of the desk's errors; the message says what to do."""


class DeskRequestError(DeskError):
    """The request itself is wrong and will fail again unchanged; `status` is its HTTP status, `title` what is wrong."""

    def __init__(self, title: str, detail: str, *, status: int = 422):
        super().__init__(detail)
        self.title = title
        self.status = status


class DeskBusyError(DeskError):
    """As many requests as are taken at once are being answered; the same may succeed a moment later."""


class DeskUnavailableError(DeskError):
    """The desk, or a service that it asks, did not answer; the same request may succeed a moment later.

    `failure` is what the service's circuit is told.
    """

    def __init__(self, detail: str, *, failure: Failure = Failure.UNKNOWN):
        super().__init__(detail)
        self.failure = failure
