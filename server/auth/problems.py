"""What those are told who may not, not now, or not so often."""

from server.auth.keys import State
from server.auth.principal import Principal, Scope
from server.errors import Problem

AWAY_RETRY_SECS = 2
PLACE_RETRY_SECS = 1
SEND_A_KEY = "Send an API key as `Authorization: Bearer jk_…`; `jarvis keys create` makes one."


def key_needed() -> Problem:
    """No key was sent."""
    return Problem(401, "A key is needed", SEND_A_KEY)


def key_refused(state: State | None) -> Problem:
    """A key was sent that opens nothing; who has a real one is told what became of it."""
    if state == "expired":
        return Problem(401, "This key has expired", "Ask for a new one; `jarvis keys create` makes it.")
    if state == "revoked":
        return Problem(401, "This key was revoked", "Ask for a new one; `jarvis keys create` makes it.")
    return Problem(401, "This key is not valid", f"Check that it was copied whole. {SEND_A_KEY}")


def keys_away() -> Problem:
    """Nobody knows whether the key is one."""
    detail = "The database does not answer. Try again in a moment."
    return Problem(503, "The key can't be checked", detail, retry_after_secs=AWAY_RETRY_SECS)


def scope_missing(scope: Scope, principal: Principal) -> Problem:
    """The key is good, but not for this."""
    has = ", ".join(sorted(principal.scopes))
    detail = f"This needs a key with the scope `{scope}`; the one that was sent has {has}."
    return Problem(403, f"The scope {scope} is missing", detail)


def too_often(*, per_minute: int, reset_secs: int, whose: str) -> Problem:
    """More requests than a minute has room for; `whose` limit it is, as in "of this key"."""
    return Problem(
        429,
        "Too many requests",
        f"The limit {whose} is {per_minute} a minute. Try again in {reset_secs} s.",
        retry_after_secs=reset_secs,
        headers={
            "RateLimit-Limit": str(per_minute),
            "RateLimit-Remaining": "0",
            "RateLimit-Reset": str(reset_secs),
            "RateLimit-Policy": f"{per_minute};w=60",
        },
    )


def too_many_at_once(at_once: int) -> Problem:
    """More requests than the key may have open."""
    detail = f"This key may have {at_once} open at once. Wait for one of them to end."
    return Problem(429, "Too many requests at once", detail, retry_after_secs=PLACE_RETRY_SECS)
