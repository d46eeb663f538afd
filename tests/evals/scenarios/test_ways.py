"""How a scenario is held in each tier."""

from pathlib import Path

import numpy as np
import pytest

from evals.caller.audio import RATE_HZ, Pcm
from evals.scenarios.bridge import WebRtcWay
from evals.scenarios.harness import EvalChannel
from evals.scenarios.keys import Tier
from evals.scenarios.plan import VOICE, Run
from evals.scenarios.ways import prepared
from tests.evals.scenarios.given import scenario

DEGRADED = "x_audio: {loss: 5%}"


class PlayedSpeaker:
    """Says everything as the same tone."""

    async def speak(self, text: str) -> Pcm:
        return Pcm(np.full(RATE_HZ, 1000, np.int16), RATE_HZ)


@pytest.mark.parametrize(
    ("tier", "keys", "way", "plays"),
    [
        ("text", "", EvalChannel, False),
        ("audio", "", EvalChannel, False),
        ("audio", DEGRADED, EvalChannel, True),
        ("webrtc", "", WebRtcWay, True),
    ],
)
async def test_cues_are_played_where_something_else_is_said(
    tmp_path: Path, tier: Tier, keys: str, way: type, plays: bool
):
    held = scenario(tmp_path, keys=keys, jarvis=f", tiers: [{tier}]")
    async with prepared(Run(held, tier, 1), base_url="http://127.0.0.1:1", speaker=PlayedSpeaker()) as (asked, found):
        assert isinstance(found, way)
        assert (asked.turns[0].audio is not None) is plays
        assert (asked.user_speech == VOICE) is (tier != "text")
