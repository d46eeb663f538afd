"""What is installed beside Jarvis."""

from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest

from server import extras
from server.extras import installed


@pytest.fixture
def jarvis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Jarvis of other extras stands first on the path."""
    folder = tmp_path / "jarvis-9.dist-info"
    folder.mkdir()
    asks = ["pydantic", "pipecat-ai[anthropic]; extra == 'there'", "no-such-vendor; extra == 'away'"]
    metadata = ["Metadata-Version: 2.1", "Name: jarvis", "Version: 9", *(f"Requires-Dist: {each}" for each in asks)]
    (folder / "METADATA").write_text("\n".join(metadata) + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert distribution(extras.OURS).version == "9"
    assert isinstance(distribution(extras.OURS), Distribution)


@pytest.mark.parametrize(("extra", "there"), [(None, True), ("there", True), ("away", False)])
def test_an_extra_is_there_where_all_that_it_asks_for_is(jarvis: None, extra: str | None, there: bool):
    assert installed(extra) is there
