import asyncio

import pytest
from aioice import ice

from evals.caller.loopback import is_loopback, keep_loopback_candidates, loopback_candidates

NEAR = "a=candidate:1 1 udp 2130706431 127.0.0.1 50000 typ host\r\n"
FAR = "a=candidate:2 1 udp 2130706431 192.0.2.7 50001 typ host\r\n"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.0.1", True),
        ("::1", True),
        ("192.0.2.7", False),
        ("x.org", False),
    ],
)
def test_only_names_of_this_machine_are_loopback(host, expected):
    assert is_loopback(host) is expected


def test_ice_gathers_the_loopback_address_within_the_context():
    with loopback_candidates():
        assert ice.get_host_addresses(True, True) == ["127.0.0.1"]


def test_ice_skips_the_loopback_address_after_the_context():
    with loopback_candidates():
        pass
    assert "127.0.0.1" not in ice.get_host_addresses(True, True)


async def test_another_call_at_the_same_time_is_not_affected():
    gathering, gathered = asyncio.Event(), asyncio.Event()

    async def call_this_machine():
        with loopback_candidates():
            gathering.set()
            await gathered.wait()

    near = asyncio.create_task(call_this_machine())
    await gathering.wait()
    addresses = ice.get_host_addresses(True, True)
    gathered.set()
    await near
    assert "127.0.0.1" not in addresses


def test_candidates_elsewhere_are_dropped():
    assert keep_loopback_candidates(f"v=0\r\n{FAR}{NEAR}m=audio\r\n") == f"v=0\r\n{NEAR}m=audio\r\n"
