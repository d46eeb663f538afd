"""What a caller is told where a session can't do what it was asked."""

from server.errors import Problem
from server.ingress.launcher import BotRefusedError


def refused(error: BotRefusedError) -> Problem:
    """The bot would not join the caller."""
    if error.status == 409:
        return Problem(409, "This call is already taken", str(error))
    return Problem(422, "The offer can't be answered", str(error))


def over() -> Problem:
    """The call is no longer there to join."""
    return Problem(410, "This call has ended", "Start a new call.")


def draining() -> Problem:
    """This server is about to end."""
    return Problem(503, "This server takes no new calls", "It is about to be replaced. Try again.", retry_after_secs=1)
