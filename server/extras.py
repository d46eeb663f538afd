"""Whether an extra of Jarvis is installed: all that it asks for, asked of what stands beside it."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from packaging.markers import default_environment
from packaging.requirements import Requirement

OURS = "jarvis"


def installed(extra: str | None) -> bool:
    """Whether everything is there that `jarvis[extra]` brings; None brings nothing."""
    return extra is None or all(_is_there(name) for name in _asked_for(OURS, extra))


def _asked_for(name: str, extra: str) -> Iterator[str]:
    """The packages that this extra of a package names, those of an extra that it names in turn among them."""
    plain = {**default_environment(), "extra": ""}
    try:
        texts = distribution(name).requires or []
    except PackageNotFoundError:
        yield name
        return
    for text in texts:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate(plain) or not wanted.marker.evaluate({"extra": extra}):
            continue
        yield wanted.name
        for inner in wanted.extras:
            yield from _asked_for(wanted.name, inner)


def _is_there(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
