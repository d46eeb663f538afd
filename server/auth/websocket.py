"""Where a websocket's handshake carries its token: never in the address, which proxies and servers write into logs."""

from collections.abc import Sequence

from server.errors import Problem

# Browsers can set no header of a websocket but its subprotocols.
TOKEN_PREFIX = "jarvis.token."  # noqa: S105  (a prefix, not a token)


def token_of(authorization: str | None, subprotocols: Sequence[str]) -> str:
    """The token of `Authorization: Bearer …`, or of the subprotocol `jarvis.token.…`; raises a 401 `Problem`."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        return token.strip()
    shown = next((each.removeprefix(TOKEN_PREFIX) for each in subprotocols if each.startswith(TOKEN_PREFIX)), "")
    if not shown:
        raise Problem(
            401,
            "A token is needed",
            f"Send it as `Authorization: Bearer …`, or from a browser as the subprotocol `{TOKEN_PREFIX}…`.",
        )
    return shown
