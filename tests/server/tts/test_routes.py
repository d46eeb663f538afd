"""Speech over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.desk.requests import NOT_TO_KEEP
from server.tts.routes import tts
from server.tts.wav import HEADER_BYTES, header
from tests.server.scripted_desk import Answer, Service, served

PCM = [b"\x01\x00" * 1200, b"\x02\x00" * 1200]
HELLO = {"text": "Hello there."}
WHOLE, STREAM = "/api/tts/synthesize", "/api/tts/synthesize/stream"


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    """The routes without a Redis."""
    async with served(tts, tmp_path) as service:
        yield service


@pytest.fixture
async def cached(tmp_path: Path, redis_url: str) -> AsyncIterator[Service]:
    """The routes with one, empty."""
    redis = Redis.from_url(redis_url)
    await redis.flushall()
    await redis.aclose()
    async with served(tts, tmp_path, redis_url=redis_url) as service:
        yield service


@pytest.mark.parametrize(
    ("path", "begins"), [(WHOLE, header(4800)), (STREAM, header(None))], ids=["whole", "as it is spoken"]
)
async def test_wav_is_the_pcm_behind_a_header(service: Service, path: str, begins: bytes):
    service.desk.answers.append(Answer(PCM))
    answer = await service.http.post(path, json=HELLO)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "audio/wav")
    assert answer.content == begins + b"".join(PCM)
    assert len(begins) == HEADER_BYTES


@pytest.mark.parametrize(
    ("path", "form", "media_type"),
    [
        (WHOLE, "mp3", "audio/mpeg"),
        (WHOLE, "opus", "audio/ogg"),
        (STREAM, "mp3", "audio/mpeg"),
        (STREAM, "opus", "audio/ogg"),
        (STREAM, "pcm", "audio/pcm;rate=24000;channels=1"),
    ],
)
async def test_what_the_desk_encodes_is_passed_on(service: Service, path: str, form: str, media_type: str):
    service.desk.answers.append(Answer([b"encoded", b" speech"]))
    answer = await service.http.post(path, json={**HELLO, "format": form})
    assert (answer.headers["content-type"], answer.content) == (media_type, b"encoded speech")
    assert f'"encoding": "{form}"'.encode() in service.desk.asked[0][2].replace(b'":"', b'": "')


@pytest.mark.integration
@pytest.mark.parametrize("path", [WHOLE, STREAM])
async def test_what_was_said_before_is_not_made_again(cached: Service, path: str):
    cached.desk.answers.append(Answer(PCM))
    first, second = [await cached.http.post(path, json=HELLO) for _ in range(2)]
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert first.content == second.content


@pytest.mark.integration
async def test_wav_whole_wav_as_spoken_and_pcm_share_one_take(cached: Service):
    cached.desk.answers.append(Answer(PCM))
    await cached.http.post(STREAM, json={**HELLO, "format": "pcm"})
    answer = await cached.http.post(WHOLE, json=HELLO)
    assert (answer.headers["x-cache"], answer.content) == ("hit", header(4800) + b"".join(PCM))


@pytest.mark.integration
async def test_a_take_that_broke_off_is_not_kept(cached: Service):
    cached.desk.answers += [Answer(PCM, breaks_off=True), Answer(PCM)]
    assert (await cached.http.post(WHOLE, json=HELLO)).status_code == 503
    assert (await cached.http.post(WHOLE, json=HELLO)).headers["x-cache"] == "miss"


@pytest.mark.integration
async def test_a_take_in_a_stand_ins_voice_is_not_kept(cached: Service):
    cached.desk.answers += [Answer(PCM, headers=NOT_TO_KEEP), Answer(PCM)]
    answers = [await cached.http.post(WHOLE, json=HELLO) for _ in range(3)]
    assert [answer.headers["x-cache"] for answer in answers] == ["miss", "miss", "hit"]


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize(("status", "told"), [(422, 422), (429, 503), (503, 503)])
async def test_what_the_desk_refuses_is_a_problem(service: Service, path: str, status: int, told: int):
    service.desk.answers.append(Answer(status=status))
    answer = await service.http.post(path, json=HELLO)
    assert (answer.status_code, answer.headers["content-type"]) == (told, "application/problem+json")
    assert answer.json()["detail"] == "What to do."
    assert ("retry-after" in answer.headers) == (told == 503)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": "?!"},
        {"text": 7},
        {"text": "a" * 5001},
        {**HELLO, "format": "aac"},
        {**HELLO, "speed": 7},
        {**HELLO, "voice": ""},
        {**HELLO, "more": 1},
    ],
)
@pytest.mark.parametrize("path", [WHOLE, STREAM])
async def test_a_body_that_can_not_be_spoken_is_told_what_is_wrong(service: Service, path: str, body: dict[str, Any]):
    answer = await service.http.post(path, json=body)
    assert (answer.status_code, answer.json()["title"]) == (422, "The request is not valid")


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [(b"{", "application/json", 422), (b"\xff", "application/json", 422), (b"hello", "text/plain", 415)],
)
async def test_what_is_no_json_is_refused(service: Service, content: bytes, media_type: str, status: int):
    answer = await service.http.post(WHOLE, content=content, headers={"Content-Type": media_type})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_its_health_is_told_to_everyone(service: Service):
    answer = await service.http.get("/api/tts/healthz", headers={"Authorization": ""})
    assert answer.json() == {"status": "ok", "parts": {"desk": True, "speech": True}}
