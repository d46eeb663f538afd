"""No module over 400 lines: prints those that are and exits with 1."""

import subprocess
import sys
from pathlib import Path

LIMIT = 400


def oversized(root: Path) -> list[tuple[Path, int]]:
    """The project's Python files longer than the limit, with their lengths in lines."""
    listed = subprocess.run(
        ["git", "ls-files", "*.py"], cwd=root, check=True, capture_output=True, text=True
    ).stdout.splitlines()
    lengths = [(Path(name), len((root / name).read_text(encoding="utf-8").splitlines())) for name in listed]
    return [(path, length) for path, length in lengths if length > LIMIT]


if __name__ == "__main__":
    found = oversized(Path(__file__).parent.parent)
    for path, length in found:
        print(f"{path}: {length} lines, the wall is {LIMIT}")
    sys.exit(bool(found))
