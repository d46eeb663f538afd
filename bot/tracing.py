"""Traces of a call, as OpenTelemetry spans that Pipecat makes: sent to a collector, without a word of the call.

Only a bot whose call is traced starts this, and only after it was forked: a thread sends.
"""

import asyncio
import threading
from collections.abc import Sequence
from contextlib import suppress

from loguru import logger
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status

from bot.settings import Tracing

PATH = "/v1/traces"
SEND_SECS = 2.0
SEND_EVERY_MS = 2_000
# What is not sent by then, as the process ends, is lost.
CLOSE_SECS = 2.5
QUEUE_SPANS = 512
NAMES = frozenset({"conversation", "turn", "stt", "llm", "tts"})
# All that leaves this host of a span: numbers, names of models and providers, the session's id. Pipecat adds
# transcripts, prompts, answers and tool arguments, under names that change with its versions: what is not named here is
# dropped.
ATTRIBUTES = frozenset({
    "conversation.id", "conversation.type",
    "turn.number", "turn.type", "turn.duration_seconds", "turn.was_interrupted", "turn.ended_by_conversation_end",
    "turn.user_bot_latency_seconds",
    "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.operation.name", "gen_ai.output.type",
    "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.cache_read.input_tokens",
    "gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.reasoning.output_tokens",
    "metrics.ttfb", "metrics.character_count", "metrics.audio_seconds",
    "language", "is_final", "vad_enabled", "stt.incomplete", "voice_id", "tts.interrupted", "stream", "tool_count",
})  # fmt: skip


class CallTracing:
    """Takes the spans of this process' one call."""

    def __init__(self, exporter: SpanExporter):
        # Bots end without Python's own end, and within a limit.
        self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: "jarvis"}), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(WithoutWords(exporter), schedule_delay_millis=SEND_EVERY_MS, max_queue_size=QUEUE_SPANS)
        )

    @classmethod
    def start(cls, settings: Tracing) -> "CallTracing":
        """Takes the spans of this process from now on, once and for all."""
        tracing = cls(OTLPSpanExporter(endpoint=settings.endpoint.rstrip("/") + PATH, timeout=SEND_SECS))
        trace.set_tracer_provider(tracing._provider)
        return tracing

    @property
    def provider(self) -> trace.TracerProvider:
        """What makes the spans."""
        return self._provider

    async def close(self) -> None:
        """Sends what is left, as far as that goes within a limit."""
        loop, sent = asyncio.get_running_loop(), asyncio.Event()

        def send() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop did not wait for so long
                loop.call_soon_threadsafe(sent.set)

        # No thread of the loop's own, which it would wait for without a limit.
        threading.Thread(target=send, name="last-spans", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSE_SECS):
                await sent.wait()
        except TimeoutError:
            logger.warning("the last spans of the call were not taken by the collector")


class WithoutWords(SpanExporter):
    """Hands spans on with the attributes that may leave this host, and nothing else that could hold a word."""

    def __init__(self, exporter: SpanExporter):
        self._exporter = exporter
        self._failed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends the spans; says once that they are not taken."""
        result = self._exporter.export([stripped(span) for span in spans])
        if result is not SpanExportResult.SUCCESS and not self._failed:
            self._failed = True
            logger.warning("the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not take the call's spans")
        return result

    def shutdown(self) -> None:
        """Ends a send that is under way."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends what the exporter keeps back."""
        return self._exporter.force_flush(timeout_millis)


def stripped(span: ReadableSpan) -> ReadableSpan:
    """The span without events, links, the status' text, and attributes that are not known to hold no words."""
    attributes = {name: value for name, value in (span.attributes or {}).items() if name in ATTRIBUTES}
    return ReadableSpan(
        span.name if span.name in NAMES else "other",
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=attributes,
        kind=span.kind,
        status=Status(span.status.status_code),
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )
