"""What the calls of this server come to, as counters and histograms: no caller, no id, no word in a label."""

from collections.abc import Mapping
from typing import Any, get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bot.providers.stages import STAGES, members, name_of
from bot.reports import Stage
from bot.talk.requests import Request
from bot.tools.settings import BUILT_IN, TOOL_NAME, Outcome
from processors.claims import Fault
from processors.failover.circuit import Failure, State
from processors.failover.route import Kind as Route
from processors.takes import Kind as Phrase
from server.ingress.live import LiveSession
from server.ingress.registry import SessionRecord
from server.ingress.schemas import CreateSession

OTHER = "other"
CHANNELS = get_args(CreateSession.model_fields["channel"].annotation)
END_REASONS = (
    "hang_up",
    "goodbye",
    "idle",
    "max_duration",
    "closed",
    "never_connected",
    "caller_lost",
    "bot_died",
    "error",
    "operator",
    "shutdown",
)
# Fine where answers are felt as quick or slow: 0.2 s is a person's own, 0.8 s is fine, over 1.2 s is broken.
V2V_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 3.0, 5.0)
STAGE_BUCKETS = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0,
)  # fmt: skip
LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


PROVIDERS = {stage: tuple(name_of(each) for each in members(stage)) for stage in STAGES}
PHRASES = get_args(Phrase)
CACHE_RESULTS = ("hit", "miss")
GUESS_RESULTS = ("kept", "withdrawn")
GUESS_UNITS = ("input_tokens", "output_tokens")
FAILURES = tuple(failure.value for failure in Failure)
ROUTES = get_args(Route)
TOOL_OUTCOMES = get_args(Outcome)
CIRCUITS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}


class CallMetrics:
    """A `CallObserver` that counts. What an earlier server of the call counted is not counted again."""

    def __init__(self, registry: CollectorRegistry):
        self._v2v = Histogram(
            "jarvis_v2v_seconds",
            "Caller's last voiced sample to the bot's first sound, as the bot measures it",
            buckets=V2V_BUCKETS,
            registry=registry,
        )
        self._stages = Histogram(
            "jarvis_stage_seconds",
            "Where the v2v of an answer went, by stage",
            ["stage"],
            buckets=STAGE_BUCKETS,
            registry=registry,
        )
        self._ended = Counter(
            "jarvis_calls_total", "Calls that have ended", ["channel", "end_reason"], registry=registry
        )
        # What a bot reports by its name, each a counter. Further ones of the bots belong here.
        self._reported = {
            "interruption": Counter(
                "jarvis_interruptions_total", "Callers who spoke while the bot did", registry=registry
            ),
            "filler": Counter(
                "jarvis_fillers_total", "Waits for an answer in which a word was said", registry=registry
            ),
            "gap": Counter("jarvis_gaps_total", "Questions that no document answered", registry=registry),
            "marker_dropped": Counter(
                "jarvis_markers_dropped_total", "Markers of an LLM that named no passage of the turn", registry=registry
            ),
            "llm_failed": Counter(
                "jarvis_llm_failures_total", "Answers that were lost to a failing LLM", registry=registry
            ),
            "turn_stop_timeout": Counter(
                "jarvis_turn_stop_timeouts_total", "Turns that ended only by their time limit", registry=registry
            ),
        }
        self._failovers = Counter(
            "jarvis_failovers_total",
            "Turns that another provider took over, with why",
            ["stage", "from", "to", "reason"],
            registry=registry,
        )
        self._circuits = Gauge(
            "jarvis_provider_circuit",
            "What a provider's circuit was when last told of: 0 closed, 1 half open, 2 open",
            ["stage", "provider"],
            registry=registry,
        )
        self._llm_turns = Counter(
            "jarvis_llm_turns_total",
            "Turns whose answer a language model began, and whether its fast model or its own",
            ["kind", "provider"],
            registry=registry,
        )
        self._guesses = Counter(
            "jarvis_speculations_total",
            "Answers asked for before the caller's turn was over, and what became of them",
            ["result"],
            registry=registry,
        )
        self._guessed_tokens = Counter(
            "jarvis_speculations_withdrawn_tokens_total",
            "Tokens that answers took which nobody heard, since the caller went on; as estimated",
            ["unit"],
            registry=registry,
        )
        self._spoken = Counter(
            "jarvis_speech_cache_total",
            "Texts that a voice looked for in the cache of speech, by the kind of phrase",
            ["kind", "result"],
            registry=registry,
        )
        self._saved = Counter(
            "jarvis_speech_cache_saved_characters_total",
            "Characters that no vendor was asked to speak, since they were in the cache",
            registry=registry,
        )
        self._asked = Counter(
            "jarvis_talk_requests_total",
            "Requests about the talk itself, which no language model answered",
            ["request"],
            registry=registry,
        )
        self._unsupported = Counter(
            "jarvis_claims_unsupported_total",
            "Sentences of answers that were not said, by what the passages that they cite lack of them",
            ["lacking"],
            registry=registry,
        )
        self._tools = Counter(
            "jarvis_tool_calls_total",
            "Tools that a language model called, and what came of it",
            ["tool", "outcome"],
            registry=registry,
        )
        self._replaced = Counter(
            "jarvis_bots_replaced_total", "Bots that died in a call that went on with another", registry=registry
        )
        self._lag = Histogram(
            "jarvis_bot_loop_lag_seconds",
            "How late the event loops of bots in calls came to their heartbeat",
            buckets=LAG_BUCKETS,
            registry=registry,
        )
        self._bots: dict[str, int] = {}
        self._cpu_secs: dict[str, float] = {}
        self.bot_cpu_secs = 0.0
        """What bots in calls took of the CPU, as they told it, from their first heartbeat on."""
        for stage in get_args(Stage):
            self._stages.labels(stage)
        for result in GUESS_RESULTS:
            self._guesses.labels(result)
        for unit in GUESS_UNITS:
            self._guessed_tokens.labels(unit)
        for kind in PHRASES:
            for result in CACHE_RESULTS:
                self._spoken.labels(kind, result)
        for request in Request:
            self._asked.labels(request)
        for fault in get_args(Fault):
            self._unsupported.labels(fault)
        for tool in BUILT_IN:
            self._tools.labels(tool, "done")
        for channel in CHANNELS:
            for reason in END_REASONS:
                self._ended.labels(channel, reason)

    def heard(self, session: LiveSession, event: Mapping[str, Any]) -> None:
        """Counts a report of the call's bot."""
        kind = event["type"]
        if kind == "heartbeat":
            self._note_bots(session)
            self._lag.observe(max(0.0, event["loop_lag_secs"]))
            self.bot_cpu_secs += max(0.0, event["cpu_secs"] - self._cpu_secs.get(session.id, event["cpu_secs"]))
            self._cpu_secs[session.id] = event["cpu_secs"]
        if event.get("again"):
            return
        if kind == "turn":
            self._v2v.observe(event["latency_secs"])
            stages = event.get("stages", {})
            for stage in get_args(Stage):
                if stage in stages:
                    self._stages.labels(stage).observe(stages[stage])
        elif kind == "failover" and (names := PROVIDERS.get(event["stage"])):
            before, to = _known(event["from"], names), _known(event["to"], names)
            self._failovers.labels(event["stage"], before, to, _known(event["reason"], FAILURES)).inc()
        elif kind == "provider" and event["provider"] in PROVIDERS.get(event["stage"], ()):
            self._circuits.labels(event["stage"], event["provider"]).set(CIRCUITS[State(event["state"])])
        elif kind == "route" and event["kind"] in ROUTES:
            self._llm_turns.labels(event["kind"], _known(event["provider"], PROVIDERS["llm"])).inc()
        elif kind == "guess":
            self._guesses.labels("kept" if event["kept"] else "withdrawn").inc()
            for unit in () if event["kept"] else GUESS_UNITS:
                self._guessed_tokens.labels(unit).inc(max(0, event[unit]))
        elif kind == "speech_cache":
            result = event["result"]
            self._spoken.labels(_known(event["kind"], PHRASES), _known(result, CACHE_RESULTS)).inc()
            self._saved.inc(max(0, event["characters"]) if result == "hit" else 0)
        elif kind == "talk_request":
            self._asked.labels(_known(event["request"], tuple(Request))).inc()
        elif kind == "unsupported":
            # Once each, so that sentences and not claims are counted.
            self._unsupported.labels(_known(event["lacking"][0], get_args(Fault))).inc()
        elif kind == "tool" and TOOL_NAME.fullmatch(event["tool"]):
            self._tools.labels(event["tool"], _known(event["outcome"], TOOL_OUTCOMES)).inc()
        elif (counter := self._reported.get(kind)) is not None:
            counter.inc(event.get("count", 1))

    def ended(self, session: LiveSession, record: SessionRecord) -> None:
        """Counts the end of a call."""
        self._note_bots(session)
        self._bots.pop(session.id, None)
        self._cpu_secs.pop(session.id, None)
        self._ended.labels(_known(record.details.channel, CHANNELS), _known(record.end_reason, END_REASONS)).inc()

    def _note_bots(self, session: LiveSession) -> None:
        """Counts the bots of the call that died in this server's care."""
        self._replaced.inc(session.bots - self._bots.get(session.id, session.bots))
        self._bots[session.id] = session.bots


def _known(value: str | None, names: tuple[str, ...]) -> str:
    """A label that is one of these names, so that no report can make up others."""
    return value if value in names else OTHER
