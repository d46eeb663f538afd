"""What is said of a set-up, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from server import findings
from server.settings import Settings, read_settings

NOW = 1_000_000.0


@pytest.fixture(autouse=True)
def nothing_is_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def settings(**values: Any) -> Settings:
    return read_settings(host=values.pop("host", "127.0.0.1"), **values)


@pytest.mark.parametrize(("free_mb", "level"), [(100, "error"), (1_000, "warning"), (10_000, "ok")])
def test_a_disk_is_judged_by_what_is_free(free_mb: int, level: str):
    assert findings.disk(free_mb, folder="/data").level == level


@pytest.mark.parametrize(
    ("available_mb", "runs", "level"), [(700, False, "warning"), (700, True, "ok"), (4_000, False, "ok")]
)
def test_memory_is_judged_by_the_lines_that_are_wanted(available_mb: int, runs: bool, level: str):
    assert findings.memory(available_mb, settings(max_sessions=4), runs=runs).level == level


@pytest.mark.parametrize(("count", "level"), [(1, "warning"), (1.5, "warning"), (2, "ok")])
def test_one_core_is_few(count: float, level: str):
    assert findings.cores(count).level == level


@pytest.mark.parametrize(
    ("version", "level"), [(None, "error"), ("0.7.4", "error"), ("0.8.0", "ok"), ("0.10.1", "ok"), ("1.0", "ok")]
)
def test_postgres_needs_a_pgvector_that_is_new_enough(version: str | None, level: str):
    assert findings.pgvector(version).level == level


@pytest.mark.parametrize(
    ("built", "elsewhere", "level"),
    [(NOW + 60, {}, "error"), (NOW - 60, {"Redis' clock": 90.0}, "warning"), (NOW - 60, {"Redis' clock": -1.0}, "ok")],
)
def test_a_clock_is_judged_by_what_else_tells_the_time(built: float, elsewhere: dict[str, float], level: str):
    assert findings.clock(NOW, built=built, elsewhere=elsewhere).level == level


@pytest.mark.parametrize(
    ("values", "levels"),
    [
        ({}, {"address": "ok", "public calls": "ok"}),
        ({"host": "0.0.0.0"}, {"address": "warning", "public calls": "ok"}),
        ({"host": "0.0.0.0", "public_url": "http://voice.example.com"}, {"address": "error", "public calls": "ok"}),
        ({"host": "0.0.0.0", "public_url": "https://voice.example.com"}, {"address": "ok", "public calls": "ok"}),
        ({"public_url": "https://voice.example.com"}, {"address": "ok", "media": "warning", "public calls": "ok"}),
        ({"public_url": "voice.example.com"}, {"address": "error", "public calls": "ok"}),
        ({"public_url": "http://localhost:8080"}, {"address": "ok", "public calls": "ok"}),
        ({"public_calls": "everyone"}, {"address": "ok", "public calls": "warning"}),
    ],
)
def test_the_way_in_is_judged_by_who_is_to_come(values: dict[str, Any], levels: dict[str, str]):
    found = {each.about: each.level for each in findings.exposure(settings(**values))}
    assert found == levels


def test_what_is_not_well_has_a_remedy():
    found = [
        findings.disk(1, folder="/data"),
        findings.memory(1, settings(), runs=True),
        findings.cores(1),
        findings.pgvector(None),
        findings.clock(0, built=1, elsewhere={}),
        *findings.exposure(settings(host="0.0.0.0", public_calls="everyone")),
    ]
    assert [each for each in found if (each.level == "ok") is not (each.remedy is None)] == []


@pytest.mark.parametrize(
    ("variables", "level", "said"),
    [
        ({}, "ok", "no cap is set"),
        ({"JARVIS_BUDGET_DAY_USD": "5"}, "ok", "every provider has a price"),
        ({"JARVIS_BUDGET_DAY_USD": "5", "OPENAI_MODEL": "gpt-99"}, "warning", "llm openai"),
        (
            {"JARVIS_BUDGET_CALL_USD": "5", "OPENAI_MODEL": "qwen3:4b", "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"},
            "ok",
            "taken as free: llm openai",
        ),
    ],
)
def test_a_cap_that_cannot_hold_is_told(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], level: str, said: str
):
    for name, value in {"OPENAI_API_KEY": "k", **variables}.items():
        monkeypatch.setenv(name, value)
    found = findings.budget(settings())
    assert (found.level, said in found.said) == (level, True)
