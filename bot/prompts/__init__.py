"""What Jarvis is told, one text file a prompt."""

from importlib import resources


def prompt(name: str, /, **values: str) -> str:
    """The text of `name`.txt with its `{placeholders}` filled in."""
    return resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8").strip().format(**values)
