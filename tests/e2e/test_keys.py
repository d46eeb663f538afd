"""API keys on the real server: made by a command, limited, revoked; and calls without one."""

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from evals.program import Jarvis
from tests.e2e.conftest import directory

pytestmark = pytest.mark.e2e

CREATE = "/api/ingress/session/create"
NOTICED_SECS = 8.0


def make_key(jarvis: Jarvis, *arguments: str) -> tuple[str, str]:
    """(id, key) that the command made."""
    made = jarvis.command("keys", "create", "test", *arguments, "--json")
    assert made.code == 0, made.err
    body = json.loads(made.out)
    return body["created"]["id"], body["key"]


@pytest.fixture(scope="module")
def open_jarvis(prepared: Path) -> Iterator[Jarvis]:
    """A server on which everyone may start two calls a minute."""
    with directory(prepared) as place:
        served = Jarvis(place, JARVIS_PUBLIC_CALLS_PER_ADDRESS="2", JARVIS_PUBLIC_CALLS="everyone")
        served.start()
        yield served
        served.stop()


def test_a_key_opens_what_its_scopes_say_and_no_more(jarvis: Jarvis):
    _, key = make_key(jarvis, "--scope", "knowledge:read")
    assert jarvis.request("GET", "/api/rag/documents", token=key)[0] == 200
    status, body, _ = jarvis.request("POST", "/api/rag/index", {"urls": []}, token=key)
    assert (status, body["title"]) == (403, "The scope knowledge:write is missing")


def test_a_key_that_a_command_revokes_is_refused_within_seconds(jarvis: Jarvis):
    key_id, key = make_key(jarvis, "--scope", "sessions:read")
    assert jarvis.request("GET", "/api/ingress/sessions", token=key)[0] == 200
    assert jarvis.command("keys", "revoke", key_id).code == 0
    deadline = time.monotonic() + NOTICED_SECS
    while (answer := jarvis.request("GET", "/api/ingress/sessions", token=key))[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (answer[0], answer[1]["title"]) == (401, "This key was revoked")


def test_a_key_over_its_limit_is_told_when_to_come_back(jarvis: Jarvis):
    _, key = make_key(jarvis, "--scope", "sessions:read", "--per-minute", "3")
    answers = [jarvis.request("GET", "/api/ingress/sessions", token=key) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    _, body, headers = answers[-1]
    assert body["title"] == "Too many requests"
    assert 1 <= int(headers["retry-after"]) <= 60
    assert (headers["ratelimit-limit"], headers["ratelimit-remaining"]) == ("3", "0")


def test_requests_one_after_the_other_are_never_at_once(jarvis: Jarvis):
    _, key = make_key(jarvis, "--scope", "sessions:read", "--at-once", "1", "--per-minute", "1000")

    async def ask() -> list[int]:
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as http:
            statuses = []
            for _ in range(200):
                async with http.get(f"{jarvis.url}/api/ingress/sessions") as response:
                    statuses.append(response.status)
                    await response.read()
            return statuses

    assert asyncio.run(ask()) == [200] * 200


def test_a_key_may_choose_what_a_call_is_like_and_end_it(jarvis: Jarvis):
    _, key = make_key(jarvis, "--scope", "sessions:write")
    wanted = {"caller": "customer-77", "metadata": {"shop": "north"}}
    assert jarvis.request("POST", CREATE, wanted)[0] == 403
    status, created, _ = jarvis.request("POST", CREATE, wanted, token=key)
    assert status == 201
    path = f"/api/ingress/session/{created['id']}"
    assert jarvis.request("DELETE", path, token=key)[0] == 204
    assert jarvis.request("GET", path, token=created["token"])[1]["state"] == "ended"


def test_a_use_is_listed(jarvis: Jarvis):
    key_id, key = make_key(jarvis, "--scope", "admin")
    jarvis.request("GET", "/api/keys", token=key)
    deadline = time.monotonic() + NOTICED_SECS
    while _listed(jarvis, key_id)["last_used_at"] is None:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def _listed(jarvis: Jarvis, key_id: str) -> dict[str, Any]:
    _, body, _ = jarvis.request("GET", "/api/keys", token=jarvis.operator_key())
    return next(key for key in body["keys"] if key["id"] == key_id)


def test_somebody_behind_a_proxy_of_this_host_needs_a_key(jarvis: Jarvis):
    async def ask() -> int:
        headers = {"X-Forwarded-For": "192.0.2.1"}
        async with aiohttp.ClientSession(headers=headers) as http, http.post(f"{jarvis.url}{CREATE}") as response:
            return response.status

    assert asyncio.run(ask()) == 401


def test_an_address_behind_a_trusted_proxy_has_a_limit_of_its_own(open_jarvis: Jarvis):
    async def ask(address: str) -> int:
        async with aiohttp.ClientSession(headers={"X-Forwarded-For": f"203.0.113.9, {address}"}) as http:
            async with http.post(f"{open_jarvis.url}{CREATE}") as response:
                body = await response.json()
                status = response.status
            if status == 201:
                headers = {"Authorization": f"Bearer {body['token']}"}
                await http.delete(f"{open_jarvis.url}/api/ingress/session/{body['id']}", headers=headers)
            return status

    asked = ["192.0.2.1"] * 3 + ["192.0.2.2"]
    assert [asyncio.run(ask(address)) for address in asked] == [201, 201, 429, 201]


def test_keys_are_made_and_listed_while_no_server_runs(data_dir: Path):
    jarvis = Jarvis(data_dir)
    key_id, _ = make_key(jarvis, "--scope", "asr")
    assert key_id in jarvis.command("keys", "list").out
