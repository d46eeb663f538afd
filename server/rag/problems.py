"""What goes wrong with the knowledge, as HTTP says it and as the interface's description lists it."""

from typing import Any

from knowledge.errors import EmptyQuestionError, KnowledgeError, KnowledgeUnavailableError, NoSuchCollectionError
from server.errors import Problem, described

RETRY_SECS = 2
_MEANINGS = {
    404: ("There is no such document", "nothing of this name or id"),
    413: ("The request is too large", "more than is taken at once"),
    415: ("The body is of the wrong type", "a type that is not taken; the answer names those that are"),
    422: ("The request is not valid", "the answer names what is wrong and what is expected"),
    503: ("The knowledge can't be reached", "a part is down; Retry-After says when to try again"),
}


def problem_of(error: KnowledgeError) -> Problem:
    """The knowledge's error as an answer."""
    match error:
        case EmptyQuestionError():
            return Problem(422, "The question is empty", str(error))
        case NoSuchCollectionError():
            return Problem(404, "There is no such collection", str(error))
        case KnowledgeUnavailableError():
            return Problem(503, "The knowledge can't be reached", str(error), retry_after_secs=RETRY_SECS)
        case _:
            return Problem(
                500, "Something went wrong on our side", "Try again; the server's log has the kind of error."
            )


def no_such(what: str) -> Problem:
    """A 404 for an id; `what` as in "document"."""
    return Problem(404, f"There is no such {what}", f"Check the id; `GET /api/rag/{what}s` lists those that are there.")


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The problems of a route, as OpenAPI wants them: 422, 503 and these."""
    return {status: described(status, *_MEANINGS[status]) for status in sorted({422, 503, *statuses})}
