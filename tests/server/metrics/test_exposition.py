"""A scrape: what is in it, how it is written, and that it is documented."""

import asyncio
import os
import re
import shutil
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path
from typing import Any, cast

import pytest
from httpx2 import ASGITransport, AsyncClient, Response
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from server.app import create_app
from server.auth.fake import fake_guard
from server.metrics.exposition import Metrics
from server.metrics.host import Host, Look

OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
LOOK = Look(
    states={"connected": 2, "reconnecting": 1},
    refused={"max_sessions": 4},
    restarts={"speech": 1},
    up={"postgres": True, "redis": False},
    pids={"server": [os.getpid()], "bot": []},
    warm_bots=1,
    died_waiting=2,
    waiting=3,
)


class Looked:
    """A host that stands as it is told."""

    async def look(self) -> Look:
        return LOOK


HOST = cast(Host, Looked())


async def scrape(metrics: Metrics, *, accept: str = "") -> tuple[str, str]:
    body, content_type = await metrics.scrape(HOST, accept=accept)
    return body.decode(), content_type


async def samples(metrics: Metrics) -> dict[str, float]:
    body, _ = await scrape(metrics)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in read_text(body)
        for sample in family.samples
    }


async def test_a_scrape_says_how_the_host_stands():
    found = await samples(Metrics())
    expected = {
        "jarvis_calls_live connected": 2,
        "jarvis_calls_live created": 0,
        "jarvis_calls_refused_total max_sessions": 4,
        "jarvis_calls_refused_total memory": 0,
        "jarvis_callers_waiting": 3,
        "jarvis_bots_warm": 1,
        "jarvis_warm_bots_died_total": 2,
        "jarvis_part_up postgres": 1,
        "jarvis_part_up redis": 0,
        "jarvis_process_restarts_total speech": 1,
        "jarvis_processes server": 1,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert found["jarvis_process_cpu_seconds_total server"] > 0


async def test_without_a_wish_it_is_prometheus_own_text():
    body, content_type = await scrape(Metrics())
    assert content_type.startswith("text/plain")
    assert any(family.name == "jarvis_v2v_seconds" for family in read_text(body))


async def test_a_reader_of_openmetrics_gets_it():
    body, content_type = await scrape(Metrics(), accept=OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert body.endswith("# EOF\n")
    assert any(family.name == "jarvis_v2v_seconds" for family in read_openmetrics(body))


async def test_servers_share_no_registry():
    one, other = Metrics(), Metrics()
    one.request_seconds.labels("/healthz", "GET", "200").observe(0.001)
    assert "/healthz" not in (await scrape(other))[0]


async def test_the_servers_event_loop_is_measured(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("server.metrics.exposition.BEAT_SECS", 0.0)
    metrics = Metrics()
    async with metrics.running():
        while not (await samples(metrics))["jarvis_server_loop_lag_seconds_count"]:
            pass


async def test_every_metric_is_documented_and_every_one_that_is_documented_exists():
    body, _ = await scrape(Metrics())
    documented = set(re.findall(r"^\| `(jarvis_\w+)`", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == set(re.findall(r"^# TYPE (\w+) ", body, re.MULTILINE))


def promtool() -> str:
    path = shutil.which("promtool")
    if path is None and not os.environ.get("CI"):
        pytest.skip("promtool is not there: apt-get install prometheus")
    assert path is not None
    return path


async def test_promtool_finds_nothing_to_say():
    tool, metrics = promtool(), Metrics()
    metrics.request_seconds.labels("/healthz", "GET", "200").observe(0.001)
    body, _ = await scrape(metrics)
    checked = await asyncio.create_subprocess_exec(tool, "check", "metrics", stdin=PIPE, stdout=PIPE, stderr=STDOUT)
    said, _ = await checked.communicate(body.encode())
    assert (checked.returncode, said) == (0, b"")


async def asked(accept: str | None, **services: Any) -> Response:
    app = create_app()
    app.state.services = type("Services", (), {"guard": fake_guard("key"), **services})()
    headers = {"Authorization": "Bearer key"} | ({} if accept is None else {"Accept": accept})
    async with AsyncClient(transport=ASGITransport(app), base_url="http://jarvis") as http:
        return await http.get("/metrics", headers=headers)


@pytest.mark.parametrize(("accept", "kind"), [(OPENMETRICS, "application/openmetrics-text"), ("*/*", "text/plain")])
async def test_the_route_answers_in_the_form_that_is_asked_for(accept: str, kind: str):
    response = await asked(accept, metrics=Metrics(), host=HOST)
    assert (response.status_code, response.headers["content-type"].partition(";")[0]) == (200, kind)
