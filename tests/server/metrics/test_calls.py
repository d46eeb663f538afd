"""What is counted of calls."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from server.ingress.live import LiveSession
from server.ingress.registry import Details
from server.ingress.scripted import ScriptedBot
from server.metrics.calls import CHANNELS, CallMetrics

STAGES = {"transcript": 0.4, "turn_end": 0.1, "retrieval": 0.02, "llm": 0.3, "tts": 0.05}
TURN = {"type": "turn", "number": 1, "latency_secs": 0.9, "stages": STAGES}
ROUTE = {"type": "route", "provider": "openai", "kind": "fast"}
BEAT = {"type": "heartbeat", "loop_lag_secs": 0.002, "cpu_secs": 1.0, "private_mb": 50.0, "floor": "nobody"}


class Counted:
    """One call, and what is counted of it."""

    def __init__(self, *, channel: str = "webrtc"):
        self.registry = CollectorRegistry()
        self.metrics = CallMetrics(self.registry)
        self.call = LiveSession(
            id="6f1c",
            bot=ScriptedBot("a"),
            server="s1",
            created_at=datetime.now(UTC),
            details=Details(channel=channel, caller="customer-77", metadata={"shop": "north"}),
        )

    def hears(self, *events: Mapping[str, Any]) -> None:
        for event in events:
            self.metrics.heard(self.call, event)

    def ends(self, reason: str | None) -> None:
        self.metrics.ended(self.call, self.call.record().model_copy(update={"state": "ended", "end_reason": reason}))

    def value(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def test_an_answer_is_measured_as_a_whole_and_by_its_stages():
    counted = Counted()
    counted.hears(TURN)
    assert (counted.value("jarvis_v2v_seconds_count"), counted.value("jarvis_v2v_seconds_sum")) == (1, 0.9)
    assert {s: counted.value("jarvis_stage_seconds_sum", stage=s) for s in STAGES} == STAGES


def test_a_stage_that_an_answer_did_not_pass_through_is_not_measured():
    counted = Counted()
    counted.hears(TURN | {"stages": {"llm": 0.3}}, {"type": "turn", "number": 2, "latency_secs": 0.9})
    assert counted.value("jarvis_stage_seconds_count", stage="llm") == 1
    assert counted.value("jarvis_stage_seconds_count", stage="retrieval") == 0


@pytest.mark.parametrize(
    ("event", "metric", "value"),
    [
        ({"type": "interruption"}, "jarvis_interruptions_total", 1),
        ({"type": "filler"}, "jarvis_fillers_total", 1),
        ({"type": "gap"}, "jarvis_gaps_total", 1),
        ({"type": "marker_dropped", "count": 3}, "jarvis_markers_dropped_total", 3),
        ({"type": "llm_failed"}, "jarvis_llm_failures_total", 1),
        ({"type": "turn_stop_timeout"}, "jarvis_turn_stop_timeouts_total", 1),
    ],
)
def test_what_a_bot_reports_is_counted(event: dict[str, Any], metric: str, value: int):
    counted = Counted()
    before = counted.value(metric)
    counted.hears(event)
    assert (before, counted.value(metric)) == (0, value)


def test_guesses_are_counted_by_what_became_of_them_and_withdrawn_ones_by_what_they_took():
    counted = Counted()
    tokens = {"input_tokens": 400, "output_tokens": 20}
    counted.hears(*({"type": "guess", "kept": kept, **tokens} for kept in (True, True, False)))
    results = {each: counted.value("jarvis_speculations_total", result=each) for each in ("kept", "withdrawn")}
    assert results == {"kept": 2, "withdrawn": 1}
    assert {unit: counted.value("jarvis_speculations_withdrawn_tokens_total", unit=unit) for unit in tokens} == tokens


def test_a_sentence_that_was_not_said_is_counted_once_by_what_its_sources_lack():
    counted = Counted()
    counted.hears(*({"type": "unsupported", "lacking": each} for each in (["name", "number"], ["negation"], ["words"])))
    found = [counted.value("jarvis_claims_unsupported_total", lacking=each) for each in ("name", "number", "negation")]
    assert (found, counted.value("jarvis_claims_unsupported_total", lacking="other")) == ([1, 0, 1], 1)


def test_what_an_earlier_server_counted_is_not_counted_again():
    counted = Counted()
    counted.hears(TURN | {"again": True}, {"type": "gap", "again": True})
    assert (counted.value("jarvis_v2v_seconds_count"), counted.value("jarvis_gaps_total")) == (0, 0)


def test_what_has_no_metric_passes_by():
    Counted().hears({"type": "story", "keep": 0, "add": []}, {"type": "from a newer bot"})


def test_requests_about_the_talk_are_counted_by_what_is_asked():
    counted = Counted()
    counted.hears({"type": "talk_request", "request": "repeat"}, {"type": "talk_request", "request": "made up"})
    asked = [counted.value("jarvis_talk_requests_total", request=each) for each in ("repeat", "other", "goodbye")]
    assert asked == [1, 1, 0]


def test_tools_are_counted_by_name_and_what_came_of_them():
    counted = Counted()
    for tool, outcome in (("order_status", "done"), ("order_status", "made up"), ("The caller's words", "done")):
        counted.hears({"type": "tool", "tool": tool, "outcome": outcome})
    value = counted.value
    assert value("jarvis_tool_calls_total", tool="order_status", outcome="done") == 1
    assert value("jarvis_tool_calls_total", tool="order_status", outcome="other") == 1
    assert value("jarvis_tool_calls_total", tool="end_call", outcome="done") == 0


@pytest.mark.parametrize(("reason", "label"), [("idle", "idle"), ("made up", "other"), (None, "other")])
def test_an_end_is_counted_by_a_reason_that_is_known(reason: str | None, label: str):
    counted = Counted()
    counted.ends(reason)
    assert counted.value("jarvis_calls_total", channel="webrtc", end_reason=label) == 1


def test_a_channel_is_one_that_sessions_are_created_with():
    counted = Counted(channel="smoke signals")
    counted.ends("idle")
    assert "webrtc" in CHANNELS
    assert counted.value("jarvis_calls_total", channel="other", end_reason="idle") == 1


def test_nothing_that_a_call_was_created_with_is_in_a_label():
    counted = Counted()
    counted.hears(BEAT, TURN)
    counted.ends("hang_up")
    labels = {v for family in counted.registry.collect() for s in family.samples for v in s.labels.values()}
    assert labels & {"customer-77", "shop", "north", "6f1c", "default", "en"} == set()


def test_a_bot_in_whose_place_another_came_is_counted():
    counted = Counted()
    counted.hears(BEAT)
    counted.call.replaced_by(ScriptedBot("b"))
    counted.hears(BEAT)
    assert counted.value("jarvis_bots_replaced_total") == 1


def test_a_bot_that_died_after_the_last_heartbeat_is_counted_at_the_end():
    counted = Counted()
    counted.hears(BEAT)
    counted.call.replaced_by(ScriptedBot("b"))
    counted.ends("caller_lost")
    assert counted.value("jarvis_bots_replaced_total") == 1


def test_bots_that_a_call_had_before_it_was_taken_over_are_not_counted():
    counted = Counted()
    counted.call.bots = 3
    counted.hears(BEAT)
    assert counted.value("jarvis_bots_replaced_total") == 0


def test_the_cpu_of_bots_adds_up_over_calls_and_over_their_bots():
    counted = Counted()
    counted.hears(BEAT, BEAT | {"cpu_secs": 1.5})
    counted.call.replaced_by(ScriptedBot("b"))
    counted.hears(BEAT | {"cpu_secs": 0.2}, BEAT | {"cpu_secs": 0.5})
    counted.ends("hang_up")
    counted.hears(BEAT | {"cpu_secs": 9.0})
    assert counted.metrics.bot_cpu_secs == pytest.approx(0.8)


def test_a_heartbeat_tells_how_late_the_event_loop_was():
    counted = Counted()
    counted.hears(BEAT, BEAT | {"loop_lag_secs": -0.001})
    assert counted.value("jarvis_bot_loop_lag_seconds_count") == 2
    assert counted.value("jarvis_bot_loop_lag_seconds_sum") == pytest.approx(0.002)


def test_a_turn_that_another_provider_took_over_is_counted_with_both_and_the_reason():
    counted = Counted()
    counted.hears({"type": "failover", "stage": "llm", "from": "openai", "to": "extractive", "reason": "late"})
    labels = {"stage": "llm", "from": "openai", "to": "extractive", "reason": "late"}
    assert counted.value("jarvis_failovers_total", **labels) == 1


def test_no_report_makes_up_a_provider_or_a_reason():
    counted = Counted()
    counted.hears({"type": "failover", "stage": "llm", "from": "6f1c", "to": "extractive", "reason": "he said so"})
    labels = {"stage": "llm", "from": "other", "to": "extractive", "reason": "other"}
    assert counted.value("jarvis_failovers_total", **labels) == 1


def test_a_turn_is_counted_with_the_model_that_answered():
    counted = Counted()
    counted.hears(ROUTE, ROUTE | {"provider": "6f1c"}, ROUTE | {"kind": "6f1c"}, ROUTE | {"again": True})
    assert counted.value("jarvis_llm_turns_total", kind="fast", provider="openai") == 1
    assert counted.value("jarvis_llm_turns_total", kind="fast", provider="other") == 1
    assert counted.value("jarvis_llm_turns_total", kind="6f1c", provider="openai") is None


@pytest.mark.parametrize(("state", "value"), [("closed", 0), ("half_open", 1), ("open", 2)])
def test_a_circuit_is_shown_as_it_was_told(state: str, value: int):
    counted = Counted()
    counted.hears(
        {"type": "provider", "stage": "llm", "provider": "openai", "state": state, "rest_secs": 1, "rests": 1}
    )
    assert counted.value("jarvis_provider_circuit", stage="llm", provider="openai") == value


def test_what_the_cache_of_speech_spares_is_counted_by_the_kind_of_phrase():
    counted = Counted()
    said = {"type": "speech_cache", "kind": "greeting", "characters": 40}
    counted.hears(said | {"result": "miss"}, said | {"result": "hit"}, said | {"result": "hit", "kind": "Ada's name"})
    hits = {kind: counted.value("jarvis_speech_cache_total", kind=kind, result="hit") for kind in ("greeting", "other")}
    assert hits == {"greeting": 1, "other": 1}
    assert counted.value("jarvis_speech_cache_total", kind="greeting", result="miss") == 1
    assert counted.value("jarvis_speech_cache_total", kind="answer", result="hit") == 0
    assert counted.value("jarvis_speech_cache_saved_characters_total") == 80
