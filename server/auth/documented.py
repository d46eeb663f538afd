"""What the guard may answer, in the interface's description of every route that asks for a key or a token."""

from typing import Any

from fastapi import FastAPI

from server.errors import described

_REFUSALS = {
    "401": described(401, "A key is needed", "no key or token, or one that is not valid any more"),
    "403": described(403, "The scope asr is missing", "the key has not the scope, or the token is for another call"),
    "429": described(
        429,
        "Too many requests",
        "more than the limits of the key or the address allow",
        Retry_After="seconds",
        RateLimit_Limit="requests a minute",
        RateLimit_Remaining="requests that are left",
        RateLimit_Reset="seconds until there is room",
    ),
}
_KEY_AWAY = {"503": described(503, "The key can't be checked", "a part is down")}


def document(app: FastAPI) -> None:
    """Has the app describe what its guard answers."""
    describe = app.openapi

    def openapi() -> dict[str, Any]:
        """The description, made once."""
        schema = describe()
        for operations in schema["paths"].values():
            for operation in operations.values():
                asked = {name for each in operation.get("security", ()) for name in each}
                for status, answer in ((_REFUSALS if asked else {}) | (_KEY_AWAY if "key" in asked else {})).items():
                    operation["responses"].setdefault(status, answer)
        return schema

    app.openapi = openapi
