import asyncio

from knowledge.fetching.pace import Pace


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, secs: float) -> None:
        self.slept.append(secs)
        self.now += secs


async def ask(pace: Pace, *hosts: str) -> None:
    for host in hosts:
        async with pace.turn(host):
            pass


async def test_the_first_turn_does_not_wait() -> None:
    clock = Clock()
    await ask(Pace(pause_secs=2, clock=clock, sleep=clock.sleep), "a")
    assert clock.slept == []


async def test_the_next_turn_of_a_host_waits() -> None:
    clock = Clock()
    await ask(Pace(pause_secs=2, clock=clock, sleep=clock.sleep), "a", "a", "a")
    assert clock.slept == [2, 2]


async def test_another_host_does_not_wait() -> None:
    clock = Clock()
    await ask(Pace(pause_secs=2, clock=clock, sleep=clock.sleep), "a", "b", "c")
    assert clock.slept == []


async def test_a_pause_that_has_passed_is_not_waited_for() -> None:
    clock = Clock()
    pace = Pace(pause_secs=2, clock=clock, sleep=clock.sleep)
    await ask(pace, "a")
    clock.now += 3
    await ask(pace, "a")
    assert clock.slept == []


async def test_a_host_is_asked_by_one_at_a_time() -> None:
    pace = Pace(pause_secs=0)
    inside: list[str] = []
    most = 0

    async def visit() -> None:
        nonlocal most
        async with pace.turn("a"):
            inside.append("here")
            most = max(most, len(inside))
            await asyncio.sleep(0)
            inside.pop()

    await asyncio.gather(*(visit() for _ in range(5)))
    assert most == 1


async def test_a_turn_that_fails_lets_the_next_one_in() -> None:
    clock = Clock()
    pace = Pace(pause_secs=2, clock=clock, sleep=clock.sleep)
    try:
        async with pace.turn("a"):
            raise ValueError
    except ValueError:
        await ask(pace, "a")
    assert clock.slept == [2]
