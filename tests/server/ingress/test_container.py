"""What control groups leave, read from folders like the kernel's."""

from pathlib import Path

import pytest

from server.ingress.container import Container, CpuQuota, cpu_quota, folders, memory_left

VERSION_2 = "0::/system.slice/jarvis.service"
VERSION_1 = "9:name=systemd:/\n4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n0::/\n"


def group(folder: Path, **files: str) -> Path:
    """A group with these files, the dots of their names being two underscores."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text + "\n")
    return folder


@pytest.mark.parametrize(
    ("membership", "found"),
    [
        (VERSION_2, ["system.slice/jarvis.service", "system.slice", ""]),
        (VERSION_1, ["memory/docker/abc", "memory/docker", "memory"]),
        ("0::/", [""]),
        ("0::/../../elsewhere", [""]),
        ("4:cpu:/docker/a:b", []),
        ("0::/a:b", ["a:b", ""]),
        ("", []),
        ("garbage", []),
    ],
)
def test_the_groups_of_a_process_are_found(tmp_path: Path, membership: str, found: list[str]):
    assert list(folders(membership, controller="memory", mount=tmp_path)) == [tmp_path / each for each in found]


def test_a_controller_that_shares_its_mount_is_found(tmp_path: Path):
    assert folders(VERSION_1, controller="cpu", mount=tmp_path)[0] == tmp_path / "cpu/docker/abc"


@pytest.mark.parametrize(("limit", "left"), [("max", None), ("1000", 500), ("400", 0)])
def test_memory_is_left_up_to_the_limit_and_file_cache_is_free(tmp_path: Path, limit: str, left: int | None):
    stat = "anon 500\ninactive_file 200"
    assert memory_left(group(tmp_path, memory__max=limit, memory__current="700", memory__stat=stat)) == left


def test_memory_is_read_from_version_1_too(tmp_path: Path):
    stat = "inactive_file 1\ntotal_inactive_file 200"
    files = {"memory__limit_in_bytes": "1000", "memory__usage_in_bytes": "700", "memory__stat": stat}
    assert memory_left(group(tmp_path, **files)) == 500


@pytest.mark.parametrize(
    ("quota", "cores"), [("150000 100000", 1.5), ("max 100000", None), ("50000 100000", 0.5), ("", None)]
)
def test_a_quota_is_so_many_cores(tmp_path: Path, quota: str, cores: float | None):
    found = cpu_quota(group(tmp_path, cpu__max=quota, cpu__stat="usage_usec 2500000\nuser_usec 1"))
    assert found == (None if cores is None else CpuQuota(cores, 2.5))


@pytest.mark.parametrize(("quota_us", "found"), [("-1", None), ("200000", CpuQuota(2.0, 3.0))])
def test_a_quota_is_read_from_version_1_too(tmp_path: Path, quota_us: str, found: CpuQuota | None):
    files = {"cpu__cfs_quota_us": quota_us, "cpu__cfs_period_us": "100000", "cpuacct__usage": "3000000000"}
    assert cpu_quota(group(tmp_path, **files)) == found


def test_a_quota_holds_where_nothing_tells_its_use(tmp_path: Path):
    assert cpu_quota(group(tmp_path, cpu__max="100000 100000")) == CpuQuota(1.0, None)


def test_a_group_without_limits_has_none(tmp_path: Path):
    assert (memory_left(tmp_path), cpu_quota(tmp_path)) == (None, None)


def test_the_tightest_limit_of_all_groups_above_counts(tmp_path: Path):
    group(tmp_path / "system.slice/jarvis.service", memory__max="900", memory__current="100", cpu__max="300000 100000")
    group(tmp_path / "system.slice", memory__max="500", memory__current="200", cpu__max="200000 100000")
    container = Container(membership=VERSION_2, mount=tmp_path)
    assert (container.memory_left(), container.cpu_quota()) == (300, CpuQuota(2.0, None))


def test_inside_a_container_that_does_not_see_its_own_path_the_mount_is_its_group(tmp_path: Path):
    group(tmp_path / "memory", memory__limit_in_bytes="1000", memory__usage_in_bytes="600")
    group(tmp_path / "cpu", cpu__cfs_quota_us="100000", cpu__cfs_period_us="100000")
    container = Container(membership=VERSION_1, mount=tmp_path)
    assert (container.memory_left(), container.cpu_quota()) == (400, CpuQuota(1.0, None))


def test_limits_that_are_changed_hold_at_once(tmp_path: Path):
    container = Container(membership="0::/", mount=group(tmp_path, memory__max="1000", memory__current="0"))
    group(tmp_path, memory__max="500")
    assert container.memory_left() == 500


def test_a_system_without_control_groups_has_no_limits(tmp_path: Path):
    container = Container(membership="", mount=tmp_path)
    assert (container.memory_left(), container.cpu_quota()) == (None, None)


def test_this_process_is_read_without_an_error():
    left = Container.found().memory_left()
    assert left is None or left >= 0
