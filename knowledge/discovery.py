"""Which documents stand below the given paths, and which indexed ones have vanished."""

import mimetypes
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from knowledge.errors import DocumentError

_NOT_DOCUMENTS = ("image/", "audio/", "video/", "font/")


@dataclass(frozen=True)
class Found:
    """What stands on disk: documents to read, folders and files that are gone, and what cannot be listed or read."""

    roots: tuple[Path, ...]
    files: tuple[Path, ...]
    missing: tuple[Path, ...]
    unreadable: tuple[DocumentError, ...]

    def vanished(self, sources: Iterable[str]) -> list[str]:
        """Return the sources below the given paths that are no longer there, as far as the folders could be listed."""
        present = {str(path) for path in self.files}
        hidden_from_view = [Path(error.source) for error in self.unreadable]
        return [
            source
            for source in sources
            if source not in present
            and _is_below(Path(source), self.roots)
            and not _is_below(Path(source), hidden_from_view)
        ]


def find(paths: Iterable[Path]) -> Found:
    """List files and folders; hidden files, pictures, sounds and fonts in a folder are no documents.

    A link in a folder that leads out of it is not followed, but reported.
    """
    roots = tuple(dict.fromkeys(Path(os.path.normpath(path.absolute())) for path in paths))
    files: dict[Path, None] = {}
    missing: list[Path] = []
    unreadable: list[DocumentError] = []

    def report(path: Path, reason: str) -> None:
        unreadable.append(DocumentError(_printable(path), reason))

    def report_folder(error: OSError) -> None:
        report(Path(error.filename), "this folder cannot be listed; check its permissions.")

    for root in roots:
        if root.is_dir():
            real_root = Path(os.path.realpath(root))
            for folder, subfolders, names in os.walk(root, onerror=report_folder):
                subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
                linked = [name for name in subfolders if Path(folder, name).is_symlink()]
                for name in [*linked, *sorted(filter(_is_document, names))]:
                    path = Path(folder, name)
                    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(real_root):
                        report(path, "this link leads out of the folder; index what it leads to.")
                    elif _printable(path) != str(path):
                        report(path, "its name is not valid UTF-8; rename it.")
                    elif name not in linked:
                        files[path] = None
        elif root.exists():
            files[root] = None
        else:
            missing.append(root)
    return Found(roots, tuple(files), tuple(missing), tuple(unreadable))


def _printable(path: Path) -> str:
    """Return the path as text that can be stored: bytes that are no UTF-8 are replaced."""
    return os.fsencode(path).decode("utf-8", errors="replace")


def _is_document(name: str) -> bool:
    kind, _ = mimetypes.guess_type(name)
    return not name.startswith(".") and not (kind or "").startswith(_NOT_DOCUMENTS)


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
