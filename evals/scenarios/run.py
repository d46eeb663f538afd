"""Holds a suite: each conversation with a Jarvis that fits, judged, and kept as soon as it is over."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
from pipecat.evals.results import EvalScriptResult

from evals.drill.scenarios import VENDORS
from evals.scenarios.checks import Failure, failures
from evals.scenarios.claims import words_spoken
from evals.scenarios.errors import SuiteError
from evals.scenarios.harness import Held, hold
from evals.scenarios.observed import Observed
from evals.scenarios.observing import Spoken, by_turn, false_interrupts, missed_turns, spoken, timeline, turns
from evals.scenarios.plan import Plan, Run, Unheld
from evals.scenarios.results import Results, Status, complained, failed, named, shown
from evals.scenarios.stand import Stand, Wanted, stand
from evals.scenarios.ways import prepared

HOLD_SECS = 600.0
GAP_SECS, LOOK_SECS = 3.0, 0.2
# The call did not come about: that says nothing of what the scenario asks.
UNREACHED = frozenset({"connect_failed", "closed_before_ready", "handshake_timeout"})
BROKEN = UNREACHED | {"error"}
# A host that is busy, or whose lines are, may take the call a little later.
TRIES, AGAIN_SECS = 3, 4.0

OnRecord = Callable[[Mapping[str, Any]], None]


async def hold_suite(
    suite: Plan, results: Results, *, jobs: int, live: Mapping[str, str], on_record: OnRecord, stands: Any = stand
) -> None:
    """Holds a suite, so many calls at once, and adds each run to the results as it ends.

    `live` are the variables of the vendors that are asked for real. What goes wrong with one run is told in its record,
    and the others are held all the same.
    """

    def keep(record: Mapping[str, Any]) -> None:
        results.add(record)
        on_record(record)

    for unheld in suite.unheld:
        keep(_invalid(unheld))
    for run in suite.pending:
        keep(_pending(run))
    # One after the other: each has a server, and a bot for each call.
    for wanted, group in groupby(sorted(suite.runs, key=_order), key=lambda run: Wanted.of(run.scenario)):
        await _hold_group(wanted, list(group), results, jobs=jobs, live=live, keep=keep, stands=stands)


def _order(run: Run) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    wanted = Wanted.of(run.scenario)
    return wanted.providers, str(wanted.knowledge), wanted.settings


async def _hold_group(
    wanted: Wanted,
    runs: Sequence[Run],
    results: Results,
    *,
    jobs: int,
    live: Mapping[str, str],
    keep: OnRecord,
    stands: Any,
) -> None:
    # Doubles are told what is heard next, whoever calls.
    lines = 1 if wanted.providers == "doubles" else jobs
    async with AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(stands(wanted, live=live, lines=lines))
        except SuiteError as error:
            for run in runs:
                keep(_broken(run, str(error)))
            return
        free = asyncio.Semaphore(lines)

        async def held(run: Run) -> None:
            async with free:
                keep(await _judged(run, served, results))

        async with asyncio.TaskGroup() as group:
            for run in runs:
                group.create_task(held(run))


async def _judged(run: Run, served: Stand, results: Results) -> Mapping[str, Any]:
    try:
        async with asyncio.timeout(HOLD_SECS):
            return await _hold_one(run, served, results)
    except TimeoutError:
        return _broken(run, f"the call was not over after {HOLD_SECS:.0f} s")
    # Whatever a harness meets: the suite goes on, and the record says what it was.
    except Exception as error:
        return _broken(run, f"{type(error).__name__}: {error}")


async def _hold_one(run: Run, served: Stand, results: Results) -> Mapping[str, Any]:
    scenario, spoken_tier = run.scenario, run.tier != "text"
    audio = results.folder / f"{scenario.name.replace('/', '.')}.{run.tier}.{run.number}.wav" if spoken_tier else None
    logged = served.logged()
    cue = _Cue(run, served)
    await cue.prepare()
    held = await _had(run, served, cue, audio)
    if any(each.kind in BROKEN for each in held.result.failures):
        return _record(run, held.result, "error") | {
            "x_session": held.session_id,
            "x_failures": [failed(each) for each in _stock_failures(run, held.result)],
        }
    sound = None
    if held.recording is not None:
        sound = await asyncio.to_thread(spoken, held.recording, held.began_ms)
    observed = await _observed(run, served, held, sound, logged=logged)
    ran = sum(turn.status != "not_run" for turn in held.result.turns)
    found = [*_stock_failures(run, held.result), *failures(scenario, observed, tier=run.tier, ran=ran)]
    status, found = _with_pending(run, "failed" if found else "passed", found)
    users = [turn.user for turn in scenario.stock.turns]
    return _record(run, held.result, status) | {
        "x_session": held.session_id,
        "x_failures": [failed(each) for each in found],
        "x_turns": [shown(turn) for turn in observed.turns],
        "x_timeline": [asdict(span) for span in timeline(held.messages, held.began_ms, users, sound)],
        "x_audio": None if held.audio is None else held.audio.name,
    }


async def _had(run: Run, served: Stand, cue: "_Cue", audio: Path | None) -> Held:
    """The conversation as it was held; one that did not come about is tried again."""
    again = 0
    while True:
        async with prepared(run, base_url=served.url) as (scenario, way):
            held = await hold(
                scenario,
                base_url=served.url,
                key=served.key,
                audio=audio,
                judged=run.scenario.keys.x_jarvis.providers == "live",
                on_turn=cue.turn,
                way=way,
            )
        await cue.end()
        held, again = without_settling(held), again + 1
        if again == TRIES or not any(each.kind in UNREACHED for each in held.result.failures):
            return held
        await asyncio.sleep(again * AGAIN_SECS)


def without_settling(held: Held) -> Held:
    """What was held, without the wait at its end."""
    count = len(held.began_ms) - 1
    result = replace(
        held.result,
        turns=held.result.turns[:count],
        failures=[each for each in held.result.failures if each.turn_index < count],
    )
    return replace(held, result=result, began_ms=held.began_ms[:count])


class _Cue:
    """Tells the vendors' doubles what they hear and how they fail, as a call's turns begin."""

    def __init__(self, run: Run, served: Stand) -> None:
        self._run = run
        self._doubles = served.doubles
        self._faulty = {
            (each.turn, f"{each.stage}/{VENDORS[each.stage][0]}"): each for each in run.scenario.keys.x_faults
        }

    async def prepare(self) -> None:
        """What is looked for in the passages of each question."""
        if self._doubles is None:
            return
        asked = zip(self._run.scenario.stock.turns, self._run.scenario.turns, strict=True)
        phrases = {keys.x_hears or turn.user: keys.x_phrase for turn, keys in asked if turn.user and keys.x_phrase}
        await self._doubles.tell(phrases=phrases)

    def turn(self, number: int) -> None:
        """A turn begins."""
        if self._doubles is None or number >= len(self._run.scenario.turns):
            return
        user = self._run.scenario.stock.turns[number].user
        if user:
            self._doubles.tell(hear=self._run.scenario.turns[number].x_hears or user)
        for (at, double), each in self._faulty.items():
            self._doubles.tell(double=double, fault=each.fault if at == number else None)

    async def end(self) -> None:
        """All is well again."""
        if self._doubles is not None:
            for _, double in self._faulty:
                await self._doubles.tell(double=double, fault=None)


async def _observed(run: Run, served: Stand, held: Held, sound: Spoken | None, *, logged: int) -> Observed:
    scenario, keys = run.scenario, run.scenario.keys
    users = [turn.user for turn in scenario.stock.turns]
    seen = turns(users, by_turn(held.messages, held.began_ms), sound)
    record = await served.record(held.session_id) if held.session_id else ""
    asked = [
        words_spoken(turn.heard or turn.user or "")
        for turn, own in zip(seen, scenario.turns, strict=True)
        if own.x_refuses
    ]
    rows: dict[int, object] = {}
    unasked: dict[int, str] = {}
    for number, row in enumerate(keys.x_state):
        try:
            rows[number] = await served.row(row.sql, session=held.session_id or "", equals=row.equals)
        except (psycopg.Error, OSError) as error:
            unasked[number] = str(error).partition("\n")[0] or type(error).__name__
    return Observed(
        turns=seen,
        log=served.log_since(logged),
        metrics=await served.metrics() if keys.x_privacy else "",
        record=record,
        gaps=await _gaps(served, asked) if asked else (),
        rows=rows,
        unasked=unasked,
        false_interrupts=None if sound is None else false_interrupts(held.messages, sound),
        missed_turns=None if sound is None else missed_turns(sound),
    )


async def _gaps(served: Stand, asked: Sequence[list[str]]) -> tuple[str, ...]:
    """The questions that are kept, as soon as these are among them, or when time is up."""
    gaps: tuple[str, ...] = ()
    for _ in range(round(GAP_SECS / LOOK_SECS)):
        gaps = await served.gaps()
        kept = [words_spoken(each) for each in gaps]
        if all(each in kept for each in asked):
            break
        await asyncio.sleep(LOOK_SECS)
    return gaps


def _stock_failures(run: Run, result: EvalScriptResult) -> list[Failure]:
    found = []
    for each in result.failures:
        turn = each.turn_index if each.turn_index >= 0 else None
        path = () if turn is None else ("turns", turn)
        path = (*path, "expect", each.expectation_index) if each.expectation_index >= 0 else path
        found.append(Failure(turn, each.event_name, each.reason, run.scenario.place(*path)))
    if not result.passed and not found:
        found.append(Failure(None, "held", result.skipped or "it did not pass", run.scenario.place()))
    return found


def _with_pending(run: Run, status: Status, found: list[Failure]) -> tuple[Status, list[Failure]]:
    """What waits for its feature may fail; where it holds, it waits no more."""
    if run.scenario.keys.x_pending is None:
        return status, found
    if status == "passed":
        place = run.scenario.place("x_pending")
        return "failed", [Failure(None, "x_pending", "it passes now: take `x_pending` out", place)]
    return "pending", found


def _invalid(unheld: Unheld) -> dict[str, Any]:
    return _keys(EvalScriptResult(unheld.name, passed=False, skipped="it is wrong"), "invalid") | {
        "x_tier": unheld.tier,
        "x_run": 1,
        "x_providers": unheld.providers,
        "x_file": named(unheld.file.file),
        "x_failures": [complained(each) for each in unheld.complaints],
    }


def _pending(run: Run) -> dict[str, Any]:
    return _record(run, _unheld(run, run.scenario.keys.x_pending), "pending")


def _broken(run: Run, reason: str) -> dict[str, Any]:
    failure = Failure(None, "held", reason, run.scenario.place())
    return _record(run, _unheld(run, None), "error") | {"x_failures": [failed(failure)]}


def _unheld(run: Run, skipped: str | None) -> EvalScriptResult:
    return EvalScriptResult(run.scenario.name, passed=False, skipped=skipped)


def _record(run: Run, result: EvalScriptResult, status: Status) -> dict[str, Any]:
    return _keys(replace(result, passed=status == "passed"), status) | {
        "x_tier": run.tier,
        "x_run": run.number,
        "x_providers": run.scenario.keys.x_jarvis.providers,
        "x_file": named(run.scenario.file),
    }


def _keys(result: EvalScriptResult, status: Status) -> dict[str, Any]:
    return asdict(result) | {
        "x_status": status,
        "x_session": None,
        "x_failures": [],
        "x_turns": [],
        "x_timeline": [],
        "x_audio": None,
    }
