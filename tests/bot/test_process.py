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

from bot.confinement import Confinement
from bot.process import ORPHANED_SECS, UNJOINED_SECS, BotProcess, serve
from bot.turns import TurnModels

NO_MODELS = cast(TurnModels, None)  # nothing here comes as far as the pipeline
SESSION = {
    "session_id": "6f1c",
    "settings": {"retrieval": {"socket": "/nowhere"}, "speech_socket": "/nowhere", "media_addresses": ["127.0.0.1"]},
    "call": {"bots": 1},
    "story": None,
}
OFFER = {"channel": "webrtc", "sdp": "v=0", "type": "offer", "pc_id": None, "anew": False}
CANDIDATES = {"channel": "webrtc", "pc_id": "pc-1", "candidates": [{"candidate": ""}]}
STORY = [{"role": "user", "content": "Do you rent tandems?"}]

Client = TestClient[Any, Any]


@pytest.fixture
def bot() -> BotProcess:
    return BotProcess(models=NO_MODELS)


@pytest.fixture
async def client(bot: BotProcess) -> AsyncIterator[Client]:
    async with TestClient(TestServer(bot.app())) as client:
        yield client
        bot.close_stream()


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


@pytest.mark.parametrize(("method", "body"), [("POST", OFFER), ("PATCH", CANDIDATES)], ids=["offer", "candidates"])
async def test_media_before_a_session_is_refused(client: Client, method: str, body: dict[str, Any]):
    response = await client.request(method, "/connect", json=body)
    assert await refusal(response) == (422, "This bot has no session yet.")


async def test_an_offer_without_audio_is_refused(client: Client):
    await client.post("/session", json=SESSION)
    status, error = await refusal(await client.post("/connect", json=OFFER))
    assert (status, "audio" in error) == (422, True)


async def test_an_offer_that_cannot_be_read_is_refused_and_leaves_the_session_free(client: Client):
    await client.post("/session", json=SESSION)
    garbled = OFFER | {"sdp": "m=audio what is this"}
    answers = [await client.post("/connect", json=garbled) for _ in range(2)]
    assert [a.status for a in answers] == [422, 422]


async def test_candidates_of_no_connection_are_refused(client: Client):
    await client.post("/session", json=SESSION)
    response = await client.patch("/connect", json=CANDIDATES)
    assert response.status == 422


@pytest.mark.parametrize("path", ["/audio?pc_id=ws-1", "/audio"])
async def test_a_websocket_of_nobody_who_was_answered_is_refused(client: Client, path: str):
    await client.post("/session", json=SESSION)
    assert (await client.get(path)).status in (400, 422)


async def test_a_bot_takes_what_the_day_leaves_and_nothing_else(client: Client):
    await client.post("/session", json=SESSION)
    answers = [await client.post("/budget", json={"day": day}) for day in ("free", "all", "much")]
    assert [answer.status for answer in answers] == [204, 204, 400]


async def test_a_channel_that_nobody_knows_is_refused(client: Client):
    await client.post("/session", json=SESSION)
    assert (await client.post("/connect", json={"channel": "smoke signals"})).status == 400


async def test_a_bot_tells_which_call_it_has_and_that_nobody_owns_it(client: Client):
    await client.post("/session", json=SESSION)
    told = await (await client.get("/session")).json()
    assert told == {"session_id": "6f1c", "call": {"bots": 1}, "owned": False}


async def test_a_waiting_bot_has_no_call(client: Client):
    assert (await (await client.get("/session")).json())["session_id"] is None


async def test_a_second_server_is_told_that_the_bot_is_owned(client: Client):
    async with client.get("/events"):
        assert (await (await client.get("/session")).json())["owned"] is True
        assert await refusal(await client.get("/events")) == (409, "Another server listens to this bot.")


async def test_a_server_may_follow_one_that_is_gone(bot: BotProcess, client: Client):
    async with client.get("/events") as first:
        first.close()
    async with asyncio.timeout(5):
        while (await client.get("/session")) and (await (await client.get("/session")).json())["owned"]:
            bot.beat(now=time.monotonic(), lag_secs=0)  # what a bot writes is how it learns that nobody reads
            await asyncio.sleep(0)
    async with client.get("/events") as second:
        assert second.status == 200


async def test_a_bot_that_goes_on_with_a_call_tells_the_story_first(bot: BotProcess, client: Client):
    await client.post("/session", json=SESSION | {"story": STORY})
    async with client.get("/events") as response:
        assert json.loads(await response.content.readline()) == {"type": "story", "keep": 0, "add": STORY}


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
        beat = json.loads(await response.content.readline())
    assert (beat["type"], beat["loop_lag_secs"], beat["floor"]) == ("heartbeat", 0.01, "nobody")
    assert beat["cpu_secs"] > 0
    assert beat["private_mb"] > 1


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


async def test_a_bot_with_a_call_outlives_its_server(bot: BotProcess, client: Client, monkeypatch: pytest.MonkeyPatch):
    await client.post("/session", json=SESSION)
    monkeypatch.setattr("bot.session.Session.joined", True)
    bot.beat(now=time.monotonic() + UNJOINED_SECS + 1, lag_secs=0)
    assert not bot.done.is_set()


async def test_a_bot_whose_caller_never_came_gives_the_next_server_more_time(bot: BotProcess, client: Client):
    await client.post("/session", json=SESSION)
    bot.beat(now=time.monotonic() + UNJOINED_SECS - 1, lag_secs=0)
    assert not bot.done.is_set()


async def test_a_bot_whose_caller_and_server_are_gone_ends(bot: BotProcess, client: Client):
    await client.post("/session", json=SESSION)
    bot.beat(now=time.monotonic() + UNJOINED_SECS + 1, lag_secs=0)
    assert bot.done.is_set()


async def test_the_control_socket_is_its_owners_only_and_goes_with_the_bot(tmp_path: Path):
    path = tmp_path / "bot.sock"
    serving = asyncio.create_task(serve(path, models=NO_MODELS, confinement=Confinement(memory_mb=4096)))
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


async def test_a_bot_learns_what_other_calls_found_of_the_providers(client: Client):
    await client.post("/session", json=SESSION)
    known = {"stage": "llm", "provider": "openai", "state": "open", "rest_secs": 9.0, "rests": 1}
    assert (await client.post("/providers", json={"known": [known]})).status == 204


async def test_a_bot_without_a_call_learns_nothing_of_providers(client: Client):
    assert (await client.post("/providers", json={"known": []})).status == 422


CHANGE = {"llm": "extractive", "tts": {"speed": 1.2}}


async def test_a_change_of_the_call_is_taken_and_told(client: Client):
    await client.post("/session", json=SESSION)
    assert (await client.patch("/session", json=CHANGE)).status == 204
    async with client.get("/events") as events:
        assert json.loads(await events.content.readline()) == {"type": "changed", "change": CHANGE}


async def test_a_provider_that_the_call_has_not_is_refused_with_those_it_has(client: Client):
    await client.post("/session", json=SESSION)
    refused = await refusal(await client.patch("/session", json={"stt": "google"}))
    assert refused == (422, "This call has no google as its stt; it has embedded.")


async def test_a_voice_is_refused_where_nobody_can_say_that_it_is_there(client: Client):
    await client.post("/session", json=SESSION)
    refused = await refusal(await client.patch("/session", json={"tts": {"voice": "en-gb"}}))
    assert refused == (422, "The voice on this host does not answer now. Try again.")


async def test_a_change_before_a_session_is_refused(client: Client):
    assert (await client.patch("/session", json=CHANGE)).status == 422


async def test_a_change_that_makes_no_sense_is_refused(client: Client):
    await client.post("/session", json=SESSION)
    assert (await client.patch("/session", json={"tts": {"speed": 9}})).status == 400
