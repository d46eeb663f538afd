"""A Piper server's voice, before a server in its place."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pipecat.frames.frames import ErrorFrame, Frame, TTSAudioRawFrame, TTSSpeakFrame, TTSStoppedFrame
from pipecat.utils.errors import ErrorCategory

from bot.desk.line import Line
from bot.speech import piper
from bot.speech.piper import PiperTTSService
from tests.vendors.faults import Fault, Faults
from tests.vendors.piper import Piper

TEXT = "Good morning, caller"
ENOUGH_SECS = 5.0


@asynccontextmanager
async def speaking(double: Piper, *, voice: str | None = None, speed: float = 1.0) -> AsyncIterator[Line]:
    async with double.serving() as url:
        settings = PiperTTSService.Settings(voice=voice, speed=speed)
        line = Line([PiperTTSService(base_url=url, settings=settings)], takes=(TTSAudioRawFrame, TTSStoppedFrame))
        await line.start()
        try:
            yield line
        finally:
            await line.end()


async def spoken(line: Line) -> list[Frame]:
    await line.put(TTSSpeakFrame(TEXT))
    frames: list[Frame] = []
    while not frames or not isinstance(frames[-1], TTSStoppedFrame):
        frames.append(await line.next(timeout_secs=ENOUGH_SECS))
    return frames


def secs(frames: list[Frame]) -> float:
    return sum(len(frame.audio) / 2 / 24_000 for frame in frames if isinstance(frame, TTSAudioRawFrame))


def categories(frames: list[Frame]) -> list[ErrorCategory | None]:
    return [frame.category for frame in frames if isinstance(frame, ErrorFrame)]


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 24_000])
async def test_a_voice_of_any_rate_is_as_long_as_it_speaks(rate_hz: int):
    async with speaking(Piper(rate_hz=rate_hz)) as line:
        assert secs(await spoken(line)) == pytest.approx(0.75, abs=0.1)


async def test_the_server_is_asked_for_the_text_as_fast_and_in_the_voice_that_was_set():
    double = Piper()
    async with speaking(double, voice="en_GB-alba-medium", speed=2.0) as line:
        await spoken(line)
    assert double.asked == [{"text": TEXT, "length_scale": 0.5, "voice": "en_GB-alba-medium"}]


async def test_without_a_voice_the_servers_own_speaks():
    double = Piper()
    async with speaking(double) as line:
        await spoken(line)
    assert double.asked == [{"text": TEXT, "length_scale": 1.0}]


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        ("refuse", ErrorCategory.CONNECTIVITY),
        ("unauthorized", ErrorCategory.AUTHENTICATION),
        ("rate_limited", ErrorCategory.RATE_LIMIT),
        ("server_error", ErrorCategory.SERVER),
        ("garbage", ErrorCategory.UNKNOWN),
    ],
)
async def test_a_server_that_fails_is_reported_by_its_kind(fault: Fault, category: ErrorCategory):
    async with speaking(Piper(faults=Faults(fault=fault))) as line:
        frames = await spoken(line)
    assert categories(frames)[0] is category
    assert secs(frames) == 0.0


@pytest.mark.parametrize("fault", ["stall", "half_open", "stall_midway"])
async def test_a_server_that_says_nothing_more_is_not_waited_for(fault: Fault, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(piper, "ANSWER_SECS", 0.3)
    async with speaking(Piper(faults=Faults(fault=fault))) as line:
        assert categories(await spoken(line))[0] is ErrorCategory.CONNECTIVITY


async def test_what_a_server_said_before_it_went_is_heard():
    async with speaking(Piper(faults=Faults(fault="drop"))) as line:
        frames = await spoken(line)
    assert secs(frames) > 0.2
    assert len(categories(frames)) == 1


async def test_an_error_does_not_repeat_the_text():
    async with speaking(Piper(faults=Faults(fault="server_error"))) as line:
        frames = await spoken(line)
    assert not any(TEXT in frame.error for frame in frames if isinstance(frame, ErrorFrame))


async def test_after_a_failure_the_next_text_is_spoken():
    async with speaking(Piper(faults=Faults(fault="refuse", times=1))) as line:
        await spoken(line)
        assert secs(await spoken(line)) == pytest.approx(0.75, abs=0.1)
