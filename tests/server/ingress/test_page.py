"""The call page: told which call it is for, and closed to everybody else's scripts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from server.errors import SetupError
from server.ingress.page import PLACEHOLDER, SECURITY_HEADERS, Page

WEB = Path(__file__).parents[3] / "web" / "index.html"


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text(f"<html><head>{PLACEHOLDER}</head></html>", encoding="utf-8")
    return tmp_path


def told(html: str) -> dict[str, Any]:
    block = re.search(r'<script type="application/json" id="jarvis-session">(.*?)</script>', html)
    assert block
    return json.loads(block[1])


def rendered(dist: Path, *, business: str = "Acme", **data: Any) -> str:
    return bytes(Page(dist=dist, business=business).render(**data).body).decode()


def test_the_page_is_told_its_call_and_whose_it_is(dist: Path):
    assert told(rendered(dist, session={"id": "6f1c"})) == {"name": "Acme", "session": {"id": "6f1c"}}


def test_nothing_that_is_told_closes_the_script(dist: Path):
    evil = "</script><script>alert(1)</script>"
    html = rendered(dist, business=evil, session={"token": evil})
    assert html.count("</script>") == 1
    assert told(html) == {"name": evil, "session": {"token": evil}}


def test_a_page_for_a_problem_has_its_status(dist: Path):
    assert Page(dist=dist, business="Acme").render(410, problem={"title": "Over"}).status_code == 410


def test_a_page_carries_the_security_headers(dist: Path):
    headers = Page(dist=dist, business="Acme").render().headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_a_page_that_was_not_built_says_what_to_do(tmp_path: Path):
    with pytest.raises(SetupError, match="make setup"):
        Page(dist=tmp_path, business="Acme")


def test_a_page_without_a_place_for_its_call_says_what_to_do(tmp_path: Path):
    (tmp_path / "index.html").write_text("<html></html>", encoding="utf-8")
    with pytest.raises(SetupError, match="make setup"):
        Page(dist=tmp_path, business="Acme")


def test_the_pages_source_has_the_place_for_its_call():
    assert PLACEHOLDER in WEB.read_text(encoding="utf-8")
