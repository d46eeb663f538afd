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

    def report(error: OSError) -> None:
        unreadable.append(DocumentError(error.filename, "this folder cannot be listed; check its permissions."))

    for root in roots:
        if root.is_dir():
            real_root = root.resolve()
            for folder, subfolders, names in os.walk(root, onerror=report):
                subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
                for path in (Path(folder, name) for name in sorted(names) if _is_document(name)):
                    if path.is_symlink() and not path.resolve().is_relative_to(real_root):
                        unreadable.append(
                            DocumentError(str(path), "this link leads out of the folder; index what it leads to.")
                        )
                    else:
                        files[path] = None
        elif root.exists():
            files[root] = None
        else:
            missing.append(root)
    return Found(roots, tuple(files), tuple(missing), tuple(unreadable))


def _is_document(name: str) -> bool:
    kind, _ = mimetypes.guess_type(name)
    return not name.startswith(".") and not (kind or "").startswith(_NOT_DOCUMENTS)


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path.is_relative_to(folder) for folder in folders)
