"""The collector that keeps what it is sent."""

import urllib.request
from collections.abc import Iterator

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from evals.collector import PATH, Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def send(collector: Collector, *spans: tuple[str, bytes, dict[str, str]]) -> None:
    """One request with spans of a name, a trace and attributes."""
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    for name, trace_id, attributes in spans:
        span = scope.spans.add(name=name, trace_id=trace_id, start_time_unix_nano=5550187)
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    sent = urllib.request.Request(collector.url + PATH, data=request.SerializeToString())
    with urllib.request.urlopen(sent, timeout=5) as answer:
        assert answer.status == 200


def test_what_a_calls_spans_say_is_told_once_its_last_came(collector: Collector):
    send(collector, ("stt", b"one", {"transcript": "My number."}))
    assert collector.trace_of("s1") == ""
    send(collector, ("conversation", b"one", {"conversation.id": "s1"}), ("llm", b"two", {"output": "Other."}))
    trace = collector.trace_of("s1")
    assert ("My number." in trace, "Other." in trace) == (True, False)
    assert [span.name for span in collector.spans()] == ["stt", "conversation", "llm"]


def test_ids_and_times_are_not_what_it_says(collector: Collector):
    send(collector, ("conversation", b"one", {"conversation.id": "s1"}))
    assert "5550187" not in collector.trace_of("s1")
