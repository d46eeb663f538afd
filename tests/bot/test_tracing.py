"""What leaves this host of a call's spans: times, numbers, names, and not a word."""

import asyncio
import threading
from collections.abc import Sequence

import pytest
from loguru import logger
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode

from bot import tracing
from bot.tracing import CallTracing

SECRET = "Do you rent tandems?"


class Collector(SpanExporter):
    """Keeps what it is sent, and answers as it is told."""

    def __init__(self, *answers: SpanExportResult):
        self.spans: list[ReadableSpan] = []
        self._answers = list(answers)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.spans += spans
        return self._answers.pop(0) if self._answers else SpanExportResult.SUCCESS


async def test_a_span_arrives_as_the_call_ends():
    collector = Collector()
    traced = CallTracing(collector)
    traced.provider.get_tracer("pipecat").start_span("turn").end()
    await traced.close()
    assert [span.name for span in collector.spans] == ["turn"]


async def test_only_attributes_that_hold_no_words_are_sent():
    collector = Collector()
    traced = CallTracing(collector)
    span = traced.provider.get_tracer("pipecat").start_span("llm")
    known = {"gen_ai.request.model": "gpt-4.1", "metrics.ttfb": 0.3, "gen_ai.usage.output_tokens": 12}
    words = (
        "input",
        "output",
        "transcript",
        "text",
        "gen_ai.system_instructions",
        "tools",
        "function_calls.first_name",
    )
    span.set_attributes(known | dict.fromkeys((*words, "settings.system_instruction", "from a newer version"), SECRET))
    span.end()
    await traced.close()
    assert collector.spans[0].attributes == known


async def test_an_error_is_sent_without_what_it_says():
    collector = Collector()
    traced = CallTracing(collector)
    with pytest.raises(ValueError, match="tandems"), traced.provider.get_tracer("pipecat").start_as_current_span("llm"):
        raise ValueError(SECRET)
    await traced.close()
    (span,) = collector.spans
    assert (span.status.status_code, span.status.description, list(span.events)) == (StatusCode.ERROR, None, [])
    assert SECRET not in span.to_json()


async def test_a_name_that_is_not_known_is_not_sent():
    collector = Collector()
    traced = CallTracing(collector)
    traced.provider.get_tracer("pipecat").start_span(SECRET).end()
    await traced.close()
    assert [span.name for span in collector.spans] == ["other"]


async def test_spans_stay_joined():
    collector = Collector()
    traced = CallTracing(collector)
    tracer = traced.provider.get_tracer("pipecat")
    with tracer.start_as_current_span("turn") as turn, tracer.start_as_current_span("llm") as llm:
        llm.set_status(Status(StatusCode.OK))
    await traced.close()
    inner, outer = collector.spans
    assert inner.parent is not None
    assert (inner.parent.span_id, outer.context) == (turn.get_span_context().span_id, turn.get_span_context())
    assert inner.start_time is not None
    assert inner.end_time is not None
    assert inner.end_time >= inner.start_time


async def test_a_collector_that_takes_nothing_is_told_of_once():
    said: list[str] = []
    sink = logger.add(lambda message: said.append(str(message)), level="WARNING")
    exporter = tracing.WithoutWords(Collector(SpanExportResult.FAILURE, SpanExportResult.FAILURE))
    assert [exporter.export([]), exporter.export([])] == [SpanExportResult.FAILURE] * 2
    logger.remove(sink)
    assert len([line for line in said if "does not take the call's spans" in line]) == 1


async def test_a_collector_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tracing, "CLOSE_SECS", 0.05)
    hangs = threading.Event()

    class Hanging(Collector):
        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            hangs.wait(10)
            return super().export(spans)

    traced = CallTracing(Hanging())
    traced.provider.get_tracer("pipecat").start_span("turn").end()
    async with asyncio.timeout(5):
        await traced.close()
    hangs.set()
