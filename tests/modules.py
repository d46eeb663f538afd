"""The project's modules, and how long they may be: run, it prints those that are too long and exits with 1."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("server", "evals", "bot", "processors", "knowledge")
LIMIT = 400


def modules(*folders: str) -> list[Path]:
    """The Python files below these folders of the project."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def name_of(path: Path) -> str:
    """The file's path in the project."""
    return path.relative_to(ROOT).as_posix()


def oversized() -> dict[str, int]:
    """Modules and tests longer than the limit, with their lengths in lines."""
    lengths = {
        name_of(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules(*PACKAGES, "tests")
    }
    return {name: length for name, length in lengths.items() if length > LIMIT}


if __name__ == "__main__":
    for name, length in (found := oversized()).items():
        print(f"{name}: {length} lines, the wall is {LIMIT}")
    sys.exit(bool(found))
