"""Transcription over HTTP and websockets."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from server.asr.routes import asr
from server.asr.uploads import MAX_BYTES
from tests.server.scripted_desk import Answer, Service, served

WHOLE, STREAM = "/api/asr/transcribe", "/api/asr/transcribe/stream"
WORD = {"word": "open", "start": 0.5, "end": 0.9, "confidence": 0.8}
FIRST = {
    "type": "final",
    "text": "are you open",
    "start": 0.2,
    "end": 1.4,
    "confidence": 0.9,
    "language": "en-US",
    "words": [WORD],
}
UNHEARD = FIRST | {"text": "", "start": 2.0, "end": 3.0, "confidence": 0.1, "words": []}
HEARD = [{"type": "ready"}, {"type": "speech", "start": 0.2}, FIRST, UNHEARD, {"type": "end", "duration": 3.2}]
AUDIO = {"Content-Type": "audio/wav"}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with served(asr, tmp_path) as service:
        yield service


async def test_a_recording_comes_to_its_words(service: Service):
    service.desk.answers.append(Answer(HEARD))
    answer = (await service.http.post(WHOLE, content=b"sound", headers=AUDIO)).json()
    assert (answer["text"], answer["confidence"], answer["language"]) == ("are you open", 0.1, "en-US")
    assert (answer["duration"], answer["words"], len(answer["segments"])) == (3.2, [WORD], 2)


@pytest.mark.parametrize("form", [True, False], ids=["as a form", "as the body"])
async def test_the_desk_gets_the_audio_and_how_it_is_written_down(service: Service, form: bool):
    service.desk.answers.append(Answer(HEARD))
    query = {"format": "s16le", "sample_rate": 8000}
    sound = bytes(range(256)) * 1000
    sent: dict[str, Any] = {"files": {"file": ("a.raw", sound)}} if form else {"content": sound, "headers": AUDIO}
    await service.http.post(WHOLE, params=query, **sent)
    ((path, asked, body),) = service.desk.asked
    assert (path, body) == ("/transcribe", sound)
    assert asked == {"format": "s16le", "sample_rate": "8000", "channels": "1", "longest_secs": "600.0"}


async def test_speech_comes_as_server_sent_events(service: Service):
    service.desk.answers.append(Answer(HEARD))
    answer = await service.http.post(STREAM, content=b"sound", headers=AUDIO)
    assert answer.headers["content-type"].startswith("text/event-stream")
    names = [line.removeprefix("event: ") for line in answer.text.splitlines() if line.startswith("event: ")]
    assert names == ["ready", "speech", "final", "final", "end"]


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize(("status", "told"), [(413, 413), (422, 422), (429, 503), (503, 503)])
async def test_what_the_desk_refuses_is_a_problem(service: Service, path: str, status: int, told: int):
    service.desk.answers.append(Answer(status=status))
    answer = await service.http.post(path, content=b"sound", headers=AUDIO)
    assert (answer.status_code, answer.headers["content-type"]) == (told, "application/problem+json")


@pytest.mark.parametrize("path", [WHOLE, STREAM])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", "image/png"])
async def test_a_body_of_another_type_is_refused(service: Service, path: str, media_type: str):
    answer = await service.http.post(path, content=b"{}", headers={"Content-Type": media_type})
    assert (answer.status_code, "audio/wav" in answer.json()["detail"]) == (415, True)


@pytest.mark.parametrize("form", [True, False], ids=["as a form", "as the body"])
async def test_more_than_is_taken_is_refused(service: Service, form: bool):
    sound = bytes(MAX_BYTES + 1)
    sent: dict[str, Any] = {"files": {"file": ("a.wav", sound)}} if form else {"content": sound, "headers": AUDIO}
    answer = await service.http.post(WHOLE, **sent)
    assert (answer.status_code, answer.json()["title"]) == (413, "The request is too large")


@pytest.mark.parametrize(
    "sent",
    [
        {"files": {"sound": ("a.wav", b"x")}},
        {"files": [("file", ("a.wav", b"x")), ("file", ("b.wav", b"x"))]},
        {"data": {"file": "text"}, "files": {"other": ("a", b"")}},
        {"content": b"--b\r\ncut off", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["another name", "two files", "a text", "cut off", "no boundary"],
)
async def test_a_form_without_its_file_is_refused(service: Service, sent: dict[str, Any]):
    answer = await service.http.post(WHOLE, **sent)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")


@pytest.mark.parametrize("query", ["format=mp3", "sample_rate=7", "channels=9", "sample_rate=x", "rate=16000"])
@pytest.mark.parametrize("path", [WHOLE, STREAM])
async def test_a_query_that_is_not_known_is_refused(service: Service, path: str, query: str):
    answer = await service.http.post(f"{path}?{query}", content=b"sound", headers=AUDIO)
    assert answer.status_code == 422


async def test_its_health_is_told_to_everyone(service: Service):
    answer = await service.http.get("/api/asr/healthz", headers={"Authorization": ""})
    assert answer.json() == {"status": "ok", "parts": {"desk": True, "speech": True}}


async def socket(service: Service, *messages: dict[str, Any], key: str = "the operator's key") -> list[dict[str, Any]]:
    """What the server sends over a websocket that is sent these."""
    coming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    for message in ({"type": "websocket.connect"}, *messages):
        coming.put_nowait(message)
    told: list[dict[str, Any]] = []

    async def send(message: Any) -> None:
        told.append(dict(message))

    scope = {
        "type": "websocket",
        "path": STREAM,
        "raw_path": STREAM.encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {key}".encode())],
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
    }
    await asyncio.wait_for(service.app(scope, coming.get, send), 10)
    return told


async def test_the_same_events_come_over_a_websocket(service: Service):
    service.desk.answers.append(Answer(HEARD))
    sound = {"type": "websocket.receive", "bytes": b"sound"}
    told = await socket(service, sound, sound, {"type": "websocket.receive", "text": "end"})
    assert [json.loads(message["text"])["type"] for message in told[1:-1]] == [event["type"] for event in HEARD]
    assert (told[-1]["type"], told[-1]["code"]) == ("websocket.close", 1000)
    assert service.desk.asked[0][2] == b"soundsound"


@pytest.mark.parametrize(("status", "told", "code"), [(422, 422, 1008), (503, 503, 1013)])
async def test_a_problem_is_told_before_the_websocket_closes(service: Service, status: int, told: int, code: int):
    service.desk.answers.append(Answer(status=status))
    messages = await socket(service, {"type": "websocket.receive", "text": "end"})
    assert json.loads(messages[-2]["text"])["status"] == told
    assert messages[-1]["code"] == code


async def test_a_message_that_is_not_known_is_a_problem(service: Service):
    messages = await socket(service, {"type": "websocket.receive", "text": '{"what": "is this"}'})
    assert json.loads(messages[-2]["text"])["title"] == "This message is not known"


async def test_a_websocket_without_the_key_is_not_accepted(service: Service):
    messages = await socket(service, key="another")
    assert (messages[0]["type"], messages[0]["status"]) == ("websocket.http.response.start", 401)


async def test_a_client_that_leaves_is_no_error(service: Service):
    messages = await socket(service, {"type": "websocket.disconnect", "code": 1001})
    assert [message["type"] for message in messages] == ["websocket.accept"]
