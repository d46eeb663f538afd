"""Makes `time.time()` of this process go on evenly when the system's clock is set: imported first of what bots preload.

Pipecat and aiortc pace a call's sound by `time.time()`. A clock that is set forward by an hour would have them send an
hour of sound at once, one that is set back would have them wait an hour.
"""

import time

from bot.clock import SteadyClock

CLOCK = SteadyClock(now=time.time)
time.time = CLOCK
