"""Why a page did not come, and what an operator can do about it."""

import aiohttp

from knowledge.errors import DocumentError


class StatusError(DocumentError):
    """The server answered, with a status that is no success."""

    def __init__(self, source: str, reason: str, *, status: int) -> None:
        super().__init__(source, reason)
        self.status = status


class RefusedAddressError(OSError):
    """An address that must not be connected to; `kind` is what it is, as in "a loopback address".

    Its text is always the same, so that a name with several such addresses still fails with this error.
    """

    def __init__(self, kind: str) -> None:
        super().__init__("address refused")
        self.kind = kind


def status_reason(status: int) -> str:
    """Return what an operator can do about a status that is no success."""
    if status in (401, 403):
        return f"it needs a login or is closed to robots (status {status}); save it as a file and add that instead."
    if status in (404, 410):
        return f"there is no such page (status {status}); check the address."
    if status == 429 or status >= 500:
        return f"the server cannot answer now (status {status}); try again later."
    return f"the server answered without a page (status {status}); check the address."


def failure_reason(error: aiohttp.ClientError, *, connect_secs: float) -> str:
    """Return what an operator can do about a connection that failed."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"the server could not be reached within {connect_secs:g} seconds; check the address."
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its host name is unknown; check how it is written."
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "its certificate is not valid; ask the site's owner, or save the page as a file and add that instead."
    if isinstance(error, aiohttp.ClientConnectorError):
        if isinstance(error.os_error, RefusedAddressError):
            return f"it leads to {error.os_error.kind}; only pages on the public internet can be fetched."
        return "the server could not be reached; check the address."
    if isinstance(error, aiohttp.InvalidURL):
        return "it is not a valid web address; check how it is written."
    return "the server broke off or its answer makes no sense; try again later."
