"""A bot process' control routes, and when it ends by itself."""

import asyncio
import json
import stat
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.process import ORPHANED_SECS, BotProcess, serve
from bot.turns import TurnModels

NO_MODELS = cast(TurnModels, None)  # nothing here comes as far as the pipeline
SESSION = {
    "session_id": "6f1c",
    "settings": {"retrieval": {"socket": "/nowhere"}, "speech_socket": "/nowhere", "media_addresses": ["127.0.0.1"]},
}
OFFER = {"sdp": "v=0", "type": "offer", "pc_id": None, "restart_pc": None}

Client = TestClient[Any, Any]


@pytest.fixture
def bot() -> BotProcess:
    return BotProcess(models=NO_MODELS)


@pytest.fixture
async def client(bot: BotProcess) -> AsyncIterator[Client]:
    async with TestClient(TestServer(bot.app())) as client:
        yield client
        bot.close_streams()


async def refusal(response: aiohttp.ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["error"]


async def test_a_waiting_bot_takes_a_session(client: Client):
    assert (await client.post("/session", json=SESSION)).status == 204


async def test_a_second_session_is_refused(client: Client):
    await client.post("/session", json=SESSION)
    assert await refusal(await client.post("/session", json=SESSION)) == (409, "This bot has a session already.")


@pytest.mark.parametrize(
    "body",
    [
        b"no json",
        b"{}",
        json.dumps({"session_id": "6f1c", "settings": {"stt": {}}}).encode(),
    ],
    ids=["no-json", "empty", "settings"],
)
async def test_a_session_that_makes_no_sense_leaves_the_bot_free(client: Client, body: bytes):
    assert (await client.post("/session", data=body)).status == 400
    assert (await client.post("/session", json=SESSION)).status == 204


async def test_what_is_wrong_with_settings_is_said_without_their_values(client: Client):
    wrong = SESSION | {"settings": SESSION["settings"] | {"llm": {"provider": "openai", "api_key": ["sk-secret"]}}}
    assert "sk-secret" not in await (await client.post("/session", json=wrong)).text()


@pytest.mark.parametrize(
    ("method", "body"), [("POST", OFFER), ("PATCH", {"pc_id": "pc-1", "candidates": []})], ids=["offer", "candidates"]
)
async def test_media_before_a_session_is_refused(client: Client, method: str, body: dict[str, Any]):
    response = await client.request(method, "/offer", json=body)
    assert await refusal(response) == (422, "This bot has no session yet.")


async def test_an_offer_without_audio_is_refused(client: Client):
    await client.post("/session", json=SESSION)
    status, error = await refusal(await client.post("/offer", json=OFFER))
    assert (status, "audio" in error) == (422, True)


async def test_an_offer_that_cannot_be_read_is_refused_and_leaves_the_session_free(client: Client):
    await client.post("/session", json=SESSION)
    garbled = OFFER | {"sdp": "m=audio what is this"}
    answers = [await client.post("/offer", json=garbled) for _ in range(2)]
    assert [a.status for a in answers] == [422, 422]


async def test_candidates_of_no_connection_are_refused(client: Client):
    await client.post("/session", json=SESSION)
    response = await client.patch("/offer", json={"pc_id": "pc-1", "candidates": [{"candidate": ""}]})
    assert response.status == 422


async def test_ending_a_wait_ends_the_bot(bot: BotProcess, client: Client):
    assert (await client.post("/end", json={"reason": "shutdown"})).status == 204
    assert bot.done.is_set()


async def test_ending_a_session_that_nobody_joined_is_reported(bot: BotProcess, client: Client):
    await client.post("/session", json=SESSION)
    await client.post("/end", json={"reason": "hang_up"})
    response = await client.get("/events")
    assert await response.json(content_type=None) == {"type": "ended", "reason": "hang_up"}
    assert bot.done.is_set()


async def test_who_listens_late_hears_what_happened_and_then_the_end(bot: BotProcess, client: Client):
    happened = [{"type": "connected"}, {"type": "turn", "number": 1}, {"type": "ended", "reason": "idle"}]
    for event in happened:
        bot._on_event(event)
    lines = (await (await client.get("/events")).text()).splitlines()
    assert [json.loads(line) for line in lines] == happened


async def test_who_listens_hears_the_heartbeat(bot: BotProcess, client: Client):
    async with client.get("/events") as response:
        bot.beat(now=time.monotonic(), lag_secs=0.01)
        assert json.loads(await response.content.readline()) == {"type": "heartbeat", "loop_lag_secs": 0.01}


async def test_a_waiting_bot_that_nobody_listens_to_ends(bot: BotProcess):
    bot.beat(now=time.monotonic() + ORPHANED_SECS + 1, lag_secs=0)
    assert bot.done.is_set()


async def test_a_waiting_bot_gives_its_server_time(bot: BotProcess):
    bot.beat(now=time.monotonic() + ORPHANED_SECS - 1, lag_secs=0)
    assert not bot.done.is_set()


async def test_a_waiting_bot_that_is_listened_to_stays(bot: BotProcess, client: Client):
    async with client.get("/events"):
        bot.beat(now=time.monotonic() + ORPHANED_SECS + 1, lag_secs=0)
        assert not bot.done.is_set()


async def test_a_bot_with_a_session_outlives_its_server(bot: BotProcess, client: Client):
    await client.post("/session", json=SESSION)
    bot.beat(now=time.monotonic() + ORPHANED_SECS + 1, lag_secs=0)
    assert not bot.done.is_set()


async def test_the_control_socket_is_its_owners_only_and_goes_with_the_bot(tmp_path: Path):
    path = tmp_path / "bot.sock"
    serving = asyncio.create_task(serve(path, models=NO_MODELS))
    async with asyncio.timeout(5):
        while not (path.exists() and stat.S_IMODE(path.stat().st_mode) == 0o600):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
    async with (
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as http,
        http.get("http://bot/events") as events,
        http.post("http://bot/end", json={"reason": "shutdown"}) as ended,
    ):
        assert ended.status == 204
        while await events.content.readline():
            pass
    await asyncio.wait_for(serving, 5)
    assert not path.exists()
