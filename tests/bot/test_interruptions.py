"""The start of turns holds the bot's voice, lets it go on, or gives the caller the word."""

from typing import Any

import numpy as np
from pipecat.frames.frames import (
    BotStartedSpeakingFrame,
    BotStoppedSpeakingFrame,
    Frame,
    InputAudioRawFrame,
    STTMetadataFrame,
    TranscriptionFrame,
    VADUserStartedSpeakingFrame,
    VADUserStoppedSpeakingFrame,
)
from pipecat.turns.types import ProcessFrameResult

from bot.interruptions import LATEST_SECS, BargeInStartStrategy
from processors.echo import JustSaid

RATE_HZ, FRAME_SECS = 16_000, 0.02


class Started:
    """A strategy, with what it does in order."""

    def __init__(self, *, bot_speaks: bool = True) -> None:
        self.now, self.did = 0.0, []
        self.just_said = JustSaid()
        self.strategy = BargeInStartStrategy(just_said=self.just_said, clock=lambda: self.now)
        self.bot_speaks = bot_speaks
        self.strategy.add_event_handler("on_push_frame", self._pushed)
        self.strategy.add_event_handler("on_user_turn_started", self._started)
        self.strategy.add_event_handler("on_reset_aggregation", self._reset)

    async def take(self, *frames: Frame) -> list[str]:
        for frame in frames:
            result = await self.strategy.process_frame(frame)
            if result is ProcessFrameResult.STOP:
                self.did.append("STOP")
        return self.did

    async def hear(self, peak: int, secs: float) -> list[str]:
        audio = (peak * np.sin(np.arange(RATE_HZ * FRAME_SECS) / 5)).astype(np.int16).tobytes()
        for _ in range(round(secs / FRAME_SECS)):
            self.now += FRAME_SECS
            await self.take(InputAudioRawFrame(audio, RATE_HZ, 1))
        return self.did

    async def speak_over(self, secs: float) -> list[str]:
        if self.bot_speaks:
            await self.take(BotStartedSpeakingFrame())
        await self.hear(5, 1.0)
        await self.hear(6000, 0.06)
        await self.take(VADUserStartedSpeakingFrame(start_secs=0.064))
        await self.hear(6000, secs - 0.06)
        await self.hear(5, 0.2)
        return await self.take(VADUserStoppedSpeakingFrame(stop_secs=0.2))

    async def _pushed(self, _strategy: object, frame: Frame, _direction: Any) -> None:
        self.did.append(type(frame).__name__)

    async def _started(self, _strategy: object, _params: object) -> None:
        self.did.append("turn")
        await self.strategy.handle_user_turn_started()

    async def _reset(self, _strategy: object) -> None:
        self.did.append("dropped")


def words(text: str) -> TranscriptionFrame:
    return TranscriptionFrame(text, "", "", finalized=True)


async def test_a_long_voice_holds_the_bots_and_begins_a_turn():
    assert await Started().speak_over(1.0) == ["HoldVoiceFrame", "turn", "STOP"]


async def test_while_the_bot_is_silent_voice_begins_a_turn_at_once():
    assert (await Started(bot_speaks=False).speak_over(0.2))[0] == "turn"


async def test_a_backchannel_lets_the_bot_go_on_and_its_words_belong_to_no_turn():
    started = Started()
    await started.speak_over(0.4)
    assert await started.take(words("mm-hm")) == ["HoldVoiceFrame", "ResumeVoiceFrame", "dropped"]


async def test_stop_begins_a_turn():
    started = Started()
    await started.speak_over(0.4)
    assert await started.take(words("Stop.")) == ["HoldVoiceFrame", "turn", "STOP"]


async def test_the_bots_own_words_let_it_go_on():
    started = Started()
    started.just_said.note("We open at nine", at=0.9)
    await started.speak_over(0.4)
    assert await started.take(words("open at nine")) == ["HoldVoiceFrame", "ResumeVoiceFrame", "dropped"]


async def test_a_slow_recognisers_words_are_waited_for_but_not_for_long():
    started = Started()
    await started.take(STTMetadataFrame(service_name="slow", ttfs_p99_latency=2.0))
    await started.speak_over(0.4)
    assert await started.hear(5, LATEST_SECS - 0.1) == ["HoldVoiceFrame"]
    assert await started.hear(5, 0.2) == ["HoldVoiceFrame", "ResumeVoiceFrame"]


async def test_where_interruptions_are_off_the_voice_is_not_held():
    started = Started()
    started.strategy._enable_interruptions = False
    assert "HoldVoiceFrame" not in await started.speak_over(1.0)


async def test_a_bot_that_was_done_as_it_was_held_is_not_held_at_its_next_words():
    started = Started()
    await started.take(BotStartedSpeakingFrame())
    await started.hear(5, 1.0)
    await started.hear(6000, 0.06)
    assert await started.take(BotStoppedSpeakingFrame()) == ["HoldVoiceFrame", "ResumeVoiceFrame"]


async def test_after_a_barge_in_nothing_more_is_held():
    started = Started()
    await started.speak_over(3.0)
    assert started.did.count("HoldVoiceFrame") == 1
