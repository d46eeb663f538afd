"""The server as its operator and its callers' programs meet it: bad input, full house, start and stop."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from evals.caller.errors import CallError
from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.program import Jarvis

pytestmark = pytest.mark.e2e

CREATE = "/api/ingress/session/create"


@pytest.fixture
def session(jarvis: Jarvis) -> Iterator[tuple[str, str]]:
    """The path and the token of a session that nobody joined."""
    _, created, _ = jarvis.request("POST", CREATE, {})
    path = f"/api/ingress/session/{created['id']}"
    yield path, created["token"]
    jarvis.request("DELETE", path, token=created["token"])


def test_it_says_that_it_is_ready_and_what_it_consists_of(jarvis: Jarvis):
    status, body, _ = jarvis.request("GET", "/readyz")
    assert status == 200
    parts = ("postgres", "redis", "speech", "desk", "indexer", "retrieval")
    assert body["parts"] == dict.fromkeys(parts, True)


@pytest.mark.parametrize("token", [None, "wrong", "a.b.c"])
def test_without_a_good_token_nothing_is_told(jarvis: Jarvis, session: tuple[str, str], token: str | None):
    status, body, headers = jarvis.request("GET", session[0], token=token)
    assert (status, headers["content-type"]) == (401, "application/problem+json")
    assert body["detail"]


def test_the_token_of_another_call_opens_nothing(jarvis: Jarvis, session: tuple[str, str]):
    _, other, _ = jarvis.request("POST", CREATE, {})
    status, _, _ = jarvis.request("DELETE", session[0], token=other["token"])
    assert status == 403
    jarvis.request("DELETE", f"/api/ingress/session/{other['id']}", token=other["token"])


@pytest.mark.parametrize("offer", [{"sdp": "not sdp"}, {"sdp": ""}, {"sdp": "v=0", "type": "answer"}, {}])
def test_an_offer_that_is_none_is_refused_and_the_session_stays(jarvis: Jarvis, session: tuple[str, str], offer: dict):
    path, token = session
    status, body, _ = jarvis.request("POST", f"{path}/offer", offer, token=token)
    assert (status, bool(body["detail"])) == (422, True)
    assert jarvis.request("GET", path, token=token)[1]["state"] == "created"


async def test_a_second_caller_on_the_same_link_is_told_that_it_is_taken(jarvis: Jarvis):
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        session = await ingress.create()
        first, second = WebRtcLine(only_loopback=True), WebRtcLine(only_loopback=True)
        try:
            await first.connect(lambda offer: ingress.offer(session, offer))
            with pytest.raises(CallError, match="answered elsewhere"):
                await second.connect(lambda offer: ingress.offer(session, offer))
            _, state, _ = jarvis.request("GET", f"/api/ingress/session/{session.id}", token=session.token)
            assert state["state"] == "connected"
        finally:
            await ingress.hang_up(session)
            await first.close()
            await second.close()


def test_a_hang_up_ends_the_session_and_its_link(jarvis: Jarvis):
    _, created, _ = jarvis.request("POST", CREATE, {})
    path = f"/api/ingress/session/{created['id']}"
    assert jarvis.request("DELETE", path, token=created["token"])[0] == 204
    assert jarvis.request("POST", f"{path}/offer", {"sdp": "v=0"}, token=created["token"])[0] == 410
    assert jarvis.request("GET", f"/call/{created['token']}")[0] == 410


def test_the_caller_after_the_last_line_is_told_when_to_try_again(jarvis: Jarvis):
    answers = [jarvis.request("POST", CREATE, {}) for _ in range(6)]
    refused = [(body["title"], headers["retry-after"]) for status, body, headers in answers if status == 503]
    for status, body, _ in answers:
        if status == 201:
            jarvis.request("DELETE", f"/api/ingress/session/{body['id']}", token=body["token"])
    assert refused == [("All lines are busy", "15")] * 2


def test_a_port_in_use_is_named_with_a_way_out(jarvis: Jarvis):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        outcome = jarvis.command("run", "--port", str(taken.getsockname()[1]))
    assert outcome.code == 1
    assert "or choose another: jarvis run --port" in outcome.err


def test_documents_are_indexed_searched_and_forgotten_while_it_runs(jarvis: Jarvis, tmp_path: Path):
    tmp_path.chmod(0o755)
    document = tmp_path / "parrots.md"
    document.write_text("# Parrots\n\nThe parrot in the shop window is called Admiral and eats walnuts.\n")
    (tmp_path / "broken.md").write_bytes(b"\x00\x01\x02" * 100)
    indexed = jarvis.command("index", str(tmp_path))
    assert (indexed.code, "broken.md" in indexed.err) == (1, True)
    found = jarvis.command("search", "What does the parrot eat?", "--json")
    assert "walnuts" in found.out
    document.unlink()
    jarvis.command("index", str(tmp_path))
    assert "walnuts" not in jarvis.command("search", "What does the parrot eat?", "--json").out


def test_an_empty_question_is_refused_in_plain_words(jarvis: Jarvis):
    outcome = jarvis.command("search", "  ")
    assert (outcome.code, "The question is empty" in outcome.err) == (1, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_cleanly_and_leaves_no_process_behind(own_jarvis: Jarvis, number: signal.Signals):
    assert own_jarvis.request("POST", CREATE, {})[0] == 201
    assert own_jarvis.stop(number) == (0, [])
