"""Where a request comes from."""

from typing import Any

import pytest
from fastapi.requests import HTTPConnection

from server.auth.addresses import address_of, is_this_host


def connection(client: str | None, *, server: str = "192.0.2.9", headers: dict[str, str] | None = None) -> Any:
    return HTTPConnection(
        {
            "type": "http",
            "client": None if client is None else (client, 4711),
            "server": (server, 7860),
            "headers": [(name.encode(), value.encode()) for name, value in (headers or {}).items()],
        }
    )


@pytest.mark.parametrize(
    ("client", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("not an address", "unknown"),
        ("1.2.3.4\r\nx", "unknown"),
        (None, "unknown"),
    ],
)
def test_limits_count_addresses_and_networks(client: str | None, address: str):
    assert address_of(connection(client)) == address


@pytest.mark.parametrize(
    ("client", "is_here"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("192.0.2.9", True),
        ("192.0.2.1", False),
        ("localhost", False),
        (None, False),
    ],
)
def test_this_host_is_loopback_or_the_address_that_was_asked(client: str | None, is_here: bool):
    assert is_this_host(connection(client)) is is_here


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip", "via"])
def test_what_a_proxy_of_this_host_hands_on_is_not_of_this_host(header: str):
    assert not is_this_host(connection("127.0.0.1", headers={header: "127.0.0.1"}))
