"""How a scenario is held in each tier."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from pipecat.evals.script import EvalScriptScenario

from evals.caller.speaker import FliteSpeaker, Speaker
from evals.scenarios.bridge import WebRtcWay
from evals.scenarios.harness import EvalChannel, Way
from evals.scenarios.plan import VOICE, Run, as_held
from evals.scenarios.utterances import Mouth, cued, script


@asynccontextmanager
async def prepared(
    run: Run, *, base_url: str, speaker: Speaker | None = None
) -> AsyncIterator[tuple[EvalScriptScenario, Way]]:
    """The scenario as Pipecat's harness holds it, and its way into one call.

    Raises `CallError` where what is said could not be made.
    """
    scenario = as_held(run)
    if run.tier == "text" or (run.tier == "audio" and run.scenario.keys.x_audio is None):
        yield scenario, EvalChannel()
        return
    said = await script(run.scenario, speaker or FliteSpeaker())
    with tempfile.TemporaryDirectory(prefix="jarvis-cues-") as folder:
        played = await asyncio.to_thread(cued, replace(scenario, user_speech=VOICE), said, Path(folder))
        if run.tier == "webrtc":
            yield played, WebRtcWay(said, base_url=base_url, comes_back=run.scenario.keys.x_host is not None)
        else:
            yield played, EvalChannel(await asyncio.to_thread(Mouth, said))
