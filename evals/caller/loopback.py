"""Keep a call to a server on this machine on this machine."""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from aioice import ice

LOOPBACK_ADDRESS = "127.0.0.1"

_system_addresses = ice.get_host_addresses
_only_loopback: ContextVar[bool] = ContextVar("only_loopback", default=False)


def is_loopback(host: str) -> bool:
    """Whether a host name or address stands for this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@contextmanager
def loopback_candidates() -> Iterator[None]:
    """Within this context, and no other, ICE gathers the loopback address alone.

    aioice always skips loopback and has no setting for it, so its one function that lists addresses is replaced;
    outside of the context it answers as before.
    """
    ice.get_host_addresses = _host_addresses
    token = _only_loopback.set(True)
    try:
        yield
    finally:
        _only_loopback.reset(token)


def keep_loopback_candidates(sdp: str) -> str:
    """The description without the candidates that lie elsewhere."""
    return "".join(
        line
        for line in sdp.splitlines(keepends=True)
        if not line.startswith("a=candidate:") or is_loopback(line.split()[4])
    )


def has_candidates(sdp: str) -> bool:
    """Whether a description names any address to send media to."""
    return "a=candidate:" in sdp


def _host_addresses(use_ipv4: bool, use_ipv6: bool) -> list[str]:
    if _only_loopback.get():
        return [LOOPBACK_ADDRESS] if use_ipv4 else []
    return _system_addresses(use_ipv4, use_ipv6)
