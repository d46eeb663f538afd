"""What goes wrong with audio, as the interface's description lists it."""

from typing import Any

from server.errors import described

_MEANINGS = {
    400: ("The request broke off", "the body ended before its end"),
    408: ("The audio stopped coming", "nothing came for 30 seconds"),
    413: ("The audio is too long", "more than is taken at once, in bytes or minutes"),
    415: ("The body is of the wrong type", "a type that is not taken; the answer names those that are"),
    422: ("This is not audio that can be read", "not audio, damaged, empty, or raw PCM that ends within a sample"),
    503: ("The services can't answer now", "as many are heard as are at once, or a part is down; see Retry-After"),
}


def responses() -> dict[int | str, dict[str, Any]]:
    """The problems of a route that takes audio, as OpenAPI wants them."""
    return {status: described(status, *said) for status, said in _MEANINGS.items()}
