"""How a vendor's double begins to fail in a turn of a call."""

import asyncio

from evals.drill.doubles import Doubles
from evals.drill.run import MIDST_SECS
from evals.drill.scenarios import BY_CONNECTION
from evals.scenarios.keys import FaultAt

# What is met only where a connection is made: one that is kept is broken for it.
OF_CONNECTIONS = frozenset({*BY_CONNECTION, "unauthorized", "half_open"})


def begin(fault: FaultAt, double: str, vendors: Doubles) -> asyncio.TimerHandle | None:
    """Has it fail from the beginning of a turn on.

    A connection that it keeps is broken as well, or stands still; that of a recogniser in the midst of what the caller
    says, which is what the handle is for: cancel it where the call is over before.
    """
    if fault.stage == "llm" or fault.fault not in OF_CONNECTIONS:
        vendors.tell(double=double, fault=fault.fault)
        return None
    if fault.stage == "stt":
        return asyncio.get_running_loop().call_later(MIDST_SECS, _break, fault, double, vendors)
    _break(fault, double, vendors)
    return None


def _break(fault: FaultAt, double: str, vendors: Doubles) -> None:
    if fault.fault == "half_open":
        vendors.tell(double=double, do="freeze")
    else:
        vendors.tell(double=double, fault=fault.fault)
        vendors.tell(double=double, do="hang_up")
