"""A bot is tried with sounds, without a call."""

from dataclasses import replace

import numpy as np
import pytest

from bot.turns import TurnModels
from evals.bench.figures import Figure
from evals.bench.interruptions import Ear, Tried, _found
from evals.bench.overheard import HEARD_HZ, Overheard, caller_before

SAID = Overheard("question", caller_before()[: 2 * HEARD_HZ], "are you open", 0.5, 2.0)


@pytest.fixture(scope="module")
def models() -> TurnModels:
    return TurnModels.load()


async def test_a_question_silences_the_bot_soon_and_stops_it(models: TurnModels):
    tried = await Ear(models, told=True).hear(SAID)
    assert tried.stopped_at is not None
    assert tried.yield_ms is not None
    assert tried.yield_ms < 150


async def test_a_backchannel_lets_it_go_on(models: TurnModels):
    short = np.pad(SAID.samples[: round(0.8 * HEARD_HZ)], (0, HEARD_HZ))
    tried = await Ear(models, told=True).hear(replace(SAID, kind="backchannel", samples=short, words="mm-hm"))
    assert (tried.stopped_at, tried.holds) == (None, 1)


def test_what_was_stopped_for_without_reason_and_what_was_missed_are_shares():
    harmless = replace(SAID, kind="cough")
    tried = [Tried(harmless), Tried(harmless, stopped_at=1.0), Tried(SAID, held_at=0.55, stopped_at=1.0), Tried(SAID)]
    figures = {each.name: each.values for each in _found(tried, "") if isinstance(each, Figure)}
    assert (figures["false stops"], figures["missed barge-ins"]) == ((50.0,), (50.0,))
    assert figures["voice to silence, at the bot"] == pytest.approx((50.0,))
