"""What a new session is told of where it is."""

from datetime import UTC, datetime

import pytest

from server.ingress.schemas import CreatedSession


@pytest.mark.parametrize(
    ("channel", "public_url", "place"),
    [
        ("webrtc", "https://voice.example.com", {"call_link": "https://voice.example.com/call/t"}),
        ("websocket", "https://voice.example.com", {"audio_url": "wss://voice.example.com/api/ingress/audio/ingest"}),
        ("websocket", "http://127.0.0.1:7860", {"audio_url": "ws://127.0.0.1:7860/api/ingress/audio/ingest"}),
        (
            "websocket",
            "https://example.com/http",
            {"audio_url": "wss://example.com/http/api/ingress/audio/ingest"},
        ),
        ("eval", "http://127.0.0.1:7860", {"eval_url": "ws://session:t@127.0.0.1:7860/api/ingress/eval"}),
        ("eval", "https://example.com/http", {"eval_url": "wss://session:t@example.com/http/api/ingress/eval"}),
    ],
)
def test_each_channel_has_its_address(channel: str, public_url: str, place: dict[str, str]):
    now = datetime.now(UTC)
    created = CreatedSession.of("6f1c", token="t", channel=channel, public_url=public_url, expires_at=now)
    assert created.model_dump(include={"call_link", "audio_url", "eval_url"}, exclude_none=True) == place
