"""How many more calls a host can take."""

from pathlib import Path

import psutil
import pytest

from server.ingress.admission import (
    MB,
    CallCost,
    Capacity,
    HostLoad,
    HostMeter,
    Limits,
    Reading,
    busy_percent,
    capacity,
    measured_cost,
    quota_percent,
)
from server.ingress.container import Container, CpuQuota

IDLE = HostLoad(cpu_percent=0, available_mb=4000)
COST = CallCost(cpu_percent=10, memory_mb=50)
LIMITS = Limits(max_sessions=4, max_cpu_percent=85, bot_memory_mb=100)


def host(
    *, load: HostLoad = IDLE, live: int = 1, young: int = 0, cost: CallCost = COST, limits: Limits = LIMITS
) -> Capacity:
    return capacity(load=load, live=live, young=young, cost=cost, limits=limits)


@pytest.mark.parametrize(
    ("live", "free", "limit"), [(0, 4, None), (3, 1, None), (4, 0, "max_sessions"), (6, 0, "max_sessions")]
)
def test_the_operators_cap_holds(live: int, free: int, limit: str | None):
    assert (host(live=live).free, host(live=live).limited_by) == (free, limit)


@pytest.mark.parametrize(("cpu_percent", "free", "limit"), [(0, 3, None), (65, 2, None), (75, 1, None), (76, 0, "cpu")])
def test_a_call_is_taken_while_the_cores_have_room_for_what_calls_cost(
    cpu_percent: float, free: int, limit: str | None
):
    measured = host(load=HostLoad(cpu_percent, 4000))
    assert (measured.free, measured.limited_by) == (free, limit)


def test_a_host_that_is_busy_with_something_else_still_takes_one_call():
    busy = HostLoad(cpu_percent=100, available_mb=4000)
    assert (host(load=busy, live=0).free, host(load=busy, live=1).free) == (1, 0)


def test_where_the_operator_sets_no_limit_cpu_refuses_nobody():
    busy = HostLoad(cpu_percent=100, available_mb=4000)
    assert host(load=busy, limits=Limits(4, 101, 100)).free == 3


@pytest.mark.parametrize(("available_mb", "free", "limit"), [(149, 0, "memory"), (150, 1, None), (250, 2, None)])
def test_a_call_is_taken_while_there_is_memory_for_it_and_for_one_bots_successor(
    available_mb: int, free: int, limit: str | None
):
    measured = host(load=HostLoad(0, available_mb), live=0)
    assert (measured.free, measured.limited_by) == (free, limit)


def test_a_call_that_takes_more_memory_than_was_set_counts_with_what_it_takes():
    assert [host(load=HostLoad(0, mb), cost=CallCost(10, 200)).free for mb in (399, 400)] == [0, 1]


def test_calls_that_the_load_does_not_show_yet_count_with_their_whole_cost():
    half = HostLoad(cpu_percent=50, available_mb=4000)
    assert [host(load=half, young=young).free for young in (0, 1, 2, 3)] == [3, 2, 1, 0]


def test_memory_counts_calls_that_only_begin():
    tight = HostLoad(cpu_percent=0, available_mb=350)
    assert [host(load=tight, young=young).free for young in (0, 1, 2, 3)] == [3, 2, 1, 0]


def test_a_host_without_a_call_still_refuses_where_memory_is_short():
    assert host(load=HostLoad(cpu_percent=0, available_mb=20), live=0).limited_by == "memory"


def test_the_cost_of_a_call_is_the_mean_of_those_that_run():
    assert measured_cost([(20, 40), (40, 60)], cores=2) == CallCost(cpu_percent=15, memory_mb=50)


def test_where_no_call_runs_its_cost_is_assumed():
    assumed = measured_cost([], cores=2)
    assert assumed.cpu_percent == 2 * measured_cost([], cores=4).cpu_percent > 0
    assert assumed.memory_mb > 0


def test_calls_that_cost_nothing_yet_do_not_make_room_for_ever():
    assert host(cost=measured_cost([(0.0, 0.0)], cores=2), limits=Limits(10**9, 85, 0)).free < 10**9


TIMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal", "guest", "guest_nice")
READING: dict[str, float] = dict.fromkeys(TIMES, 10.0)


def after(**secs: float) -> dict[str, float]:
    return {name: value + secs.get(name, 0.0) for name, value in READING.items()}


@pytest.mark.parametrize(
    ("spent", "percent"),
    [
        ({"idle": 1}, 0),
        ({"user": 1}, 100),
        ({"user": 1, "idle": 3}, 25),
        ({"system": 1, "irq": 1, "softirq": 1, "steal": 1, "idle": 4}, 50),
        ({"nice": 1, "iowait": 1, "idle": 2}, 0),
        ({"user": 1, "guest": 1, "idle": 1}, 50),
        ({"nice": 1, "guest_nice": 1, "user": 1}, 50),
        ({"iowait": -1, "user": 2}, 100),
    ],
)
def test_busy_is_all_but_idle_waiting_and_niced_time(spent: dict[str, float], percent: float):
    assert busy_percent(READING, after(**spent)) == pytest.approx(percent)


def test_two_readings_at_one_moment_tell_nothing():
    assert busy_percent(READING, READING) is None


def test_a_system_that_tells_less_of_its_time_is_measured_too():
    assert busy_percent({"user": 1, "system": 1, "idle": 1}, {"user": 2, "system": 1, "idle": 2}) == 50


@pytest.mark.parametrize(
    ("before", "now", "percent"),
    [
        (CpuQuota(0.5, 10), CpuQuota(0.5, 10.25), 50),
        (CpuQuota(2, 10), CpuQuota(2, 11), 50),
        (CpuQuota(1, 10), CpuQuota(1, 13), 100),
        (CpuQuota(1, 10), CpuQuota(1, 9), 0),
        (None, CpuQuota(2, 11), None),
        (CpuQuota(2, 10), None, None),
        (CpuQuota(2, None), CpuQuota(2, None), None),
    ],
)
def test_a_quota_is_used_by_what_was_used_of_it(before: CpuQuota | None, now: CpuQuota | None, percent: float | None):
    assert quota_percent(before, now, passed_secs=1) == percent


def container(mount: Path, **files: str) -> Container:
    for name, text in files.items():
        (mount / name.replace("_", ".")).write_text(text)
    return Container(membership="0::/", mount=mount)


def metered(percents: list[float], *, quota_percents: list[float] | None = None) -> float:
    """The load of a host whose cores, and whose quota of one core, were busy like this, second by second."""
    meter = HostMeter()
    user = idle = used = 0.0
    for second, percent in enumerate([0.0, *percents]):
        user, idle = user + percent / 100, idle + 1 - percent / 100
        if quota_percents is not None and second:
            used += quota_percents[second - 1] / 100
        quota = None if quota_percents is None else CpuQuota(1, used)
        meter.take(Reading(second, {"user": user, "idle": idle}, quota))
    return meter.load.cpu_percent


@pytest.mark.parametrize(
    ("percents", "load"),
    [([], 0), ([40], 40), ([20, 60], 40), ([100, 0, 0, 0, 0], 20), ([100, 10, 10, 10, 10, 10], 10)],
)
def test_the_load_is_the_mean_of_the_last_five_seconds(percents: list[float], load: float):
    assert metered(percents) == pytest.approx(load)


@pytest.mark.parametrize(("cores", "quota", "load"), [(20, 90, 90), (90, 20, 90)])
def test_the_load_is_that_of_the_cores_or_of_the_quota_whichever_is_more(cores: float, quota: float, load: float):
    assert metered([cores], quota_percents=[quota]) == pytest.approx(load)


def test_the_memory_of_a_container_is_what_its_limit_leaves(tmp_path: Path):
    limited = container(tmp_path, memory_max=str(30 * MB), memory_current=str(10 * MB))
    assert HostMeter(container=limited).load.available_mb == 20


def test_a_limit_above_what_the_host_has_gives_no_more_than_that(tmp_path: Path):
    limited = container(tmp_path, memory_max=str(2**60), memory_current="0")
    assert 0 < HostMeter(container=limited).load.available_mb < 2**40 // MB


def test_a_quota_counts_as_the_number_of_cores(tmp_path: Path):
    assert HostMeter(container=container(tmp_path, cpu_max="50000 100000")).cores == 0.5


def test_a_quota_of_more_cores_than_there_are_counts_as_those(tmp_path: Path):
    assert HostMeter(container=container(tmp_path, cpu_max="999900000 100000")).cores == psutil.cpu_count()


def test_without_a_quota_all_cores_count(tmp_path: Path):
    assert HostMeter(container=container(tmp_path)).cores == psutil.cpu_count()
