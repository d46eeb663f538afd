"""Scenario files, written for a test."""

from pathlib import Path
from typing import cast

from evals.kept import Kept
from evals.scenarios.format import Scenario, ScenarioFile, read

DOCUMENT = "# Workshop\n\nRepairing a flat tire costs 18 dollars including the new tube. My card is 4111 1111.\n"


class _NothingKept:
    """Is not asked by a Jarvis that is played."""


NOTHING_KEPT = cast(Kept, _NothingKept())


def written(folder: Path, text: str, *, name: str = "tried.yaml") -> Path:
    """A scenario file beside a folder of one document."""
    documents = folder / "documents"
    documents.mkdir(exist_ok=True)
    (documents / "workshop.md").write_text(DOCUMENT)
    file = folder / name
    file.write_text(text)
    return file


def read_text(folder: Path, text: str) -> ScenarioFile:
    """What is read of a file with this text."""
    return read(written(folder, text))


def scenario(folder: Path, turn: str = "", *, keys: str = "", jarvis: str = "") -> Scenario:
    """A scenario of one question whose turn has these keys too, and which has those; each begins at its margin."""
    text = (
        f"name: tried\nx_jarvis: {{version: 1, knowledge: documents{jarvis}}}\n{keys}\nscenarios:\n  - name: one\n"
        "    turns:\n      - user: What does a puncture cost?\n        expect: [{event: response}]\n"
    )
    text += "".join(f"        {line}\n" for line in turn.splitlines())
    found = read_text(folder, text)
    assert found.complaints == ()
    return found.scenarios[0]
