"""What this host holds just now: calls, bots, callers in line, processes, databases. Looked at as Prometheus asks."""

import asyncio
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from server.embedded.service import EmbeddedService
from server.health.parts import postgres_answers, redis_answers
from server.ingress.lines import Lines, Refusal
from server.ingress.local_bot import LocalBot
from server.ingress.local_launcher import LocalLauncher
from server.ingress.registry import State
from server.ingress.sessions import Sessions
from server.metrics.calls import CallMetrics
from server.metrics.processes import ProcessTable, parents
from server.processes import SupervisedProcess
from server.resources import Resources

LIVE_STATES = tuple(state for state in get_args(State) if state != "ended")
REFUSALS: tuple[Refusal, ...] = tuple(name for part in get_args(Refusal) for name in get_args(part))


@dataclass(frozen=True, slots=True)
class Look:
    """What the event loop knows at one moment."""

    states: Mapping[str, int]
    refused: Mapping[Refusal, int]
    restarts: Mapping[str, int]
    up: Mapping[str, bool]
    pids: Mapping[str, Sequence[int]]
    warm_bots: int
    died_waiting: int
    waiting: int


class Host:
    """Looks at what this server holds."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        launcher: LocalLauncher,
        lines: Lines,
        resources: Resources,
        processes: Sequence[SupervisedProcess],
        embedded: Sequence[EmbeddedService],
    ):
        self._sessions = sessions
        self._launcher = launcher
        self._lines = lines
        self._resources = resources
        self._processes = processes
        self._embedded = embedded

    async def look(self) -> Look:
        """How it stands now; a database that is away takes two seconds."""
        postgres, redis, waiting, embedded = await asyncio.gather(
            postgres_answers(self._resources),
            redis_answers(self._resources),
            self._lines.waiting(),
            asyncio.to_thread(lambda: {each.name: each.pid for each in self._embedded}),
        )
        children = {each.name: each.pid for each in self._processes}
        live = self._sessions.live
        bots = [session.bot.pid for session in live if isinstance(session.bot, LocalBot) and session.bot.alive]
        single = {"server": os.getpid(), **children, **embedded}
        return Look(
            states=Counter(session.state for session in live),
            refused=dict(self._lines.refused),
            restarts={each.name: each.restarts for each in self._processes},
            up={"postgres": postgres, "redis": redis, **{name: pid is not None for name, pid in children.items()}},
            pids={
                "bot": [*bots, *self._launcher.waiting_pids],
                **{name: [] if pid is None else [pid] for name, pid in single.items()},
            },
            warm_bots=self._launcher.warm,
            died_waiting=self._launcher.died_waiting,
            waiting=waiting,
        )


class HostCollector(Collector):
    """Tells Prometheus of the last look, and of what the processes take now."""

    def __init__(self, *, calls: CallMetrics):
        self._calls = calls
        self._table = ProcessTable()
        self.look: Look | None = None

    def describe(self) -> Iterable[Metric]:
        """Nothing, so that nobody is asked before the first look."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """The metrics; reads a few files a process, so not for the event loop."""
        if (look := self.look) is None:
            return
        live = GaugeMetricFamily("jarvis_calls_live", "Calls of this server by state", labels=["state"])
        for state in LIVE_STATES:
            live.add_metric([state], look.states.get(state, 0))
        yield live
        refused = CounterMetricFamily(
            "jarvis_calls_refused", "Callers who were turned away, by what was short", labels=["reason"]
        )
        for reason in REFUSALS:
            refused.add_metric([reason], look.refused.get(reason, 0))
        yield refused
        yield GaugeMetricFamily("jarvis_callers_waiting", "Callers in line", value=look.waiting)
        yield GaugeMetricFamily("jarvis_bots_warm", "Bots that wait for a call", value=look.warm_bots)
        yield CounterMetricFamily(
            "jarvis_warm_bots_died", "Bots that died or stalled as they waited for a call", value=look.died_waiting
        )
        up = GaugeMetricFamily("jarvis_part_up", "1 where the part answers or runs", labels=["part"])
        for part, answers in look.up.items():
            up.add_metric([part], answers)
        yield up
        restarts = CounterMetricFamily(
            "jarvis_process_restarts", "Times that a process died and was started again", labels=["process"]
        )
        for name, number in look.restarts.items():
            restarts.add_metric([name], number)
        yield restarts
        # What all bots were forked from.
        preload = parents(look.pids["bot"], below=os.getpid())
        told = {"bot": self._calls.bot_cpu_secs}
        yield from self._table.families({**look.pids, "preload": preload}, told_cpu_secs=told)
