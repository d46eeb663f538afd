"""How many more calls a host can take."""

from pathlib import Path

import pytest

from server.ingress.admission import CallCost, Capacity, HostLoad, Limits, capacity, left_in_cgroup, measured_cost

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


@pytest.mark.parametrize(("available_mb", "free", "limit"), [(99, 0, "memory"), (100, 1, None), (250, 2, None)])
def test_a_call_is_taken_while_there_is_memory_for_it(available_mb: int, free: int, limit: str | None):
    measured = host(load=HostLoad(0, available_mb), live=0)
    assert (measured.free, measured.limited_by) == (free, limit)


def test_a_call_that_takes_more_memory_than_was_set_counts_with_what_it_takes():
    assert host(load=HostLoad(0, 250), cost=CallCost(10, 200)).free == 1


def test_calls_that_the_load_does_not_show_yet_count_with_their_whole_cost():
    half = HostLoad(cpu_percent=50, available_mb=4000)
    assert [host(load=half, young=young).free for young in (0, 1, 2, 3)] == [3, 2, 1, 0]


def test_the_cost_of_a_call_is_the_mean_of_those_that_run():
    assert measured_cost([(20, 40), (40, 60)], cores=2) == CallCost(cpu_percent=15, memory_mb=50)


def test_where_no_call_runs_its_cost_is_assumed():
    assert measured_cost([], cores=2).cpu_percent > 0


def test_calls_that_cost_nothing_yet_do_not_make_room_for_ever():
    assert host(cost=measured_cost([(0.0, 0.0)], cores=2), limits=Limits(10**9, 85, 0)).free < 10**9


@pytest.mark.parametrize(("limit", "left"), [("max", None), ("1000", 500), ("400", 0)])
def test_a_container_has_what_its_limit_leaves(tmp_path: Path, limit: str, left: int | None):
    for name, text in {"max": limit, "current": "700", "stat": "anon 500\ninactive_file 200"}.items():
        (tmp_path / f"memory.{name}").write_text(text + "\n")
    assert left_in_cgroup(tmp_path) == left


def test_a_host_without_such_a_limit_has_none(tmp_path: Path):
    assert left_in_cgroup(tmp_path) is None
