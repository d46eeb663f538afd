"""A clock that goes on evenly."""

from datetime import UTC, datetime

from bot.clock import SteadyClock


class Clocks:
    """The system's two clocks, in the hands of a test."""

    def __init__(self) -> None:
        self.day = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
        self.running = 5000.0


def steady(clocks: Clocks) -> SteadyClock:
    return SteadyClock(now=lambda: clocks.day, monotonic=lambda: clocks.running)


def test_it_begins_with_the_time_of_day():
    clocks = Clocks()
    assert steady(clocks)() == clocks.day


def test_it_goes_on_evenly_where_the_systems_clock_is_set():
    clocks = Clocks()
    clock, began = steady(clocks), clocks.day
    clocks.day, clocks.running = clocks.day + 3600, clocks.running + 1
    assert clock() == began + 1


def test_set_anew_it_has_the_time_of_day_again():
    clocks = Clocks()
    clock = steady(clocks)
    clocks.day += 3600
    clock.set()
    assert clock() == clocks.day
