"""The measures, each on a server of its own or on one that it leaves as it was."""

import asyncio
import signal
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from evals.bench.launcher.callers import Caller, Heard, calling, hung_up
from evals.caller.audio import RATE_HZ, voiced_runs
from evals.caller.ingress import Ingress
from evals.caller.line import WebRtcLine
from evals.program import Jarvis

GREETING_SECS = 10.0
SPOKEN_SECS = 9.0
SETTLED_SECS = 6.0
WINDOW_SECS = 2.0
LONG_GAP_SECS = 0.04
CROWD = 30
QUESTIONS = ("q18", "q14", "q04")
CREATE = "/api/ingress/session/create"


@dataclass(frozen=True)
class Row:
    """A figure and what it means."""

    name: str
    value: str


def spread(values: Sequence[float], unit: str) -> str:
    """Median, 95th percentile and largest."""
    if not values:
        return "none"
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))]
    return f"p50 {statistics.median(ordered):.0f}, p95 {p95:.0f}, max {ordered[-1]:.0f} {unit} ({len(ordered)})"


def _server(path: Path, **environment: str) -> Jarvis:
    """A server whose calls do not end because nobody speaks while something else is measured."""
    return Jarvis(path, JARVIS_IDLE_SECS="3600", **environment)


async def starts(path: Path, runs: int) -> AsyncIterator[Row]:
    """Session create to a bot that has the session, and media to the first word, while four calls run."""
    jarvis = _server(path, JARVIS_MAX_SESSIONS="6", JARVIS_WARM_BOTS="2")
    await asyncio.to_thread(jarvis.start)
    callers = await calling(jarvis, 4)
    await asyncio.sleep(GREETING_SECS)
    created, answered, worded = [], [], []
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        for _ in range(runs):
            line = WebRtcLine(only_loopback=True)
            began = time.monotonic()
            session = await ingress.create()
            created.append(1000 * (time.monotonic() - began))

            async def exchange(offer: Any, session: Any = session) -> Any:
                asked = time.monotonic()
                answer = await ingress.offer(session, offer)
                answered.append(1000 * (time.monotonic() - asked))
                return answer

            await line.connect(exchange)
            await asyncio.sleep(1.5)
            worded += [1000 * run.start / RATE_HZ for run in voiced_runs(line.recording.bot)[:1]]
            await ingress.hang_up(session)
            await line.close()
            await asyncio.sleep(1.0)
    yield Row("session create to a bot that has it, 4 calls running", spread(created, "ms"))
    yield Row("offer to answer", spread(answered, "ms"))
    yield Row("media connected to the first word", spread(worded, "ms"))
    bots = [jarvis.bot_of(caller.session_id) for caller in callers]
    yield Row("private memory of a call after the greeting", _memory(bots))
    for caller in callers:
        await caller.ask(QUESTIONS[0])
        await asyncio.sleep(SPOKEN_SECS)
    yield Row("after a question", _memory(bots))
    await hung_up(callers)
    await asyncio.to_thread(jarvis.stop)


async def kills(path: Path, runs: int) -> AsyncIterator[Row]:
    """The bot of one call killed again and again, beside two others."""
    jarvis = _server(path)
    await asyncio.to_thread(jarvis.start)
    victim, *others = await calling(jarvis, 3)
    await asyncio.sleep(GREETING_SECS)
    killed, quiet = [], []
    for _ in range(runs):
        quiet.append(time.monotonic())
        await asyncio.sleep(WINDOW_SECS)
        bot = await asyncio.to_thread(jarvis.bot_of, victim.session_id)
        killed.append(time.monotonic())
        bot.kill()
        await asyncio.sleep(SETTLED_SECS)
    lost, *heard = await hung_up([victim, *others])
    back = [1000 * wait for at in killed if (wait := lost.voice_after(at)) is not None]
    yield Row(f"bot killed {runs} times: voice heard again", spread(back, "ms"))
    yield Row("the others then, longest gap in each 2 s", _gaps(heard, killed))
    yield Row("the others in as many windows without a kill", _gaps(heard, quiet))
    await asyncio.to_thread(jarvis.stop)


async def server(path: Path, _runs: int) -> AsyncIterator[Row]:
    """The server killed while three calls run, and started again."""
    jarvis = _server(path)
    await asyncio.to_thread(jarvis.start)
    callers = await calling(jarvis, 3)
    await asyncio.sleep(GREETING_SECS)
    killed = time.monotonic()
    await asyncio.to_thread(jarvis.kill)
    await asyncio.sleep(WINDOW_SECS)
    for caller in callers:
        await caller.ask(QUESTIONS[0])
        await asyncio.sleep(SPOKEN_SECS)
    alone = time.monotonic()
    successor = _server(path)
    began = time.monotonic()
    await asyncio.to_thread(successor.start)
    started = time.monotonic() - began
    await asyncio.sleep(WINDOW_SECS)
    key = successor.operator_key()
    _, overview, _ = await asyncio.to_thread(successor.request, "GET", "/api/ingress/sessions", None, key)
    found = {call["id"] for call in overview["sessions"]} & {caller.session_id for caller in callers}
    ended = [
        (await asyncio.to_thread(successor.request, "DELETE", f"/api/ingress/session/{each}", None, key))[0] == 204
        for each in found
    ]
    heard = await hung_up(callers)
    answered = sum(len(each.v2v_ms(killed, alone)) for each in heard)
    yield Row("server killed, 3 calls: answers they got without it", f"{answered} of 3")
    yield Row("longest gap in their audio", _gaps(heard, [killed]))
    yield Row("the next server", f"up after {started:.1f} s, found {len(found)} of 3, ended {sum(ended)} of them")
    await asyncio.to_thread(successor.stop)


async def leak(path: Path, runs: int) -> AsyncIterator[Row]:
    """Many sessions, half of them joined; what stays."""
    jarvis = _server(path)
    await asyncio.to_thread(jarvis.start)
    async with aiohttp.ClientSession() as http:
        ingress = Ingress(base_url=jarvis.url, http=http)
        for number in range(1, 10 * runs + 1):
            session = await ingress.create()
            if number % 2:
                line = WebRtcLine(only_loopback=True)
                await line.connect(lambda offer, session=session: ingress.offer(session, offer))
                await ingress.hang_up(session)
                await line.close()
            else:
                await ingress.hang_up(session)
            if number in (runs, 5 * runs, 10 * runs):
                await asyncio.sleep(SETTLED_SECS)
                sockets = len(list((path / "run" / "bots").glob("*.sock")))
                yield Row(
                    f"after {number} sessions",
                    f"{_size(jarvis.process)}; {len(jarvis.bots())} bots, {sockets} sockets",
                )
    await asyncio.to_thread(jarvis.stop)


async def overload(path: Path, _runs: int) -> AsyncIterator[Row]:
    """Far more requests than lines, while the lines are used."""
    jarvis = _server(path, JARVIS_MAX_SESSIONS="3")
    await asyncio.to_thread(jarvis.start)
    callers = await calling(jarvis, 3)
    await asyncio.sleep(GREETING_SECS)
    before = time.monotonic()
    await _converse(callers)
    crowded = time.monotonic()
    over_event = asyncio.Event()
    crowd = asyncio.create_task(_crowd(jarvis.url, until=over_event))
    await _converse(callers)
    over = time.monotonic()
    over_event.set()
    refused = await crowd
    heard = await hung_up(callers)
    alone_ms = [ms for each in heard for ms in each.v2v_ms(before, crowded)]
    crowded_ms = [ms for each in heard for ms in each.v2v_ms(crowded, over)]
    yield Row("v2v of 3 calls, no crowd", spread(alone_ms, "ms"))
    yield Row(f"v2v while {CROWD} others ask each second, {over - crowded:.0f} s long", spread(crowded_ms, "ms"))
    yield Row("refused after", spread([1000 * secs for secs, _ in refused], "ms"))
    yield Row("refused with 503 and Retry-After", f"{sum(right for _, right in refused)} of {len(refused)}")
    await asyncio.to_thread(jarvis.stop)


async def drain(path: Path, _runs: int) -> AsyncIterator[Row]:
    """TERM with three calls, a successor beside it, and their own ends."""
    jarvis = _server(path)
    await asyncio.to_thread(jarvis.start)
    callers = await calling(jarvis, 3)
    await asyncio.sleep(GREETING_SECS)
    process = jarvis.process
    process.send_signal(signal.SIGTERM)
    await asyncio.sleep(0.5)
    status, _, headers = await asyncio.to_thread(jarvis.request, "POST", CREATE, {})
    yield Row("a draining server, asked for a session", f"{status}, Retry-After {headers.get('retry-after')}")
    successor = _server(path)
    began = time.monotonic()
    await asyncio.to_thread(successor.start, port=int(jarvis.url.rpartition(":")[2]))
    yield Row("its successor, at the same address", f"up after {time.monotonic() - began:.1f} s")
    asked = time.monotonic()
    for caller in callers:
        await caller.ask(QUESTIONS[1])
        await asyncio.sleep(SPOKEN_SECS)
    heard = await hung_up(callers)
    answered = sum(len(each.v2v_ms(asked, time.monotonic())) for each in heard)
    yield Row("answers that the 3 calls got meanwhile", f"{answered} of 3")
    began = time.monotonic()
    await asyncio.to_thread(psutil.wait_procs, [process], 30)
    yield Row("the drained server ended", f"{time.monotonic() - began:.1f} s after the last call")
    await asyncio.to_thread(successor.stop)


async def _converse(callers: Sequence[Caller]) -> None:
    """Each asks its three questions; the callers take turns, so that no two bots answer at once."""
    for question in QUESTIONS:
        for caller in callers:
            await caller.ask(question)
            await asyncio.sleep(1.0)
        await asyncio.sleep(SPOKEN_SECS)


async def _crowd(url: str, *, until: asyncio.Event) -> list[tuple[float, bool]]:
    """Asks for sessions without regard to Retry-After: each refusal's seconds, and whether it was a proper one."""
    refused: list[tuple[float, bool]] = []

    async def one(http: aiohttp.ClientSession) -> None:
        while not until.is_set():
            began = time.monotonic()
            async with http.post(url + CREATE, json={}) as response:
                await response.read()
            right = response.status == 503 and "Retry-After" in response.headers
            refused.append((time.monotonic() - began, right))
            await asyncio.sleep(1.0)

    async with aiohttp.ClientSession() as http:
        await asyncio.gather(*(one(http) for _ in range(CROWD)))
    return refused


def _gaps(heard: Sequence[Heard], windows: Sequence[float]) -> str:
    longest, long = [], 0
    for each in heard:
        for at in windows:
            gaps = each.gaps(at, at + WINDOW_SECS)
            longest.append(1000 * max(gaps, default=0.0))
            long += sum(gap > LONG_GAP_SECS for gap in gaps)
    return f"{spread(longest, 'ms')}; {long} gaps over 40 ms"


def _memory(bots: Sequence[psutil.Process]) -> str:
    return spread([bot.memory_full_info().uss / 2**20 for bot in bots], "MB")


def _size(process: psutil.Process) -> str:
    return f"server {process.memory_info().rss / 2**20:.0f} MB, {process.num_fds()} descriptors"
