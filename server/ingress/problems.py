"""What a caller is told where a session can't do what it was asked."""

from collections.abc import Iterator
from contextlib import contextmanager

from server.errors import Problem
from server.ingress.launcher import BotGoneError, BotRefusedError


def refused(error: BotRefusedError) -> Problem:
    """The bot would not join the caller, or not be changed so."""
    if error.status == 409:
        return Problem(409, "This call is already taken", str(error))
    return Problem(422, "The call can't do that", str(error))


def over() -> Problem:
    """The call is no longer there to join."""
    return Problem(410, "This call has ended", "Start a new call.")


def draining() -> Problem:
    """This server is about to end."""
    return Problem(503, "This server takes no new calls", "It is about to be replaced. Try again.", retry_after_secs=1)


def lost() -> Problem:
    """The call's bot is dead, and no other there yet."""
    return Problem(503, "The assistant was lost", "Another takes its place. Try again.", retry_after_secs=1)


def gone() -> Problem:
    """The call's bot says nothing."""
    return Problem(503, "The assistant did not answer", "Try again in a moment.", retry_after_secs=1)


@contextmanager
def told_to_caller() -> Iterator[None]:
    """Makes a `Problem` of what a bot refuses, or of its silence."""
    try:
        yield
    except BotRefusedError as error:
        raise refused(error) from error
    except BotGoneError as error:
        raise gone() from error
