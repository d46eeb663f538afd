"""Packets of sound that never come, or come late: aiortc has no setting for it."""

import asyncio
from collections.abc import Callable
from typing import Any

from evals.degraded.packets import Fate

# The second byte of RTCP, which shares its port with the sound.
RTCP = range(192, 224)


def mishap(transport: Any, *, fate: Callable[[], Fate], tasks: list[asyncio.Task[None]]) -> None:
    """Has each packet of sound that this DTLS transport sends meet the `fate` of that moment.

    What is late does not hold up what follows, so that it may come out of order. `tasks` gets what is under way.
    """
    send = transport._send_rtp

    async def late(data: bytes, secs: float) -> None:
        await asyncio.sleep(secs)
        try:
            await send(data)
        except ConnectionError:
            # The call is over.
            return

    async def sent(data: bytes) -> None:
        meets = Fate() if data[1] in RTCP else fate()
        if meets.lost:
            return
        if meets.late_ms:
            tasks.append(task := asyncio.create_task(late(data, meets.late_ms / 1000)))
            task.add_done_callback(tasks.remove)
        else:
            await send(data)

    transport._send_rtp = sent
