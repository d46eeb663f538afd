"""The wire format as frames, and what becomes of what is not in it."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from pipecat.frames.frames import (
    EndFrame,
    InputAudioRawFrame,
    InputTransportMessageFrame,
    InterruptionFrame,
    OutputAudioRawFrame,
    OutputTransportMessageUrgentFrame,
)

from bot.codecs import sound_codec
from bot.intake import ABUSE_FAULTS
from bot.serializer import WireSerializer
from bot.wire import MAX_MESSAGE_BYTES, Close, Codec, SampleRate

PIECE = bytes(640)
SECOND = bytes(32_000)


class Wire:
    """A serializer, and what it told its caller; time stands still unless it is set."""

    def __init__(self, codec: Codec = "pcm", rate: SampleRate = SampleRate.WIDEBAND):
        self.now = 100.0
        self.told: list[Mapping[str, Any]] = []
        self.closed: list[Close] = []
        self.serializer = WireSerializer(
            codec=sound_codec(codec, rate), tell=self._tell, let_go=self._let_go, clock=lambda: self.now
        )
        self.serializer._rate_hz = 16_000

    async def _tell(self, message: Mapping[str, Any]) -> None:
        self.told.append(message)

    async def _let_go(self, close: Close) -> None:
        self.closed.append(close)

    async def heard(self, data: str | bytes) -> bytes:
        """The sound that the pipeline gets of a message."""
        frame = await self.serializer.deserialize(data)
        assert frame is None or isinstance(frame, InputAudioRawFrame)
        return b"" if frame is None else frame.audio

    @property
    def faults(self) -> list[str]:
        return [message["data"]["code"] for message in self.told]


async def test_sound_reaches_the_pipeline():
    assert await Wire().heard(PIECE) == PIECE


@pytest.mark.parametrize("rate", SampleRate)
async def test_sound_of_any_rate_reaches_the_pipeline_at_its_own(rate: SampleRate):
    wire = Wire(rate=rate)
    second = (8000 * np.sin(np.arange(rate) / 50)).astype("<i2").tobytes()
    size = rate // 50 * 2
    heard = b"".join([await wire.heard(second[start : start + size]) for start in range(0, len(second), size)])
    assert len(heard) == pytest.approx(32_000, rel=0.03)


async def test_an_empty_message_means_nothing():
    wire = Wire()
    assert (await wire.heard(b""), wire.told) == (b"", [])


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        (PIECE[1:], "odd_length"),
        (bytes(MAX_MESSAGE_BYTES + 2), "too_large"),
        (bytes(10_000_000), "too_large"),
        ("x" * (MAX_MESSAGE_BYTES + 1), "too_large"),
        ("no json", "not_json"),
        ('{"type": "sing"}', "unknown_message"),
    ],
    ids=["odd", "over 64 KiB", "10 MB", "a long text", "no JSON", "an unknown message"],
)
async def test_what_can_not_be_taken_is_told_and_the_call_goes_on(message: str | bytes, fault: str):
    wire = Wire()
    assert await wire.heard(message) == b""
    assert wire.faults == [fault]
    assert await wire.heard(PIECE) == PIECE


async def test_an_opus_caller_is_told_of_what_is_no_packet():
    wire = Wire("opus", SampleRate.FULLBAND)
    await wire.heard(b"garbage that is not opus")
    assert wire.faults == ["undecodable"]


async def test_a_file_sent_at_once_is_taken_as_far_as_a_network_may_hold_back():
    wire = Wire()
    heard = [await wire.heard(SECOND) for _ in range(30)]
    assert len(b"".join(heard)) == 5 * len(SECOND)
    assert wire.faults == ["too_fast"]


async def test_sound_goes_on_after_too_much_of_it():
    wire = Wire()
    for _ in range(30):
        await wire.heard(SECOND)
    wire.now += 1
    assert await wire.heard(SECOND) == SECOND


async def test_endless_nonsense_closes_the_connection():
    wire = Wire()
    for _ in range(ABUSE_FAULTS):
        await wire.heard(b"\0")
    assert wire.closed == [Close.ABUSE]
    assert wire.faults == ["odd_length"]


async def test_who_says_so_hangs_up():
    wire = Wire()
    await wire.heard('{"type": "end"}')
    assert wire.closed == [Close.ENDED]


async def test_a_text_is_asked_as_rtvi_asks_it():
    frame = await Wire().serializer.deserialize('{"type": "text", "text": "Hi"}')
    assert isinstance(frame, InputTransportMessageFrame)
    assert (frame.message["type"], frame.message["data"]) == ("send-text", {"content": "Hi"})


async def test_the_bots_sound_is_sent():
    frame = OutputAudioRawFrame(audio=PIECE, sample_rate=16_000, num_channels=1)
    assert await Wire().serializer.serialize(frame) == PIECE


async def test_an_interruption_is_told_where_the_sound_ends_and_only_there():
    serializer = Wire().serializer
    said_by_rtvi = OutputTransportMessageUrgentFrame(message={"label": "rtvi-ai", "type": "bot-interrupted"})
    assert await serializer.serialize(said_by_rtvi) is None
    assert json.loads(str(await serializer.serialize(InterruptionFrame())))["type"] == "bot-interrupted"


async def test_messages_of_rtvi_are_sent_as_they_are():
    message = {"label": "rtvi-ai", "type": "bot-tts-text", "data": {"text": "Hello"}}
    frame = OutputTransportMessageUrgentFrame(message=message)
    assert json.loads(str(await Wire().serializer.serialize(frame))) == message


async def test_other_frames_say_nothing_to_the_caller():
    assert await Wire().serializer.serialize(EndFrame()) is None
