"""Where a request comes from, as far as its connection and the proxies that are trusted can tell.

uvicorn has put the address that a trusted proxy names into the connection before anything here looks at it.
"""

import ipaddress

from fastapi.requests import HTTPConnection

UNKNOWN = "unknown"
# Whoever has IPv6 has a network of this size.
IPV6_PREFIX = 64
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip", "via")


def address_of(connection: HTTPConnection) -> str:
    """Whom limits count together: an IPv4 address, or an IPv6 network."""
    address = _parsed(_host(connection.client))
    if address is None:
        return UNKNOWN
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, IPV6_PREFIX), strict=False).network_address)


def is_this_host(connection: HTTPConnection) -> bool:
    """Whether the request was made on this host, and by no proxy for somebody else."""
    address = _parsed(_host(connection.client))
    if address is None or any(name in connection.headers for name in FORWARDED):
        return False
    return address.is_loopback or address == _parsed(_host(connection.scope.get("server")))


def _host(peer: tuple[str, int | None] | None) -> str:
    return "" if peer is None else peer[0]


def _parsed(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
