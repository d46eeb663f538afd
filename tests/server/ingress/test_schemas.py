"""What a new session is told of where it is."""

from datetime import UTC, datetime

import pytest

from server.ingress.schemas import CreatedSession


@pytest.mark.parametrize(
    ("channel", "public_url", "call_link", "audio_url"),
    [
        ("webrtc", "https://voice.example.com", "https://voice.example.com/call/t", None),
        ("websocket", "https://voice.example.com", None, "wss://voice.example.com/api/ingress/audio/ingest"),
        ("websocket", "http://127.0.0.1:7860", None, "ws://127.0.0.1:7860/api/ingress/audio/ingest"),
        ("websocket", "https://example.com/http", None, "wss://example.com/http/api/ingress/audio/ingest"),
    ],
)
def test_each_channel_has_its_address(channel: str, public_url: str, call_link: str | None, audio_url: str | None):
    now = datetime.now(UTC)
    created = CreatedSession.of("6f1c", token="t", channel=channel, public_url=public_url, expires_at=now)
    assert (created.call_link, created.audio_url) == (call_link, audio_url)
