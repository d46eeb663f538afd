"""Find the server binaries that Python packages carry, and make them reachable for the account that runs them."""

import shutil
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from server.embedded.errors import EmbeddedServiceError
from server.embedded.folder import ServiceFolder, blocking_folder, explained, may


def packaged(name: str) -> Distribution | None:
    """An installed package's files, without importing it."""
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def reachable(package: Distribution, binary: str, *, needs: tuple[str, ...], folder: ServiceFolder) -> Path:
    """The path of `binary`, in a copy within `folder` where the process's account can't reach the installed one.

    `binary` and all that it `needs`, files or folders, are relative to site-packages. The copy keeps their layout,
    since the binaries find their libraries by relative paths.
    """
    installed = Path(str(package.locate_file(binary)))
    if not installed.exists():
        raise EmbeddedServiceError(
            f"{installed} is missing. Install its package again: uv sync --reinstall-package {package.name}"
        )
    account = folder.account
    if account is None or (blocking_folder(installed.parent, account) is None and may(account, installed.stat(), 5)):
        return installed
    copies = folder.path / "binaries"
    copy = copies / f"{package.name}-{package.version}"
    with explained(copy):
        if not copy.exists():
            shutil.rmtree(copies, ignore_errors=True)
            unfinished = copies / "unfinished"
            for need in needs:
                _copy(Path(str(package.locate_file(need))), unfinished / need)
            for path in [copies, unfinished, *unfinished.rglob("*")]:
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            unfinished.rename(copy)
    return copy / binary


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)
