"""Cartesia's voice, against a server in its place."""

import asyncio
import importlib
import re

import pytest
from pipecat.frames.frames import (
    InterruptionFrame,
    LLMFullResponseStartFrame,
    LLMTextFrame,
    TTSAudioRawFrame,
    TTSStartedFrame,
    TTSStoppedFrame,
    TTSUpdateSettingsFrame,
)
from pipecat.utils.errors import ErrorCategory
from pydantic import SecretStr, TypeAdapter, ValidationError

from bot.providers.cartesia import CartesiaTTS
from bot.providers.tts import TTSProvider
from tests.bot.providers.speaking import TIMEOUT_SECS, speaking
from tests.vendors.cartesia import Cartesia
from tests.vendors.faults import Fault, Faults
from tests.vendors.voice import CHARACTERS_PER_SEC, Speech

RATE_HZ = 24_000
OWN_VOICE = CartesiaTTS.model_fields["voice"].default
OPENS, CLOSES = "The pool opens at nine.", "It closes at ten."


def voice(url: str, *, api_key: str = Cartesia.KEY) -> CartesiaTTS:
    return CartesiaTTS(api_key=SecretStr(api_key), base_url=url, silence_secs=0.3)


def pcm(*texts: str, speed: float = 1.0, voice: str = OWN_VOICE) -> bytes:
    return b"".join(Speech(f"{text} ", RATE_HZ, speed, voice).pcm for text in texts)


async def test_two_sentences_of_a_turn_are_heard_whole_and_in_order():
    async with Cartesia().serving() as url, speaking(voice(url)) as speaker:
        turn = await speaker.turn(OPENS, CLOSES)
    assert turn.audio == pcm(OPENS, CLOSES)


async def test_a_turn_is_one_context_that_is_ended():
    vendor = Cartesia()
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        await speaker.turn(OPENS, CLOSES)
    assert len({asked["context_id"] for asked in vendor.asked}) == 1
    assert [(asked["transcript"], asked["continue"]) for asked in vendor.asked] == [
        (f"{OPENS} ", True),
        (f"{CLOSES} ", True),
        ("", False),
    ]


async def test_speech_comes_between_start_and_stop():
    async with Cartesia().serving() as url, speaking(voice(url)) as speaker:
        turn = await speaker.turn(OPENS)
    kinds = [type(frame) for frame in turn.frames]
    assert kinds.index(TTSStartedFrame) < kinds.index(TTSAudioRawFrame) < kinds.index(TTSStoppedFrame)


async def test_words_come_with_the_time_at_which_they_are_said():
    async with Cartesia().serving() as url, speaking(voice(url)) as speaker:
        turn = await speaker.turn(OPENS, CLOSES)
    text = f"{OPENS} {CLOSES}"
    assert [word for word, _ in turn.words] == text.split()
    assert [secs for _, secs in turn.words] == pytest.approx(
        [found.start() / CHARACTERS_PER_SEC for found in re.finditer(r"\S+", text)]
    )


async def test_an_interruption_cancels_the_context_at_the_vendor():
    vendor = Cartesia(faults=Faults(pace=1.0))
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        await speaker.line.put(LLMFullResponseStartFrame(), LLMTextFrame(f"{OPENS} {CLOSES}"))
        await speaker.until(TTSAudioRawFrame)
        await speaker.line.put(InterruptionFrame())
        await speaker.until(InterruptionFrame)
        vendor.faults.pace = None
        turn = await speaker.turn(CLOSES)
    assert {"context_id": vendor.asked[0]["context_id"], "cancel": True} in vendor.asked
    assert turn.audio == pcm(CLOSES)


@pytest.mark.parametrize(
    ("fault", "categories", "share"),
    [
        ("refuse", {ErrorCategory.UNKNOWN}, 0),
        ("unauthorized", {ErrorCategory.AUTHENTICATION}, 0),
        ("rate_limited", {ErrorCategory.RATE_LIMIT, ErrorCategory.UNKNOWN}, 0),
        ("server_error", {ErrorCategory.SERVER, ErrorCategory.UNKNOWN}, 0),
        ("half_open", {ErrorCategory.UNKNOWN}, 0),
        ("stall", {ErrorCategory.UNKNOWN}, 0),
        ("garbage", {ErrorCategory.UNKNOWN}, 0),
        ("empty", {ErrorCategory.UNKNOWN}, 0),
        ("wrong_rate", set(), 0.5),
        # Of these Pipecat says nothing.
        ("stall_midway", set(), 0.5),
        ("drop", set(), 0.5),
    ],
)
async def test_a_fault_is_reported_and_the_turn_ends(fault: Fault, categories: set[ErrorCategory], share: float):
    vendor = Cartesia(faults=Faults(fault=fault))
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        turn = await speaker.turn(OPENS)
        vendor.hang_up()
    assert turn.categories == categories
    assert len(turn.audio) == pytest.approx(share * len(pcm(OPENS)), rel=0.1)
    assert speaker.service.is_usable is (fault != "unauthorized")


@pytest.mark.parametrize(("fault", "is_whole"), [(None, True), ("stall_midway", False), ("drop", False)])
async def test_only_a_turn_that_came_whole_is_stopped(fault: Fault | None, is_whole: bool):
    async with Cartesia(faults=Faults(fault=fault)).serving() as url, speaking(voice(url)) as speaker:
        turn = await speaker.turn(OPENS)
    assert any(isinstance(frame, TTSStoppedFrame) for frame in turn.frames) is is_whole


@pytest.mark.parametrize(
    "fault", ["refuse", "rate_limited", "server_error", "stall", "stall_midway", "empty", "wrong_rate"]
)
async def test_the_turn_after_a_fault_is_heard(fault: Fault):
    vendor = Cartesia(faults=Faults(fault=fault))
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        await speaker.turn(OPENS)
        vendor.faults.fault = None
        turn = await speaker.turn(CLOSES)
    assert turn.audio == pcm(CLOSES)


@pytest.mark.parametrize("fault", ["drop", "garbage"])
async def test_a_broken_connection_is_followed_by_another(fault: Fault):
    vendor = Cartesia(faults=Faults(fault=fault))
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        again = asyncio.Event()
        speaker.service.add_event_handler("on_connected", lambda _service: again.set())
        await speaker.turn(OPENS)
        vendor.faults.fault = None
        # What is said before may be sent on the connection that is being left, and lost.
        await asyncio.wait_for(again.wait(), TIMEOUT_SECS)
        turn = await speaker.turn(CLOSES)
    assert turn.audio == pcm(CLOSES)


@pytest.mark.parametrize("fault", ["unauthorized", "rate_limited", "server_error"])
async def test_what_is_refused_on_an_open_connection_is_an_unknown_error(fault: Fault):
    vendor = Cartesia()
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        vendor.faults = Faults(fault=fault)
        turn = await speaker.turn(OPENS)
    assert (turn.audio, turn.categories) == (b"", {ErrorCategory.UNKNOWN})
    assert speaker.service.is_usable


async def test_after_three_silent_turns_it_is_not_used_any_more():
    async with Cartesia(faults=Faults(fault="empty")).serving() as url, speaking(voice(url)) as speaker:
        usable = []
        for _ in range(3):
            await speaker.turn(OPENS)
            usable.append(speaker.service.is_usable)
    assert usable == [True, True, False]


async def test_a_wrong_key_is_refused_for_good():
    async with Cartesia().serving() as url, speaking(voice(url, api_key="another")) as speaker:
        turn = await speaker.turn(OPENS)
    assert turn.categories == {ErrorCategory.AUTHENTICATION}


@pytest.mark.parametrize(("speed", "spoken"), [(0.5, 0.6), (1.0, 1.0), (1.25, 1.25), (2.0, 1.5)])
async def test_a_text_is_spoken_in_its_manner(speed: float, spoken: float):
    vendor = Cartesia()
    async with vendor.serving() as url, speaking(voice(url)) as speaker:
        manner = voice(url).manner(voice="another", speed=speed)
        await speaker.line.put(TTSUpdateSettingsFrame(delta=manner))
        turn = await speaker.turn(OPENS)
    assert vendor.asked[0]["voice"] == {"mode": "id", "id": "another"}
    assert turn.audio == pcm(OPENS, speed=spoken, voice="another")


async def test_without_a_voice_it_is_the_one_that_was_set():
    assert voice("http://nowhere").manner(voice=None, speed=1.0).voice == voice("http://nowhere").voice


async def test_it_asks_for_what_was_set():
    vendor = Cartesia()
    async with vendor.serving() as url:
        settings = CartesiaTTS(
            api_key=SecretStr(Cartesia.KEY), base_url=url, model="sonic-x", voice="anne", language="de"
        )
        async with speaking(settings) as speaker:
            await speaker.turn(OPENS)
    asked = vendor.asked[0]
    assert (asked["model_id"], asked["voice"]["id"], asked["language"]) == ("sonic-x", "anne", "de")
    assert asked["output_format"] == {"container": "raw", "encoding": "pcm_s16le", "sample_rate": RATE_HZ}


def test_without_a_key_it_is_not_configured():
    with pytest.raises(ValidationError):
        CartesiaTTS.model_validate({"provider": "cartesia"})


def test_it_is_one_of_the_voices():
    settings = {"provider": "cartesia", "api_key": "secret"}
    assert isinstance(TypeAdapter(TTSProvider).validate_python(settings), CartesiaTTS)


def test_what_it_preloads_can_be_imported():
    assert [importlib.import_module(name).__name__ for name in CartesiaTTS.preload] == list(CartesiaTTS.preload)
