"""Which of a stage's providers does the next turn, and what becomes of those that failed."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from processors.failover.circuit import Circuit, Failure, State

Report = Callable[[dict[str, Any]], None]


class Providers:
    """The providers of one stage by name, the preferred first, the one on this host last.

    The last has no circuit: where nobody else is left, it is always tried. `report` is told of each change of a circuit
    (`provider`), of each turn that another took over (`failover`) and of the model that had a turn's first word
    (`route`); all of it numbers and names.
    """

    def __init__(self, stage: str, names: Sequence[str], *, clock: Callable[[], float], report: Report) -> None:
        self._stage = stage
        self._names = tuple(names)
        self._spared: frozenset[str] = frozenset()
        self._last_alone = False
        self._clock = clock
        self._report = report
        self._circuits: dict[str, Circuit] = {name: Circuit() for name in names[:-1]}

    @property
    def stage(self) -> str:
        """What they do: stt, llm or tts."""
        return self._stage

    @property
    def names(self) -> Sequence[str]:
        """All of them."""
        return self._names

    @property
    def last(self) -> str:
        """The one that is left when all others fail."""
        return self._names[-1]

    def choose(self, name: str) -> None:
        """Lets turns begin on this one where it can; on the last, where it is chosen, all of them."""
        self.prefer(name)
        self._last_alone = name == self.last

    def prefer(self, name: str) -> None:
        """Puts this one first from the next turn on; ValueError where it is none of these."""
        if name not in self._names:
            raise ValueError(f"there is no {name}")
        if name != self.last:
            self._names = (name, *(each for each in self._names if each != name))

    def spare(self, names: Collection[str]) -> None:
        """Lets no turn begin on these, and on all others again; the last is never spared."""
        self._spared = frozenset(names) - {self.last}

    @property
    def last_is_chosen(self) -> bool:
        """Whether turns begin on the last although none of the others failed."""
        return self._last_alone

    @property
    def spares_all(self) -> bool:
        """Whether only the last is left because no turn may begin on any other."""
        return len(self._names) > 1 and self._spared.issuperset(self._names[:-1])

    def next(self, *, besides: Collection[str] = ()) -> str | None:
        """The first whose circuit lets a turn through, none of `besides` or the spared; None where no one is left."""
        now = self._clock()
        for name in (self.last,) if self._last_alone else self._names:
            circuit = self._circuits.get(name)
            if name not in self._spared and name not in besides and (circuit is None or circuit.allows(now)):
                return name
        return None

    def state(self, name: str) -> State:
        """What the circuit of this provider is now."""
        circuit = self._circuits.get(name)
        return State.CLOSED if circuit is None else circuit.state(self._clock())

    def tried(self, name: str) -> None:
        """A turn begins on this one."""
        self._becomes(name, lambda circuit, now: circuit.tried(now))

    def left(self, name: str) -> None:
        """A turn on it ended before it showed what it can."""
        self._becomes(name, lambda circuit, now: circuit.left(now))

    def worked(self, name: str) -> None:
        """A turn on it went well."""
        self._becomes(name, lambda circuit, _now: circuit.worked())

    def failed(self, name: str, failure: Failure) -> None:
        """A turn on it did not."""
        self._becomes(name, lambda circuit, now: circuit.failed(now, failure))

    def took_over(self, name: str, *, before: str, failure: Failure) -> None:
        """A turn of `before`, which failed so, goes on with this one."""
        self._report(
            {"type": "failover", "stage": self._stage, "from": before, "to": name, "reason": failure.value},
        )

    def answered(self, name: str, *, kind: str) -> None:
        """The first word of a turn is of this one's model for such turns, fast or smart."""
        self._report({"type": "route", "provider": name, "kind": kind})

    def learn(self, known: Mapping[str, Any]) -> None:
        """Takes what another call found, as it was reported; of other stages and providers, nothing."""
        name = known["provider"]
        if known["stage"] != self._stage or name not in self._circuits:
            return
        self._circuits[name] = self._circuits[name].told(
            self._clock(), State(known["state"]), rest_secs=known["rest_secs"], rests=known["rests"]
        )

    def _becomes(self, name: str, change: Callable[[Circuit, float], Circuit]) -> None:
        circuit = self._circuits.get(name)
        if circuit is None:
            return
        now = self._clock()
        self._circuits[name] = after = change(circuit, now)
        if (after.open_until, after.probe_until) == (circuit.open_until, circuit.probe_until):
            return
        if after.state(now) is State.HALF_OPEN and after.probe_until is None:
            return
        self._report(
            {
                "type": "provider",
                "stage": self._stage,
                "provider": name,
                "state": after.state(now).value,
                "rest_secs": round(after.rest_secs(now), 3),
                "rests": after.rests,
            }
        )
