"""Vendors that fail in a call: the turn goes on with the next one."""

import asyncio
from pathlib import Path

import pytest

from bot.providers.stages import STAGES
from evals.caller.call import Turn, call
from evals.caller.conversation import CallEvent, Stage
from evals.caller.speaker import FliteSpeaker
from evals.drill.doubles import doubles
from evals.drill.measure import Verdict, verdict
from evals.drill.questions import questions
from evals.drill.scenarios import VENDORS
from evals.drill.stack import MANNERS
from evals.program import RECORDINGS, Jarvis

pytestmark = pytest.mark.e2e

NAMES = [f"{stage}/{name}" for stage, vendors in VENDORS.items() for name in vendors]


async def test_a_turn_in_which_a_vendor_breaks_off_is_answered_once_whole_and_right(data_dir: Path, artifacts: Path):
    asked = questions()[: len(STAGES)]
    failing = [f"{stage}/{VENDORS[stage][0]}" for stage in STAGES]
    async with doubles(NAMES) as served:
        await served.tell(phrases={each.words: each.phrase for each in asked})
        jarvis = Jarvis(data_dir, **MANNERS, **served.variables)
        await asyncio.to_thread(jarvis.start)
        turns = iter(zip(asked, failing, strict=True))

        def follow(event: CallEvent) -> None:
            if event.stage is Stage.ASKING:
                question, double = next(turns)
                served.tell(hear=question.words, double=double, fault="drop", times=1)

        try:
            report = await call(
                base_url=jarvis.url,
                turns=[Turn(RECORDINGS / "slt" / f"{each.id}.flac") for each in asked],
                speaker=FliteSpeaker(),
                wav_out=artifacts / "call.wav",
                on_event=follow,
            )
            counts = await served.tell()
        finally:
            await asyncio.to_thread(jarvis.stop)
    heard = [turn.heard for turn in report.turns]
    assert heard == [each.words for each in asked]
    verdicts = [
        verdict(turn.said, each.answer, answered=turn.answered) for turn, each in zip(report.turns, asked, strict=True)
    ]
    assert verdicts == [Verdict.ONCE] * 3, [turn.said for turn in report.turns]
    assert all(counts[name] for name in NAMES), "each vendor did some of the work"
