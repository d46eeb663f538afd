"""Which URLs may be fetched, judged by how they are written."""

import re

from yarl import URL

from knowledge.errors import DocumentError

PORTS = frozenset({80, 443, 8080, 8443})

# A document's source stands in a unique index, whose entries the database bounds.
MAX_URL_CHARACTERS = 2000

_USER_INFO = re.compile(r"(?<=//)[^/?#]*@")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def checked_url(text: str, *, ports: frozenset[int] = PORTS) -> URL:
    """Return the URL in its normal form without its fragment; raises DocumentError when it may not be fetched.

    The error names the URL without the user and password that may stand in it.
    """
    shown = _shown(text)
    try:
        url = URL(text.strip()).with_fragment(None)
        host, port = url.host, url.port
        url = url if url.path != "/" else url.with_path("/", keep_query=True)
    except ValueError as error:
        raise DocumentError(shown, "it is not a valid web address; check how it is written.") from error
    if _CONTROL.search(text.strip()):
        raise DocumentError(shown, "it holds a line break or control character; check how it is written.")
    if url.scheme not in ("http", "https") or not host:
        raise DocumentError(shown, "only web addresses can be fetched; give one that begins with https:// or http://.")
    if url.user is not None or url.password is not None:
        raise DocumentError(shown, "it holds a user name or password; only pages that need no login can be fetched.")
    if port not in ports:
        known = ", ".join(str(each) for each in sorted(ports))
        raise DocumentError(shown, f"port {port} is not one of those that pages are fetched from ({known}).")
    if len(str(url)) > MAX_URL_CHARACTERS:
        raise DocumentError(shown, f"it is longer than {MAX_URL_CHARACTERS} characters; use a shorter address.")
    return url


def redirect_target(current: URL, location: str, *, ports: frozenset[int] = PORTS) -> URL:
    """Return the URL that a `Location` header leads to; raises DocumentError when it may not be followed."""
    try:
        joined = str(current.join(URL(location)))
    except ValueError as error:
        raise DocumentError(_shown(location), "it is not a valid web address; name the final address.") from error
    target = checked_url(joined, ports=ports)
    if current.scheme == "https" and target.scheme == "http":
        raise DocumentError(
            str(target), "it is not encrypted, and the page that led to it was; name the final address."
        )
    return target


def _shown(text: str) -> str:
    """Return an address as an error may show it: no user, no password, no endless text."""
    return _USER_INFO.sub("", text)[:MAX_URL_CHARACTERS]
