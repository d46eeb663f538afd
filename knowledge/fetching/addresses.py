"""Which IP addresses are on the public internet.

The tables follow IANA's registries of special-purpose addresses; they are written out because what `ipaddress` knows of
them differs between versions of Python.
"""

from ipaddress import AddressValueError, IPv4Address, IPv4Network, IPv6Address, IPv6Network

_NOT_PUBLIC_V4 = {
    IPv4Network(network): kind
    for network, kind in (
        ("0.0.0.0/8", "an unspecified address"),
        ("10.0.0.0/8", "a private address"),
        ("100.64.0.0/10", "an address inside a provider's network"),
        ("127.0.0.0/8", "a loopback address"),
        # Azure's address for its virtual machines, public by its number only.
        ("168.63.129.16/32", "a cloud metadata address"),
        ("169.254.169.254/32", "a cloud metadata address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private address"),
        ("192.0.0.0/24", "a reserved address"),
        ("192.0.2.0/24", "a documentation address"),
        ("192.88.99.0/24", "a reserved address"),
        ("192.168.0.0/16", "a private address"),
        ("198.18.0.0/15", "a benchmark address"),
        ("198.51.100.0/24", "a documentation address"),
        ("203.0.113.0/24", "a documentation address"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved address"),
    )
}

# The only IPv6 addresses given out to hosts on the internet, and what is set apart among them.
_UNICAST_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = {
    IPv6Network(network): kind
    for network, kind in (
        ("::/128", "an unspecified address"),
        ("::1/128", "a loopback address"),
        ("::/96", "an IPv4 address inside an IPv6 one"),
        ("::ffff:0:0/96", "an IPv4 address inside an IPv6 one"),
        ("64:ff9b::/96", "an IPv4 address inside an IPv6 one"),
        ("64:ff9b:1::/48", "an IPv4 address inside an IPv6 one"),
        ("2001::/32", "an IPv4 address inside an IPv6 one"),
        ("2001:2::/48", "a benchmark address"),
        ("2001::/23", "a reserved address"),
        ("2001:db8::/32", "a documentation address"),
        ("2002::/16", "an IPv4 address inside an IPv6 one"),
        ("3fff::/20", "a documentation address"),
        ("fd00:ec2::254/128", "a cloud metadata address"),
        ("fd20:ce::254/128", "a cloud metadata address"),
        ("fc00::/7", "a private address"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private address"),
        ("ff00::/8", "a multicast address"),
    )
}


def refusal(address: str) -> str | None:
    """Return what kind of address it is when it is not on the public internet, as in "a loopback address", else None.

    Only the full spelling counts as an address: four decimal numbers, or IPv6 without a zone.
    """
    try:
        v4 = IPv4Address(address)
    except AddressValueError:
        return _refusal_v6(address)
    return next((kind for network, kind in _NOT_PUBLIC_V4.items() if v4 in network), None)


def _refusal_v6(address: str) -> str | None:
    try:
        v6 = IPv6Address(address)
    except AddressValueError:
        return "no full IP address"
    if v6.scope_id is not None:
        return "an address of one network interface"
    kind = next((kind for network, kind in _NOT_PUBLIC_V6.items() if v6 in network), None)
    return kind or (None if v6 in _UNICAST_V6 else "a reserved address")
