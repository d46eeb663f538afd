"""Vendors that fail in a call: the turn goes on with the next one. The call is looked at from all sides."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.providers.stages import STAGES
from evals.caller.call import Turn, call
from evals.caller.conversation import CallEvent, Stage
from evals.caller.report import CallReport
from evals.caller.speaker import FliteSpeaker
from evals.drill.doubles import doubles
from evals.drill.measure import Verdict, verdict
from evals.drill.questions import questions
from evals.drill.scenarios import VENDORS
from evals.drill.stack import MANNERS
from evals.program import RECORDINGS, Jarvis
from tests.e2e.conftest import artifact, directory
from tests.e2e.test_seen import samples, scrape
from tests.vendors.stands import MANNERS as LIKE_VENDORS

pytestmark = pytest.mark.e2e

NAMES = [f"{stage}/{name}" for stage, vendors in VENDORS.items() for name in vendors]
WARM_SECS = 30.0
VOICE = f"tts/{VENDORS['tts'][0]}"
ASKED = questions()[: len(STAGES)]


@dataclass(frozen=True)
class Called:
    """What came of the call: how often each vendor was asked in it, and what the server wrote and counted."""

    report: CallReport
    asked: Mapping[str, int]
    log: str
    samples: Mapping[tuple[str, ...], float]


@pytest.fixture(scope="module")
def called(prepared: Path) -> Called:
    """A call in which the first recogniser, the first language model and the first voice break off, one a turn."""
    with directory(prepared) as place:
        return asyncio.run(_called(place))


async def _called(place: Path) -> Called:
    failing = iter([f"{stage}/{VENDORS[stage][0]}" for stage in STAGES])
    asked = iter(ASKED)
    counts: list[asyncio.Future[dict[str, int]]] = []
    async with doubles(NAMES) as served:
        # As the server starts it asks each recogniser, too.
        await served.tell(hear="Hello.", phrases={each.words: each.phrase for each in ASKED})
        # What is said ahead of the call is there at once.
        await served.tell(double=VOICE, delay_secs=0.0, pace=None)
        jarvis = Jarvis(place, **MANNERS, **served.variables)
        await asyncio.to_thread(jarvis.start)

        def follow(event: CallEvent) -> None:
            if event.stage is Stage.ASKING:
                counts.append(served.tell(hear=next(asked).words, double=next(failing), fault="drop", times=1))

        try:
            async with asyncio.timeout(WARM_SECS):
                while "the cache of cartesia is warm" not in jarvis.log.read_text():  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            delay_secs, pace = LIKE_VENDORS["tts"]
            await served.tell(double=VOICE, delay_secs=delay_secs, pace=pace)
            report = await call(
                base_url=jarvis.url,
                turns=[Turn(RECORDINGS / "slt" / f"{each.id}.flac") for each in ASKED],
                speaker=FliteSpeaker(),
                wav_out=artifact("failover.wav"),
                on_event=follow,
            )
            before, after = await counts[0], await served.tell()
            counted = await asyncio.to_thread(scrape, jarvis)
        finally:
            await asyncio.to_thread(jarvis.stop)
    times = {name: after[name] - before[name] for name in NAMES}
    return Called(report, times, jarvis.log.read_text(), samples(counted))


def test_a_turn_in_which_a_vendor_breaks_off_is_answered_once_whole_and_right(called: Called):
    turns = called.report.turns
    assert [turn.heard for turn in turns] == [each.words for each in ASKED]
    verdicts = [
        verdict(turn.said, each.answer, answered=turn.answered) for turn, each in zip(turns, ASKED, strict=True)
    ]
    assert verdicts == [Verdict.ONCE] * 3, [turn.said for turn in turns]
    assert all(called.asked[name] for name in NAMES), "each vendor did some of the work"


@pytest.mark.parametrize("stage", STAGES)
def test_each_vendor_was_asked_as_the_server_started(called: Called, stage: str):
    assert called.log.count(f"({stage}) answers after") == 2


def test_the_greeting_came_from_the_cache(called: Called):
    assert called.samples["jarvis_speech_cache_total", "greeting", "hit"] == 1


def test_what_it_cost_is_counted_by_vendor(called: Called):
    for stage, vendors in VENDORS.items():
        assert all(called.samples["jarvis_cost_usd_total", name, stage] > 0 for name in vendors)
