"""Holds a suite: each conversation with a Jarvis that fits, judged, and kept as soon as it is over."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import psycopg
from pipecat.evals.simulation import EvalSimulationScenario

from evals.drill.scenarios import VENDORS
from evals.judged.errors import JudgedError
from evals.judged.judge import Judge, judge
from evals.judged.model import NO_MODEL, of_doubles, service
from evals.kept import Kept
from evals.scenarios.checks import Failure, failures
from evals.scenarios.claims import words_spoken
from evals.scenarios.errors import SuiteError
from evals.scenarios.failing import begin
from evals.scenarios.format import Scenario
from evals.scenarios.harness import Held, hold
from evals.scenarios.host import HostEvent
from evals.scenarios.observed import Observed
from evals.scenarios.observing import Spoken, by_turn, false_interrupts, missed_turns, spoken, turns
from evals.scenarios.plan import Plan, Run
from evals.scenarios.records import broken, invalid, of_call, pending, stock_failures, unjudged, with_pending
from evals.scenarios.results import Results
from evals.scenarios.stand import Stand, Wanted, shared, stand
from evals.scenarios.ways import prepared
from evals.simulated.conduct import misconduct
from evals.simulated.harness import as_played, simulate
from evals.simulated.outcome import outcome

HOLD_SECS = 600.0
# Each has a server and databases, some 400 MB of memory, and wants a core while it starts.
STANDS = 3
# So many calls are worth another start.
MANY = 9
GAP_SECS, LOOK_SECS = 3.0, 0.2
# The call did not come about: that says nothing of what the scenario asks.
UNREACHED = frozenset({"connect_failed", "closed_before_ready", "handshake_timeout"})
BROKEN = UNREACHED | {"error", "judge_no_verdict"}
# A simulated caller may spoil a run so often.
PLAYED_TIMES = 3
# How Pipecat says that a simulated call ended because nothing more came: the bot owed an answer.
ENDLESS = frozenset({"silence", "max_duration"})
# A host that is busy, or whose lines are, may take the call a little later.
TRIES, AGAIN_SECS = 3, 4.0

OnRecord = Callable[[Mapping[str, Any]], None]


async def hold_suite(
    suite: Plan,
    results: Results,
    *,
    jobs: int,
    live: Mapping[str, str],
    sample: Kept,
    on_record: OnRecord,
    model: Any = None,
    stands: Any = stand,
) -> None:
    """Holds a suite, so many calls at once, and adds each run to the results as it ends.

    `live` are the variables of the vendors that are asked for real, `sample` what a Jarvis begins with that answers
    from the sample handbook, `model` the settings of the language model that judges then, and plays simulated
    callers. What goes wrong with one run is told in its record, and the others are held all the same.
    """

    def keep(record: Mapping[str, Any]) -> None:
        results.add(record)
        on_record(record)

    for unheld in suite.unheld:
        keep(invalid(unheld))
    for run in suite.pending:
        keep(pending(run))
    beside = min(jobs, STANDS)
    # The largest first, so that the last ones are soon over.
    groups = deque(sorted(_groups(suite.runs, beside=beside), key=lambda group: -len(group[1])))
    free = asyncio.Semaphore(jobs)

    async def lane() -> None:
        while groups:
            wanted, group = groups.popleft()
            start = partial(stands, wanted, live=live, lines=jobs, sample=sample)
            await _hold_group(wanted, group, results, free=free, keep=keep, model=model, start=start)

    async with asyncio.TaskGroup() as lanes:
        for _ in range(beside):
            lanes.create_task(lane())


def _groups(runs: Sequence[Run], *, beside: int) -> Iterator[tuple[Wanted, Sequence[Run]]]:
    """What each Jarvis holds. With doubles it holds one call at a time, so that many get one `beside` another."""
    for (providers, *_), group in groupby(sorted(runs, key=_shared), key=_shared):
        held = list(group)
        parts = beside if providers == "doubles" and len(held) >= MANY else 1
        for part in (held[number::parts] for number in range(parts)):
            yield Wanted.of([run.scenario for run in part]), part


def _shared(run: Run) -> tuple[str, tuple[tuple[str, str], ...], str]:
    return shared(run.scenario)


async def _hold_group(
    wanted: Wanted,
    runs: Sequence[Run],
    results: Results,
    *,
    free: asyncio.Semaphore,
    keep: OnRecord,
    model: Any,
    start: Any,
) -> None:
    # Doubles are told what is heard next, whoever calls; and what happens to a host happens to all of its calls.
    alone = asyncio.Semaphore(1 if wanted.providers == "doubles" or wanted.alone else len(runs))
    async with AsyncExitStack() as stack:
        try:
            served = await stack.enter_async_context(start())
        except SuiteError as error:
            for run in runs:
                keep(broken(run, str(error)))
            return

        async def held(run: Run) -> None:
            try:
                for left in reversed(range(PLAYED_TIMES)):
                    record = await _judged(run, served, results, model)
                    is_replaced = record["x_status"] == "invalid" and left > 0
                    keep({**record, "x_replaced": True} if is_replaced else record)
                    if not is_replaced:
                        break
            finally:
                alone.release()
                free.release()

        async with asyncio.TaskGroup() as group:
            for run in runs:
                await alone.acquire()
                # Only one of each Jarvis waits, so that they take turns.
                await free.acquire()
                group.create_task(held(run))


async def _judged(run: Run, served: Stand, results: Results, model: Any) -> Mapping[str, Any]:
    limit = asyncio.timeout(HOLD_SECS)
    try:
        async with limit:
            if run.scenario.simulation is not None:
                return await _simulate_one(run, run.scenario.simulation, served, model)
            return await _hold_one(run, served, results, model)
    except JudgedError as error:
        return broken(run, str(error))
    # Whatever a harness meets: the suite goes on, and the record says what it was.
    except Exception as error:
        if limit.expired():
            return broken(run, f"the call was not over after {HOLD_SECS:.0f} s")
        return broken(run, f"{type(error).__name__}: {error}")


async def _simulate_one(run: Run, simulation: EvalSimulationScenario, served: Stand, model: Any) -> Mapping[str, Any]:
    """One in which the caller misbehaved is invalid: it says nothing of the bot."""
    scenario, caller = run.scenario, run.scenario.keys.x_caller
    assert caller is not None
    if served.doubles is not None:
        model = of_doubles(served.doubles.variables)
        phrases = {each.says: each.phrase for each in caller.script if each.phrase}
        lines = [each.says for each in caller.script]
        await served.doubles.tell(caller=lines, phrases=phrases, writes={}, calls={}, recalls=[])
    elif model is None:
        raise JudgedError(NO_MODEL)
    logged = served.logged()
    done = await simulate(
        as_played(simulation, caller, model=model),
        base_url=served.url,
        key=served.key,
        collection=served.collection(scenario),
        model=service(model),
        judge=_judge(run, model),
    )
    held = done.held
    if any(each.kind in BROKEN for each in held.result.failures):
        return unjudged(run, held)
    users, asked = done.users, range(1, len(done.users)) if scenario.outcome.x_refuses else ()
    observed = await _observed(run, served, held, None, logged=logged, users=users, refused=asked)
    is_silent = bool(done.lines) and not done.lines[-1].by_caller
    spoilt = misconduct(
        done.lines, caller, ended_by=done.ended_by, max_turns=simulation.max_turns, is_silent=is_silent
    )  # fmt: skip
    if spoilt:
        place = scenario.place("x_caller")
        status, found = "invalid", [Failure(None, "x_caller", reason, place) for reason in spoilt]
    else:
        found = [*stock_failures(run, held.result), *outcome(scenario, observed)]
        if done.ended_by in ENDLESS:
            reason = f"the call came to no end of its own: {done.ended_by}"
            found.append(Failure(None, "held", reason, scenario.place("x_caller")))
        status, found = with_pending(run, "failed" if found else "passed", found)
    return of_call(run, held, status, found, observed, users, None)


async def _hold_one(run: Run, served: Stand, results: Results, model: Any) -> Mapping[str, Any]:
    scenario, spoken_tier = run.scenario, run.tier != "text"
    audio = results.folder / f"{scenario.name.replace('/', '.')}.{run.tier}.{run.number}.wav" if spoken_tier else None
    logged = served.logged()
    cue = _Cue(run, served)
    await cue.prepare()
    host = HostEvent(scenario.keys.x_host, served)
    held = await _had(run, served, cue, host, audio, model)
    if any(each.kind in BROKEN for each in held.result.failures):
        return unjudged(run, held)
    sound = None
    if held.recording is not None:
        sound = await asyncio.to_thread(spoken, held.recording, held.began_ms)
    users = [turn.user for turn in scenario.stock.turns]
    refused = [number for number, own in enumerate(scenario.turns) if own.x_refuses]
    observed = await _observed(run, served, held, sound, logged=logged, users=users, refused=refused)
    ran = sum(turn.status != "not_run" for turn in held.result.turns)
    found = [*stock_failures(run, held.result), *failures(scenario, observed, tier=run.tier, ran=ran)]
    found += host.failures(scenario)
    status, found = with_pending(run, "failed" if found else "passed", found)
    return of_call(run, held, status, found, observed, users, sound)


def _judge(run: Run, model: Any) -> Judge | None:
    """Who judges what only a model can: nobody but in live runs."""
    if run.scenario.keys.x_jarvis.providers != "live":
        return None
    named = (run.scenario.data.get("judge") or {}).get("eval")
    if model is None and not named:
        raise JudgedError(NO_MODEL)
    return judge(model, named)


def _created(scenario: Scenario, served: Stand) -> dict[str, str]:
    """What its session is created with; a persona's own documents stand where the scenario names none."""
    persona = {} if scenario.persona is None else {"persona": scenario.persona.stem}
    if persona and scenario.keys.x_jarvis.knowledge is None:
        return persona
    return persona | {"collection": served.collection(scenario)}


async def _had(run: Run, served: Stand, cue: "_Cue", host: HostEvent, audio: Path | None, model: Any) -> Held:
    """The conversation as it was held; one that did not come about is tried again."""
    again = 0
    while True:
        async with host.mended(), prepared(run, base_url=served.url) as (scenario, way):
            held = await hold(
                scenario,
                base_url=served.url,
                key=served.key,
                wanted=_created(run.scenario, served),
                audio=audio,
                judge=_judge(run, model),
                on_turn=cue.turn,
                changes={number: keys.x_change for number, keys in enumerate(run.scenario.turns) if keys.x_change},
                before_turn=host.before,
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
        self._later: list[asyncio.TimerHandle] = []
        self._faulty = {
            (each.turn, f"{each.stage}/{VENDORS[each.stage][0]}"): each for each in run.scenario.keys.x_faults
        }

    async def prepare(self) -> None:
        """What is looked for in the passages of each question, and which is answered from the dialogue."""
        if self._doubles is None:
            return
        turns = zip(self._run.scenario.stock.turns, self._run.scenario.turns, strict=True)
        asked = [(keys.x_hears or turn.user, keys) for turn, keys in turns if turn.user]
        phrases = {question: keys.x_phrase for question, keys in asked if keys.x_phrase}
        writes = {question: keys.x_writes for question, keys in asked if keys.x_writes}
        calls = {question: keys.x_calls for question, keys in asked if keys.x_calls}
        recalls = [question for question, keys in asked if keys.x_recalls]
        await self._doubles.tell(phrases=phrases, writes=writes, recalls=recalls, calls=calls)

    def turn(self, number: int) -> None:
        """A turn begins."""
        if self._doubles is None or number >= len(self._run.scenario.turns):
            return
        user = self._run.scenario.stock.turns[number].user
        if user:
            self._doubles.tell(hear=self._run.scenario.turns[number].x_hears or user)
        for _, double in self._faulty:
            self._doubles.tell(double=double, fault=None)
        for (at, double), each in self._faulty.items():
            if at == number and (later := begin(each, double, self._doubles)) is not None:
                self._later.append(later)

    async def end(self) -> None:
        """All is well again."""
        for each in self._later:
            each.cancel()
        if self._doubles is not None:
            for _, double in self._faulty:
                await self._doubles.tell(double=double, fault=None)


async def _observed(
    run: Run,
    served: Stand,
    held: Held,
    sound: Spoken | None,
    *,
    logged: int,
    users: Sequence[str | None],
    refused: Sequence[int],
) -> Observed:
    """`users` is what the caller said in each turn, `refused` the turns whose question may be kept as a gap."""
    keys = run.scenario.keys
    seen = turns(users, by_turn(held.messages, held.began_ms), sound)
    record = await served.record(held.session_id) if held.session_id else ""
    asked = [words_spoken(seen[number].heard or seen[number].user or "") for number in refused]
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
        trace=await served.trace(held.session_id or "") if keys.x_privacy and "trace" in keys.x_privacy.sinks else "",
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
