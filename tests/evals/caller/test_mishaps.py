import asyncio

from evals.caller.mishaps import mishap
from evals.degraded.packets import Fate

SOUND, RTCP = bytes([0x80, 111]), bytes([0x80, 200])


class Transport:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    async def _send_rtp(self, data: bytes) -> None:
        self.sent.append(data)


async def after(*fates: Fate, packets: list[bytes]) -> list[bytes]:
    transport, tasks, left = Transport(), [], list(fates)
    mishap(transport, fate=lambda: left.pop(0), tasks=tasks)
    for packet in packets:
        await transport._send_rtp(packet)
    await asyncio.gather(*tasks)
    assert left == []
    return transport.sent


async def test_what_is_lost_never_comes_and_the_rest_does():
    packets = [SOUND + bytes([number]) for number in range(3)]
    assert await after(Fate(), Fate(lost=True), Fate(), packets=packets) == [packets[0], packets[2]]


async def test_what_is_late_lets_others_pass():
    packets = [SOUND + b"1", SOUND + b"2"]
    assert await after(Fate(late_ms=1.0), Fate(), packets=packets) == packets[::-1]


async def test_reports_on_the_connection_meet_no_fate():
    assert await after(packets=[RTCP]) == [RTCP]
